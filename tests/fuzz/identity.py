"""Proofs of identity as fuzz targets: by a reader who knows the key, and by one who knows the id alone."""

from federation.digest import Digest
from federation.keychange import KeyChange
from federation.link.identity_proof import IDENTITY, IdentityProof
from tests.fuzz.target import Target, signed
from tests.fuzz.values import ACME, KEY, NOW, OTHER

_NONCE = "abcdefgh-ABCDEFGH_0123456789"
_PROOF = IdentityProof(
    node=ACME,
    id=KEY.id,
    key=KEY.public,
    url="https://acme.example:7420",
    nonce=_NONCE,
    certificates=(Digest.of(b"certificate"),),
    at=NOW,
    changes=(KeyChange(node=ACME, old=OTHER.public, new=KEY.public, at=NOW, number=1).sign(OTHER, KEY),),
)


def identity_targets() -> tuple[Target, ...]:
    """All of them."""
    return (
        *signed(
            "proof of identity",
            IDENTITY,
            KEY,
            lambda content: IdentityProof.read(content, key=OTHER.public, nonce=_NONCE),
            "federation.link.identity_proof:IdentityProof.read",
            _PROOF,
        ),
        *signed(
            "proof of an id",
            IDENTITY,
            KEY,
            lambda content: IdentityProof.read_of(content, node=KEY.id, nonce=_NONCE),
            "federation.link.identity_proof:IdentityProof.read_of",
            _PROOF,
        ),
    )

"""The proof of identity: signed by the node meant, over the nonce just asked, or refused."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec, limits, statement
from federation.digest import Digest
from federation.envelope import Envelope
from federation.errors import InvalidValueError, TamperedError
from federation.keys import PrivateKey
from federation.link.identity_proof import IDENTITY, IdentityProof, check_nonce, new_nonce
from federation.names import NodeName
from tests.support.clock import FIXED_START

NODE = PrivateKey(b"n" * 32)
OTHER = PrivateKey(b"o" * 32)
NONCE = "abcdefgh-ABCDEFGH_0123456789"
CERTIFICATE = Digest.of(b"certificate")


def proof(**changed: Any) -> IdentityProof:
    made = IdentityProof(
        node=NodeName("acme"),
        id=NODE.id,
        key=NODE.public,
        url="https://acme.example:7420",
        nonce=NONCE,
        certificates=(CERTIFICATE,),
        at=FIXED_START,
    )
    return replace(made, **changed)


def test_a_proof_is_read_as_it_was_made() -> None:
    """By a reader who knows the key, and by one who knows the id alone."""
    content = proof().sign(NODE)
    assert IdentityProof.read(content, key=NODE.public, nonce=NONCE) == proof()
    assert IdentityProof.read_of(content, node=NODE.id, nonce=NONCE) == proof()
    assert len(content) < limits.IDENTITY_PROOF_BYTES


def test_the_largest_proof_keeps_its_bound() -> None:
    """What a node may say at most fits into what a client reads at most."""
    many = tuple(Digest.of(bytes([number])) for number in range(limits.IDENTITY_CERTIFICATES))
    content = proof(certificates=many, nonce="x" * 64, url=f"https://{'a' * 480}.example").sign(NODE)
    assert len(content) < limits.IDENTITY_PROOF_BYTES


def test_another_signer_is_refused() -> None:
    """Whoever lacks the node's key can't speak for it, whatever he writes into the statement."""
    forged = statement.sign(IDENTITY, proof(), OTHER)
    with pytest.raises(TamperedError):
        IdentityProof.read(forged, key=NODE.public, nonce=NONCE)
    with pytest.raises(TamperedError):
        IdentityProof.read_of(forged, node=NODE.id, nonce=NONCE)
    own = proof(id=OTHER.id, key=OTHER.public).sign(OTHER)
    with pytest.raises(TamperedError):
        IdentityProof.read_of(own, node=NODE.id, nonce=NONCE)


def test_a_recorded_proof_is_refused() -> None:
    """It answers the nonce of that time."""
    with pytest.raises(TamperedError, match="recorded"):
        IdentityProof.read(proof().sign(NODE), key=NODE.public, nonce=new_nonce())


def test_a_statement_of_another_type_is_no_proof() -> None:
    """What the node signs for other purposes proves nothing here."""
    other = Envelope.signed("application/vnd.vupdate.offer+json", codec.encode(proof()), NODE).to_bytes()
    with pytest.raises(TamperedError):
        IdentityProof.read(other, key=NODE.public, nonce=NONCE)


def test_only_certificates_that_are_named_count() -> None:
    """A proof without any vouches for none."""
    proof().check_certificate(CERTIFICATE)
    for names in ((), (Digest.of(b"another"),)):
        with pytest.raises(TamperedError, match="in between"):
            proof(certificates=names).check_certificate(CERTIFICATE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": OTHER.id},
        {"url": "https://acme.example/prefix"},
        {"nonce": "short"},
        {"certificates": (CERTIFICATE,) * (limits.IDENTITY_CERTIFICATES + 1)},
    ],
)
def test_a_proof_can_not_be_built_wrong(wrong: dict[str, Any]) -> None:
    """Nor read: a statement of a wrong form is refused though the node signed it."""
    with pytest.raises(InvalidValueError):
        proof(**wrong)
    signed = statement.sign(IDENTITY, codec.to_document(proof()) | wrong, NODE)
    with pytest.raises(TamperedError):
        IdentityProof.read(signed, key=NODE.public, nonce=NONCE)


@given(st.text(max_size=80))
def test_a_nonce_has_one_form(text: str) -> None:
    """16 to 64 letters, digits, ``-`` and ``_``, and nothing else."""
    fits = 16 <= len(text) <= 64 and all(char.isascii() and (char.isalnum() or char in "-_") for char in text)
    if fits:
        assert check_nonce(text) == text
    else:
        with pytest.raises(InvalidValueError):
            check_nonce(text)


def test_nonces_are_fresh() -> None:
    """No two alike."""
    assert len({check_nonce(new_nonce()) for _ in range(1000)}) == 1000


@given(st.binary(max_size=300))
def test_noise_is_no_proof(content: bytes) -> None:
    """Whatever bytes come, they are refused as tampered, and nothing else happens."""
    with pytest.raises(TamperedError):
        IdentityProof.read(content, key=NODE.public, nonce=NONCE)
    with pytest.raises(TamperedError):
        IdentityProof.read_of(content, node=NODE.id, nonce=NONCE)

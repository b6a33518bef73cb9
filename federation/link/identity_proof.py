"""Proves who answers at an address: a statement by a node's key over a nonce and the certificates it is served under.

What is trusted of a peer is its node key, never a certificate: a peer's certificate may be self-made, an authority's,
or that of a proxy before the node, and may be renewed at any time. The statement ties the certificate that a client
sees on its own connection to the key that it knows. One in the middle can pass the statement on, but only under his own
certificate, which it does not name. Without TLS the statement shows that the node is behind the address, and no more:
whoever stands on the way can still read, though not change what is signed.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Final, Self

from federation import codec, limits, statement
from federation.codec import Moment
from federation.digest import Digest
from federation.envelope import Envelope
from federation.errors import InvalidValueError, TamperedError
from federation.identity import NodeId
from federation.keychange import follow
from federation.keys import PrivateKey, PublicKey
from federation.link.address import check_url
from federation.names import NodeName

IDENTITY: Final = "application/vnd.vupdate.identity+json"
IDENTITY_PATH: Final = "/federation/v1/identity"
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


def new_nonce() -> str:
    """A fresh nonce: 24 random bytes as base64url."""
    return secrets.token_urlsafe(24)


def check_nonce(nonce: str) -> str:
    """``nonce``, once it has the form of one.

    Raises:
        InvalidValueError: it has not.
    """
    if not _NONCE.fullmatch(nonce):
        raise InvalidValueError("a nonce has 16 to 64 characters of A-Z a-z 0-9 - _")
    return nonce


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProof:
    """A node's word on itself, fresh by ``nonce``.

    ``url``: where it says others reach it; ``certificates``: SHA-256 of the DER form of each certificate that it is
    served under now, none where it serves no TLS; ``at``: its own time, which decides nothing here; ``changes``: how it
    came to its key, for a reader who knows it by one that it had before.
    """

    node: NodeName
    id: NodeId
    key: PublicKey
    url: str
    nonce: str
    certificates: tuple[Digest, ...]
    at: Moment
    changes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        check_url(self.url)
        check_nonce(self.nonce)
        if len(self.certificates) > limits.IDENTITY_CERTIFICATES or len(self.changes) > limits.KEY_CHANGES:
            raise InvalidValueError(
                f"a node has at most {limits.IDENTITY_CERTIFICATES} certificates in use "
                f"and shows at most {limits.KEY_CHANGES} key changes"
            )
        if self.id != self.key.id:
            raise InvalidValueError("the id is not that of the key")

    def sign(self, key: PrivateKey) -> bytes:
        """The statement as a signed envelope."""
        return statement.sign(IDENTITY, self, key)

    @classmethod
    def read(cls, content: bytes, *, key: PublicKey, nonce: str) -> Self:
        """The statement in the envelope ``content``, in answer to ``nonce``, signed by ``key`` or by its successor.

        Raises:
            TamperedError: another signer, nonce or form.
            OversizedError: over a bound of ``limits``.
        """
        brought = cls._brought(content)
        if brought.key != key:
            follow(key, brought.key, brought.changes, brought.node)
        proof = statement.read(content, IDENTITY, cls, brought.key)
        if proof.nonce != nonce:
            raise TamperedError("the proof answers another question than the one just asked: it was recorded before")
        return proof

    @classmethod
    def read_of(cls, content: bytes, *, node: NodeId, nonce: str) -> Self:
        """The same for a reader who knows only the node's id: the statement brings the key, and the id vouches for it.

        Raises:
            TamperedError, OversizedError: as ``read``; also when the key's id is not ``node``.
        """
        brought = cls._brought(content).key
        if brought.id != node:
            raise TamperedError(f"what answers is node {brought.id.short}…, not {node.short}…")
        return cls.read(content, key=brought, nonce=nonce)

    @classmethod
    def _brought(cls, content: bytes) -> Self:
        """What ``content`` says, not yet verified."""
        try:
            return codec.decode(Envelope.from_bytes(content).payload, cls)
        except InvalidValueError as error:
            raise TamperedError(f"not a proof of identity: {error}") from error

    def check_certificate(self, shown: Digest) -> None:
        """Accept the certificate that a connection showed.

        Raises:
            TamperedError: the node does not name it as its own: somebody stands in between.
        """
        if shown not in self.certificates:
            raise TamperedError("the certificate shown is none of the node's own: somebody may stand in between")

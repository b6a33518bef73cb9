"""Seals what one node hands to another for one order, so that nobody between the two can read it: HPKE (RFC 9180).

The receiver makes a key for each order, and says by its node key that it is its own. The suite is
DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, in base mode; ``info`` binds the order and both nodes. Who
sealed it is not proved by it: the signed request that carries it does that.
"""

from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from federation import statement
from federation.errors import TamperedError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey

PAYLOAD_TYPE: Final = "application/vnd.vupdate.sealing-key+json"
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What is sealed, from whom and for whom: the id of an order, the nodes ``asker`` and ``builder``."""

    order: str
    asker: NodeId
    builder: NodeId

    @property
    def info(self) -> bytes:
        """The bytes that bind what is sealed to it."""
        return "\n".join(("vupdate hand-over 1", self.order, self.asker, self.builder)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The builder's word: ``key``: the raw X25519 public key, 32 bytes."""

    order: str
    asker: NodeId
    key: bytes


class SealingKey:
    """The builder's key for one order; it is nowhere but in memory."""

    def __init__(self, private: X25519PrivateKey, purpose: Purpose) -> None:
        self._private = private
        self._purpose = purpose

    @classmethod
    def fresh(cls, purpose: Purpose) -> Self:
        """A new one."""
        return cls(X25519PrivateKey.generate(), purpose)

    def statement(self, key: PrivateKey) -> bytes:
        """The public half, as the node whose key ``key`` is says it."""
        said = _Said(
            order=self._purpose.order, asker=self._purpose.asker, key=self._private.public_key().public_bytes_raw()
        )
        return statement.sign(PAYLOAD_TYPE, said, key)

    def open(self, sealed: bytes) -> bytes:
        """What was sealed to it.

        Raises:
            TamperedError: it was sealed to another key, for another purpose, or changed on its way.
        """
        try:
            return _SUITE.decrypt(sealed, self._private, info=self._purpose.info)
        except (InvalidTag, ValueError) as error:
            raise TamperedError("what was handed over is not sealed to this node for this order: refused") from error


def seal(content: bytes, said: bytes, purpose: Purpose, builder: PublicKey) -> bytes:
    """``content``, sealed to the key that ``builder`` says is its own for ``purpose``.

    Raises:
        TamperedError: ``said`` is not the builder's word about this order of this asker.
    """
    found = statement.read(said, PAYLOAD_TYPE, _Said, builder)
    if (found.order, found.asker) != (purpose.order, purpose.asker) or len(found.key) != _KEY_BYTES:
        raise TamperedError("the builder's key is for another order: nothing is handed over")
    try:
        return _SUITE.encrypt(content, X25519PublicKey.from_public_bytes(found.key), info=purpose.info)
    except ValueError as error:
        # A point of small order, with which anybody could open it (RFC 9180, 7.1.4).
        raise TamperedError("the builder's key is none to seal to: nothing is handed over") from error

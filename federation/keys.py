"""Ed25519 keys of nodes and agents: made, kept in a file only its owner may read, used to sign and to verify."""

import base64
import binascii
import os
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation.errors import CorruptError, InvalidValueError
from federation.files import write_atomic
from federation.identity import NodeId


class PublicKey(str):
    """An Ed25519 public key as standard base64 of its 32 raw bytes."""

    raw: bytes

    def __new__(cls, text: str) -> Self:
        if type(text) is cls:
            return text
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidValueError(f"public key {text[:60]!r} is not base64") from error
        if len(raw) != 32 or len(text) != 44:
            raise InvalidValueError(f"an Ed25519 public key has 32 bytes, not {len(raw)}")
        self = super().__new__(cls, base64.b64encode(raw).decode("ascii"))
        self.raw = raw
        return self

    @classmethod
    def from_raw(cls, raw: bytes) -> Self:
        """The key whose 32 bytes (RFC 8032 §5.1.2) are ``raw``."""
        return cls(base64.b64encode(raw).decode("ascii"))

    @property
    def id(self) -> NodeId:
        """The fingerprint that names the key's owner."""
        return NodeId.of_public_key(self.raw)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` (64 bytes, RFC 8032) over ``message`` was made by this key's owner."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class PrivateKey:
    """An Ed25519 private key; never printed, never in a message."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        """From the 32 bytes of ``seed`` (RFC 8032 §5.1.5)."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey.from_raw(self._key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"<PrivateKey of {self.public.id.short}…>"

    @classmethod
    def generate(cls) -> Self:
        """A new random key."""
        return cls(os.urandom(32))

    @property
    def id(self) -> NodeId:
        """The id of the key's owner."""
        return self.public.id

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of ``message`` (RFC 8032, pure Ed25519)."""
        return self._key.sign(message)

    def to_pem(self) -> bytes:
        """PKCS #8 PEM without a passphrase; the only form that leaves this object, for its key file."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def save(self, path: Path) -> None:
        """Write the key to ``path`` with mode 0600."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(path, self.to_pem(), mode=0o600)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The key kept in ``path``.

        Raises:
            CorruptError: not an Ed25519 key, or readable by others than its owner.
        """
        if path.stat().st_mode & 0o077:
            raise CorruptError(f"key file {path} can be read by others: run chmod 600 {path}, or make a new key")
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it has a passphrase
            raise CorruptError(f"key file {path} is damaged: restore it from a backup") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise CorruptError(f"key file {path} does not hold an Ed25519 key")
        return cls(key.private_bytes_raw())

"""Seals what must not be read in the storage, by a key that is kept in a file beside the node's own.

A sealed record: ``vps1``, 8 bytes that name the key, a nonce of 12 random bytes, then the content under AES-256-GCM
(NIST SP 800-38D) with its tag. What the record is about goes in as associated data, so a record can't stand in for
another. Random nonces are good for 2^32 records of one key.
"""

import hmac
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from federation.errors import CorruptError
from federation.files import write_atomic

KEY_BYTES: Final = 32
_MAGIC: Final = b"vps1"
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_FINGERPRINT_CHARS: Final = 32


class SealError(CorruptError):
    """A sealed record can't be opened: damaged, about something else, or of another key."""

    code = "seal"


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The keys that one secret of 32 bytes gives: for sealing, for fingerprints, and a name for itself."""

    raw: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A new random key."""
        return cls(os.urandom(KEY_BYTES))

    def _derived(self, purpose: bytes) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"vupdate sealing 1: " + purpose).derive(self.raw)

    @property
    def id(self) -> bytes:
        """What names the key in records."""
        return self._derived(b"name")[:_ID_BYTES]

    def seal(self, content: bytes, about: bytes) -> bytes:
        """The record that holds ``content``, bound to ``about``."""
        nonce = os.urandom(_NONCE_BYTES)
        return _MAGIC + self.id + nonce + AESGCM(self._derived(b"content")).encrypt(nonce, content, about)

    def open(self, record: bytes, about: bytes) -> bytes:
        """The content of a record about ``about``.

        Raises:
            SealError: it is none, or of another key.
        """
        start = len(_MAGIC) + _ID_BYTES
        if not record.startswith(_MAGIC) or len(record) < start + _NONCE_BYTES + _TAG_BYTES:
            raise SealError("what is stored is damaged")
        if record[len(_MAGIC) : start] != self.id:
            raise SealError("it was sealed by another key than the one in use: restore that key from a backup")
        nonce, sealed = record[start : start + _NONCE_BYTES], record[start + _NONCE_BYTES :]
        try:
            return AESGCM(self._derived(b"content")).decrypt(nonce, sealed, about)
        except InvalidTag as error:
            raise SealError("what is stored is damaged, or was stored for something else") from error

    def fingerprint(self, content: bytes, about: bytes) -> str:
        """What tells ``content`` from another one, and nothing else to who has not the key. ``about``: JSON."""
        return hmac.digest(self._derived(b"fingerprint"), about + content, "sha256").hex()[:_FINGERPRINT_CHARS]


class SealingKeyFile:
    """The file of a sealing key, mode 0600, made when it is first needed. Blocking; used by one process."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path

    def load(self) -> SealingKey:
        """The key.

        Raises:
            CorruptError: there is none, it is damaged, or others than its owner can read it.
        """
        try:
            mode, raw = self.path.stat().st_mode, self.path.read_bytes()
        except FileNotFoundError as error:
            raise CorruptError(f"the key {self.path} is gone: restore it from a backup") from error
        if stat.S_IMODE(mode) & 0o077:
            raise CorruptError(f"key file {self.path} can be read by others: run chmod 600 {self.path}")
        if len(raw) != KEY_BYTES:
            raise CorruptError(f"key file {self.path} is damaged: restore it from a backup")
        return SealingKey(raw)

    def obtain(self) -> SealingKey:
        """The key, which is made if there is none.

        Raises:
            CorruptError: as ``load``.
            DiskFullError: no room.
        """
        if not self.path.exists():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(self.path, SealingKey.generate().raw, mode=0o600)
        return self.load()

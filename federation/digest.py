"""SHA-256 digests of content: the name of a blob and of an image."""

import hashlib
import re
from collections.abc import Iterable
from typing import Self

from federation.errors import InvalidValueError

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Digest(str):
    """A SHA-256 digest as 64 lower-case hexadecimal digits."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _HEX.fullmatch(text):
            raise InvalidValueError(f"{text[:80]!r} is not a SHA-256 digest: 64 lower-case hexadecimal digits")
        return super().__new__(cls, text)

    @classmethod
    def of(cls, content: bytes | bytearray | memoryview) -> Self:
        """The digest of ``content``."""
        return cls(hashlib.sha256(content).hexdigest())

    @classmethod
    def of_chunks(cls, chunks: Iterable[bytes]) -> Self:
        """The digest of the concatenation of ``chunks``."""
        state = hashlib.sha256()
        for chunk in chunks:
            state.update(chunk)
        return cls(state.hexdigest())

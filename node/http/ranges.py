"""Which part of a file a caller asks for: single byte ranges (RFC 9110 §14.2) under a strong entity tag (§13.1.5).

A server may pass over a range it does not like; here that is every malformed one, more than one, and one whose
``If-Range`` names another entity tag. Then the whole file is due.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from federation.errors import InvalidValueError

_RANGE: Final = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


class UnsatisfiableRangeError(InvalidValueError):
    """No byte of the file lies in the range."""

    code = "range"


@dataclass(frozen=True, slots=True)
class Span:
    """``size`` bytes from byte ``first`` on; at least one."""

    first: int
    size: int

    def content_range(self, whole: int) -> str:
        """The header that names the span of a file of ``whole`` bytes."""
        return f"bytes {self.first}-{self.first + self.size - 1}/{whole}"


def asked_span(headers: Mapping[str, str], *, size: int, etag: str) -> Span | None:
    """The span that ``headers`` (by lower-case name) ask of a file of ``size`` bytes; None: the whole.

    Raises:
        UnsatisfiableRangeError: it lies outside.
    """
    found = _RANGE.fullmatch(headers.get("range", ""))
    if found is None or headers.get("if-range", etag) != etag:
        return None
    first, last = found.groups()
    if not first:
        return _suffix(last, size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise UnsatisfiableRangeError(f"the file has {size} bytes, asked for was what follows {first}")
    end = min(int(last) + 1, size) if last else size
    return Span(int(first), end - int(first))


def _suffix(length: str, size: int) -> Span | None:
    if not length or (not size and int(length)):  # not a range; or all of an empty file, which no header can name
        return None
    if not int(length):
        raise UnsatisfiableRangeError("the last 0 bytes of a file are none")
    count = min(int(length), size)
    return Span(size - count, count)

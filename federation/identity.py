"""Node ids: the fingerprint of a public key in a form that people compare by eye.

SHA-256 of the raw Ed25519 public key (32 bytes), base32 (RFC 4648 §6, 52 letters without padding), cut into four
groups of 13, each followed by a check letter, and the 56 letters written in eight groups of seven.

The check letter: the letters' values, 0 to 31, as elements of GF(32) with the polynomial x^5 + x^2 + 1, each times
another power of x, sum up to zero with it. As all weights differ, one wrong letter, or two of a group exchanged, is
always found; Luhn's rule would miss neighbours that are A and 7.
"""

import base64
import functools
import hashlib
import re
from typing import Self

from federation.errors import InvalidValueError

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FORM = re.compile(r"[A-Z2-7]{7}(-[A-Z2-7]{7}){7}", re.ASCII)
_GROUP = 13
# Letters and digits that people confuse; none of the right-hand side's twins is in the alphabet.
_CONFUSED = str.maketrans({"0": "O", "1": "I", "8": "B"})


def _times_x(element: int) -> int:
    shifted = element << 1
    return shifted ^ 0b100101 if shifted & 0b100000 else shifted


# The same few ids are made from their keys, and read, with each request.
@functools.lru_cache(maxsize=4096)
def _check_letter(group: str) -> str:
    total = 0
    for letter in group:
        total = _times_x(total ^ _ALPHABET.index(letter))
    return _ALPHABET[total]


class NodeId(str):
    """The id of a node or an agent: eight groups of seven letters joined by ``-``."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if type(text) is cls:
            return text
        if not _FORM.fullmatch(text):
            raise InvalidValueError(f"{text[:80]!r} is not a node id: eight groups of seven letters A-Z and 2-7")
        letters = text.replace("-", "")
        for start in range(0, 56, _GROUP + 1):
            group, check = letters[start : start + _GROUP], letters[start + _GROUP]
            if _check_letter(group) != check:
                raise InvalidValueError(f"node id {text}: a letter is wrong near {group[-6:]}{check}; compare it again")
        return super().__new__(cls, text)

    @classmethod
    def typed(cls, text: str) -> Self:
        """The id that a person typed: any case, any or no separators, ``0 1 8`` for ``O I B``."""
        letters = re.sub(r"[\s-]", "", text).upper().translate(_CONFUSED)
        return cls("-".join(letters[start : start + 7] for start in range(0, len(letters), 7)))

    @classmethod
    def of_public_key(cls, raw: bytes) -> Self:
        """The id of the node that holds the Ed25519 public key ``raw`` (32 bytes)."""
        letters = base64.b32encode(hashlib.sha256(raw).digest()).decode("ascii").rstrip("=")
        groups = [letters[start : start + _GROUP] for start in range(0, 52, _GROUP)]
        checked = "".join(group + _check_letter(group) for group in groups)
        return cls("-".join(checked[start : start + 7] for start in range(0, 56, 7)))

    @property
    def short(self) -> str:
        """The first group, for lists where names stand beside it; never to decide trust by."""
        return self[:7]

"""The patterns of ``faults.files`` that mean what a regular expression for whole names of files did. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from federation.errors import InvalidValueError
from federation.toml.kinds import PATTERN

_TOKEN = re.compile(
    r"(?P<any>\.\*\??)|(?P<some>\.\+\??)|(?P<one>\.)|(?P<digit>\\d)|\\(?P<escaped>[^A-Za-z0-9])"
    r"|\[(?P<set>\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|\w)+)\]|(?P<or>\|)|(?P<plain>[^\\\[\](){}*+?|^$.])",
    re.ASCII,
)
_FIXED: Final = {"any": "*", "some": "?*", "one": "?", "digit": "[0-9]"}


def escaped(text: str) -> str:
    """``text`` as a pattern for itself."""
    return re.sub(r"[*?\[]", r"[\g<0>]", text)


def _parts(regex: str) -> Iterator[str | None]:
    """The pieces of patterns; ``None`` between two alternatives.

    Raises:
        ValueError: something that patterns can't say.
    """
    position = 0
    while position < len(regex):
        match = _TOKEN.match(regex, position)
        if match is None:
            raise ValueError(regex[position])
        kind, text = match.lastgroup or "", match[match.lastgroup or 0]
        if kind == "or":
            yield None
        elif kind == "set":
            yield f"[{'!' if text[0] == '^' else ''}{text.removeprefix('^')}]"
        else:
            yield _FIXED.get(kind) or escaped(text)
        position = match.end()


def globs_of(regex: str) -> tuple[str, ...] | None:
    """Patterns that together cover the names that ``regex`` matches from begin to end; ``None``: there are none."""
    alternatives = [""]
    try:
        for part in _parts(re.sub(r"(?:^|(?<=\|))\^|(?<!\\)\$(?=\||$)", "", regex)):
            if part is None:
                alternatives.append("")
            else:
                alternatives[-1] += part
        re.compile(regex)
        found = tuple(dict.fromkeys(re.sub(r"\*{2,}", "*", one) for one in alternatives))
        inside = all(one and "/" not in one and PATTERN.convert(one) == one for one in found)
    except (ValueError, InvalidValueError, re.error, RecursionError, OverflowError):
        return None
    return found if inside and "%%" not in regex else None

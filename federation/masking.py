"""Blots out of texts what must not leave a site: texts that its operator named, and what looks like a secret.

Pure. Nothing here takes a regular expression from outside, and each step looks at a character a bounded number of
times, so no text and no mask can hold a node up. Blotting out twice is the same as once.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from federation.errors import InvalidValueError

BLOT: Final = "«redacted»"
MASKS: Final = 100
MASK_CHARS: Final = 200
LEAST_CHARS: Final = 3
_LOCAL_CHARS: Final = 64
_DOMAIN_CHARS: Final = 253

Span = tuple[int, int]

_NAMES = (
    r"passwords?|passwd|passphrase|pwd|secrets?|tokens?|api[_-]?keys?|access[_-]?keys?|private[_-]?keys?|credentials?"
)
_VALUE = r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\s\"']\S*"
# None looks at what stands around it, so that a text cut into pieces by blots has no match that it did not have before;
# and none repeats what can begin in many places, but where it then always matches.
_PATTERNS: Final = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"(?i:{_NAMES})[\"']?[ \t]{{0,4}}(?:=>|[:=])[ \t]{{0,4}}(?P<hide>{_VALUE})",
        rf"(?i:pass)=(?P<hide>{_VALUE})",
        rf"--[a-z-]{{0,20}}(?i:{_NAMES})[ \t]{{1,4}}(?P<hide>{_VALUE})",
        r"(?i:authorization|cookie)[\"']?[ \t]{0,4}[:=][ \t]{0,4}(?P<hide>.+)",
        r"(?i:bearer)[ \t]{1,4}(?P<hide>[A-Za-z0-9._~+/=-]{16,})",
        r"://(?P<hide>[^\s/@\"']+)@",
        r"(?P<hide>(?:AKIA|ASIA)[A-Z0-9]{16})",
        r"(?P<hide>(?:gh[pousr]_|github_pat_|glpat-|xox[abpr]-)[A-Za-z0-9_-]{16,})",
        r"vu[ai]1:(?P<hide>[A-Za-z0-9_-]+)",
    )
)
_WORD = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_JWT_FIRST_CHARS: Final = 12
_JWT_SECOND_CHARS: Final = 8
_KEY_EDGE = re.compile(r"-----(?P<edge>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----")
_KEY_LINE = re.compile(r"\s{0,40}[A-Za-z0-9+/=]{16,100}\s{0,4}")
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
_DOMAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


def check_mask(mask: str) -> str:
    """``mask`` if it can be one: plain text in which ``*`` stands for any run of characters without white space.

    Raises:
        InvalidValueError: too short, too long, of more than one line, or part of what it would be replaced by.
    """
    literal = mask.replace("*", "")
    if len(literal) < LEAST_CHARS or len(mask) > MASK_CHARS:
        raise InvalidValueError(
            f"mask {mask[:40]!r}: between {LEAST_CHARS} and {MASK_CHARS} characters, beside any '*', can be masked"
        )
    if not mask.isprintable() or mask != mask.strip():
        raise InvalidValueError(f"mask {mask[:40]!r}: one line without white space at its ends can be masked")
    if any(char in mask for char in "«»") or any(part and part in BLOT for part in mask.split("*")):
        raise InvalidValueError(f"mask {mask[:40]!r} is part of {BLOT!r}, which stands for what is masked")
    return mask


class Masks:
    """What is blotted out."""

    def __init__(self, masks: Sequence[str], *, emails: bool = False) -> None:
        """``masks``: what the operator named; longer ones go first, so that none leaves half of another.

        Raises:
            InvalidValueError: too many, or one can't be a mask.
        """
        if len(masks) > MASKS:
            raise InvalidValueError(f"at most {MASKS} texts can be masked on a link")
        checked = sorted({check_mask(mask) for mask in masks}, key=lambda mask: (-len(mask), mask))
        self._finders: list[Callable[[str], Iterator[Span]]] = [_finder(mask) for mask in checked]
        self._finders += [_matches(pattern) for pattern in _PATTERNS]
        self._finders.append(_web_tokens)
        if emails:
            self._finders.append(_emails)

    def text(self, text: str) -> str:
        """``text`` with all that is masked blotted out."""
        return "\n".join(self.lines(text.split("\n")))

    def lines(self, lines: Iterable[str]) -> tuple[str, ...]:
        """Each of the lines of one log blotted out."""
        return tuple(map(self._line, _without_keys(list(lines))))

    def _line(self, line: str) -> str:
        for find in self._finders:
            # Between the blots only: what was blotted out before is not looked at again.
            line = BLOT.join(_blotted(piece, find(piece)) for piece in line.split(BLOT))
        return line


def _blotted(text: str, spans: Iterable[Span]) -> str:
    """``text`` with the ``spans``, which are in order and apart, blotted out."""
    kept: list[str] = []
    start = 0
    for begin, end in spans:
        kept += (text[start:begin], BLOT)
        start = end
    return "".join((*kept, text[start:]))


def _matches(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Span]]:
    def find(text: str) -> Iterator[Span]:
        for match in pattern.finditer(text):
            if match.end("hide") > match.start("hide"):
                yield match.span("hide")

    return find


def _finder(mask: str) -> Callable[[str], Iterator[Span]]:
    if "*" not in mask:
        return lambda text: _literals(text, mask)
    parts = mask.split("*")
    return lambda text: _globs(text, parts)


def _literals(text: str, literal: str) -> Iterator[Span]:
    at = text.find(literal)
    while at >= 0:
        yield at, at + len(literal)
        at = text.find(literal, at + len(literal))


def _globs(text: str, parts: Sequence[str]) -> Iterator[Span]:
    """Where the ``parts`` follow each other within one word; the outermost empty ones reach to the word's ends."""
    for word in re.finditer(r"[^\s]+", text):
        start, most = word.span()
        while span := _glob(text, parts, start, most):
            yield span
            start = span[1]


def _glob(text: str, parts: Sequence[str], start: int, most: int) -> Span | None:
    """The first place between ``start`` and ``most``: taking each part as early as it comes misses none."""
    begin, end = -1, start
    for part in filter(None, parts):
        at = text.find(part, end, most)
        if at < 0:
            return None
        begin, end = (at if begin < 0 else begin), at + len(part)
    return (begin if parts[0] else start), (end if parts[-1] else most)


def _web_tokens(text: str) -> Iterator[Span]:
    """JSON web tokens (RFC 7519): base64url of ``{"`` and more, a dot, and more of it."""
    for word in _WORD.finditer(text):
        parts = word[0].split(".")
        start = word.start()
        for part, following in itertools.pairwise(parts):
            begin = part.find("eyJ")
            if begin >= 0 and len(part) - begin >= _JWT_FIRST_CHARS and len(following) >= _JWT_SECOND_CHARS:
                yield start + begin, word.end()
                break
            start += len(part) + 1


def _emails(text: str) -> Iterator[Span]:
    """Around each ``@`` as far as the characters of an address go."""
    done = 0
    at = text.find("@")
    while at >= 0:
        begin, end = at, at + 1
        while begin > max(done, at - _LOCAL_CHARS) and text[begin - 1] in _LOCAL:
            begin -= 1
        while end < min(len(text), at + _DOMAIN_CHARS) and text[end] in _DOMAIN:
            end += 1
        if begin < at and "." in text[at + 1 : end].strip(".-"):
            yield begin, end
            done = end
        at = text.find("@", max(end, at + 1))


def _without_keys(lines: list[str]) -> list[str]:
    """``lines`` without private keys in PEM (RFC 7468), also one whose begin or end is missing."""
    kept = list(lines)
    inside = False
    for number, line in enumerate(lines):
        shown: list[str] = []
        start = 0
        for edge in _KEY_EDGE.finditer(line):
            if edge["edge"] == "END" and not inside:
                _blot_upwards(kept, number)
                shown = []
            elif not inside:
                shown.append(line[start : edge.start()])
            inside, start = edge["edge"] == "BEGIN", edge.end()
            shown.append(BLOT)
        rest = line[start:]
        kept[number] = "".join((*shown, BLOT if inside and rest else rest))
    return kept


def _blot_upwards(lines: list[str], end: int) -> None:
    """The lines before ``end`` that can be those of a key whose begin was cut off."""
    for number in range(end - 1, -1, -1):
        if not _KEY_LINE.fullmatch(lines[number]):
            return
        lines[number] = BLOT

"""The kinds of value that our TOML files share: words, paths, patterns, times, sizes, choices."""

import re
import warnings
from pathlib import PurePosixPath
from typing import Final

from federation.errors import InvalidValueError
from federation.image import checked_path
from federation.toml.mistakes import Place, nearest
from federation.toml.schema import (
    INSIDE_PATTERN,
    PATH_PATTERN,
    SIZE_PATTERN,
    SPAN_PATTERN,
    TIME_PATTERN,
    Schema,
    matching,
)
from federation.toml.shape import ListOf, MapOf, Scalar
from federation.units import read_bytes, read_seconds, read_span, write_bytes, write_seconds, write_span

WORD_CHARS: Final = 32 * 1024
WORDS: Final = 1000
VARIABLES: Final = 200
PATTERNS: Final = 1000
PATTERN_CHARS: Final = 1000
LONGEST_SECONDS: Final = 7 * 24 * 3600.0
SMALLEST_BYTES: Final = 1000
LARGEST_BYTES: Final = 2**50

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}", re.ASCII)


def word(text: str) -> str:
    """``text`` if it can be an argument of a program."""
    if "\0" in text or len(text) > WORD_CHARS:
        raise InvalidValueError(f"holds a zero character or is longer than {WORD_CHARS} characters")
    return text


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise InvalidValueError("not the name of an environment variable: letters, digits and '_', no digit first")
    return text


def relative_path(text: str) -> str:
    """``text`` as a plain path inside the tree; ``.`` is the tree itself.

    Raises:
        InvalidValueError: absolute, or ``..`` in it.
    """
    if text.startswith("/"):
        raise InvalidValueError(f"{text[:200]!r} is an absolute path: write it relative to the root")
    if ".." in PurePosixPath(text).parts:
        raise InvalidValueError(f"{text[:200]!r} leads out of the root by '..'")
    plain = str(PurePosixPath(text)) if text else ""
    return plain if plain == "." else checked_path(plain)


def pattern(text: str) -> str:
    """``text`` as a glob, or a path, of things inside the tree only.

    Raises:
        InvalidValueError: absolute, ``..`` in it, the tree itself, or too long.
    """
    if len(text) > PATTERN_CHARS:
        raise InvalidValueError(f"longer than {PATTERN_CHARS} characters")
    plain = relative_path(text)
    if plain == ".":
        raise InvalidValueError("names the root itself: write what is inside it, such as '*'")
    return plain


def _regex(text: str) -> str:
    if len(text) > PATTERN_CHARS:
        raise InvalidValueError(f"longer than {PATTERN_CHARS} characters")
    try:
        # Python warns of patterns that a later one may read otherwise, such as "[[a]": they are read as of now.
        with warnings.catch_warnings(action="ignore"):
            re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidValueError(f"{text[:80]!r} is not a regular expression: {error}") from error
    return text


def _span(text: str) -> tuple[float, float]:
    least, most = read_span(text)
    if least < 0.01 or most > LONGEST_SECONDS:
        raise InvalidValueError(f"{text!r} is not between 10ms and {write_seconds(LONGEST_SECONDS)}")
    return least, most


def _write_span(value: tuple[float, float]) -> str:
    return write_span(*value)


def _size(text: str) -> int:
    size = read_bytes(text)
    if not SMALLEST_BYTES <= size <= LARGEST_BYTES:
        raise InvalidValueError(
            f"{text!r} is not between {write_bytes(SMALLEST_BYTES)} and {write_bytes(LARGEST_BYTES)}"
        )
    return size


def one_of(what: str, *choices: str) -> Scalar:
    """One of a few words."""

    def choose(text: str) -> str:
        if text not in choices:
            raise InvalidValueError(f"unknown {what} {text[:40]!r}" + nearest(text, choices))
        return text

    return Scalar(str, "a text", choose, form={"enum": list(choices)})


def time(least: float, most: float = LONGEST_SECONDS) -> Scalar:
    """A time between two bounds, in seconds."""
    bounds = f"{write_seconds(least)} to {write_seconds(most)}"

    def read(text: str) -> float:
        seconds = read_seconds(text)
        if not least <= seconds <= most:
            raise InvalidValueError(f"{text!r} is not between {write_seconds(least)} and {write_seconds(most)}")
        return seconds

    form = matching(TIME_PATTERN) | {"description": f"A time of {bounds}."}
    return Scalar(str, 'a time in quotes, such as "30s"', read, write_seconds, form)


def whole(least: int, most: int) -> Scalar:
    """A whole number between two bounds."""

    def check(number: int) -> int:
        if not least <= number <= most:
            raise InvalidValueError(f"{number} is not between {least} and {most}")
        return number

    return Scalar(int, "a whole number", check, form={"minimum": least, "maximum": most})


class _Program(ListOf):
    """A program and its arguments."""

    __slots__ = ()

    def read(self, value: object, place: Place) -> tuple[str, ...]:
        words: tuple[str, ...] = ListOf.read(self, value, place)
        if not words[0]:
            place.refuse("the first word, the program, is empty")
        return words

    def schema(self) -> Schema:
        return ListOf.schema(self) | {"prefixItems": [self.item.schema() | {"minLength": 1}]}


_PATH_FORM: Final = matching(PATH_PATTERN)
_INSIDE_FORM: Final = matching(INSIDE_PATTERN) | {"maxLength": PATTERN_CHARS}
_SIZES: Final = f"{write_bytes(SMALLEST_BYTES)} to {write_bytes(LARGEST_BYTES)}"

TEXT: Final = Scalar(str, "a text", word, form={"maxLength": WORD_CHARS})
FLAG: Final = Scalar(bool, "true or false")
PATH: Final = Scalar(str, "a path in quotes", relative_path, form=_PATH_FORM)
PATHS: Final = ListOf(Scalar(str, "a path in quotes", pattern, form=_INSIDE_FORM), "paths", PATTERNS)
PATTERN: Final = Scalar(str, "a pattern in quotes", pattern, form=_INSIDE_FORM)
PATTERN_LIST: Final = ListOf(PATTERN, "patterns", PATTERNS)
PROGRAM: Final = _Program(TEXT, "words, the program first", WORDS, least=1)
ENVIRONMENT: Final = MapOf(_variable, TEXT, VARIABLES, matching(_VARIABLE.pattern))
REGEX: Final = Scalar(str, "a regular expression in quotes", _regex, form={"maxLength": PATTERN_CHARS})
SPAN: Final = Scalar(str, 'two times in quotes, such as "1s..5m"', _span, _write_span, matching(SPAN_PATTERN))
SIZE: Final = Scalar(
    str,
    'a size in quotes, such as "512MB"',
    _size,
    write_bytes,
    matching(SIZE_PATTERN) | {"description": f"A size of {_SIZES}."},
)

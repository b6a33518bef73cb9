"""What is wrong with a document: mistakes with their line and key, gathered so that several are told together."""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, NoReturn, TypeVar

from federation.errors import InvalidValueError
from federation.toml.lines import Path

MISTAKES_TOLD: Final = 20
"""Mistakes in one message; the rest are counted."""

_T = TypeVar("_T")
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing wrong in a document: its line (0: unknown), the dotted key it concerns, and what is wrong."""

    line: int
    key: str
    text: str

    def __str__(self) -> str:
        line = f"line {self.line}" if self.line else ""
        return ": ".join(part for part in (line, self.key, self.text) if part)


class TomlMistakesError(InvalidValueError):
    """A document has mistakes; the message tells each on its own line, in the order of the document."""

    code: ClassVar[str] = "invalid-file"

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        told = [str(mistake) for mistake in self.mistakes[:MISTAKES_TOLD]]
        more = len(self.mistakes) - len(told)
        super().__init__("\n".join([*told, f"… and {more} more"] if more else told))

    @property
    def line(self) -> int:
        """The line of the first mistake; 0 when it has none."""
        return self.mistakes[0].line


class Refused(Exception):  # noqa: N818  # a jump inside the readers, never seen outside: the mistake is already noted
    """What stands at a place could not be read."""


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in a document, and the list that mistakes are noted in."""

    path: Path = ()
    lines: Mapping[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def at(self, step: str | int) -> "Place":
        """The place of the key or item ``step`` inside this one."""
        return Place((*self.path, step), self.lines, self.mistakes)

    def note(self, text: str) -> None:
        """Note a mistake here and go on."""
        paths = (self.path[:end] for end in range(len(self.path), 0, -1))
        line = next((self.lines[path] for path in paths if path in self.lines), 0)
        self.mistakes.append(Mistake(line, dotted(self.path), text))

    def refuse(self, text: str) -> NoReturn:
        """Note a mistake here; what stands here has no value."""
        self.note(text)
        raise Refused

    def each(self, items: Iterable[tuple[str | int, Callable[["Place"], _T]]]) -> Iterator[_T]:
        """Read every item, also after one was refused; then refuse the whole if one was."""
        refused = False
        for step, read in items:
            try:
                value = read(self.at(step))
            except Refused:
                refused = True
            else:
                yield value
        if refused:
            raise Refused


def dotted(path: Path) -> str:
    """``path`` as it is written: ``services.shop.build.commands[0].run``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = step if _BARE.fullmatch(step) else json.dumps(step[:80], ensure_ascii=False)
            text += f".{plain}" if text else plain
    return text


def nearest(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'command'?"``, or the list of what is known when nothing is near."""
    names = sorted(known)
    match = difflib.get_close_matches(word[:80], names, n=1)
    return f"; did you mean '{match[0]}'?" if match else f"; known here: {', '.join(names)}"


def described(value: object) -> str:
    """What sort of TOML value this is, in words."""
    words: dict[type, str] = {
        bool: "true or false", int: "a whole number", float: "a number", str: "a text", list: "a list", dict: "a table",
    }  # fmt: skip
    return words.get(type(value), "a date or time")

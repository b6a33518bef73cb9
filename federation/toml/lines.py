"""Where the keys of a TOML document stand: the line of each, for messages that point at a mistake.

``tomllib`` gives values without positions, so the text is walked a second time for them. The walk trusts the text to be
valid TOML and stops without a word where it is not: ``tomllib`` says what is wrong with it. It does refuse what is
nested too deep, and so is made *before* the parse, whose cost grows with the square of a key's depth.
"""

import re
import tomllib
from typing import Final

from federation.errors import OversizedError

Path = tuple[str | int, ...]
"""Keys, and positions in arrays from 0 on: ``("services", "shop", "build", "commands", 0, "run")``."""

DEPTH: Final = 16
"""Levels of tables and arrays; the formats read here have seven."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SCALAR = re.compile(r"[^,\]}\n#]*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}' r"|'''(?:[^']|'(?!''))*'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'",
    re.DOTALL,
)


class _End(Exception):  # noqa: N818  # not an error: the walk is over
    """The text ends, or is no TOML from here on."""


class _Walk:
    """One walk through a text, noting the line of each key."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._newlines = 0
        self._counted = 0
        self._rows: dict[Path, int] = {}

    def line(self) -> int:
        self._newlines += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._newlines + 1

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _End
        self.at = match.end()
        return match[0]

    def skip(self, token: str) -> bool:
        found = self.text.startswith(token, self.at)
        self.at += len(token) * found
        return found

    def note(self, path: Path, line: int) -> None:
        if len(path) > DEPTH:
            raise OversizedError(f"line {line}: nested deeper than {DEPTH} levels")
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self.take(_SPACE)
            parts.append(self.key_part())
            if len(parts) > DEPTH:
                raise OversizedError(f"line {self.line()}: a key of more than {DEPTH} parts")
            self.take(_SPACE)
            if not self.skip("."):
                return parts

    def key_part(self) -> str:
        if self.text[self.at : self.at + 1] not in ('"', "'"):
            return self.take(_BARE)
        try:
            value = tomllib.loads(f"x = {self.take(_STRING)}")["x"]
        except tomllib.TOMLDecodeError as error:
            raise _End from error
        return str(value)

    def statement(self, table: Path) -> Path:
        """Take one statement; return the table that the next one belongs to."""
        line = self.line()
        if self.skip("[["):
            path = self.under(tuple(self.key()))
            row = self._rows[path] = self._rows.get(path, -1) + 1
            table = (*path, row)
            self.note(table, line)
            self.take(re.compile(r"\]\]"))
        elif self.skip("["):
            table = self.under(tuple(self.key()))
            self.note(table, line)
            self.take(re.compile(r"\]"))
        else:
            self.pair(table)
        return table

    def under(self, header: tuple[str, ...]) -> Path:
        """The path of a table header: below an array of tables it means the array's last row."""
        path: Path = ()
        for part in header[:-1]:
            path = (*path, part)
            path = (*path, self._rows[path]) if path in self._rows else path
        return (*path, header[-1])

    def pair(self, table: Path) -> None:
        line = self.line()
        path = (*table, *self.key())
        self.note(path, line)
        self.take(re.compile("="))
        self.take(_SPACE)
        self.value(path)

    def value(self, path: Path) -> None:
        if self.skip("["):
            self.array(path)
        elif self.skip("{"):
            self.inline_table(path)
        elif self.text[self.at : self.at + 1] in ('"', "'"):
            self.take(_STRING)
        else:
            self.take(_SCALAR)

    def array(self, path: Path) -> None:
        row = 0
        self.take(_BLANK)
        while not self.skip("]"):
            self.note((*path, row), self.line())
            self.value((*path, row))
            row += 1
            self.take(_BLANK)
            if not self.skip(",") and not self.text.startswith("]", self.at):
                raise _End
            self.take(_BLANK)

    def inline_table(self, path: Path) -> None:
        self.take(_BLANK)
        while not self.skip("}"):
            self.pair(path)
            self.take(_BLANK)
            if not self.skip(",") and not self.text.startswith("}", self.at):
                raise _End
            self.take(_BLANK)


def key_lines(text: str) -> dict[Path, int]:
    """The line, from 1 on, of each key and array item of the TOML document ``text``, as far as it is one.

    Raises:
        OversizedError: keys or values are nested deeper than ``DEPTH``.
    """
    walk = _Walk(text)
    table: Path = ()
    try:
        walk.take(_BLANK)
        while walk.at < len(text):
            table = walk.statement(table)
            walk.take(_SPACE)
            walk.take(_BLANK)
    except _End:
        pass
    return walk.lines

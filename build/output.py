"""The output of a command as log lines: bounded in length and number, readable as text. Pure."""

import re
from typing import Final

LINE_CHARS: Final = 2000
LINES: Final = 20_000
TAIL_BYTES: Final = 1024 * 1024

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def plain_line(raw: bytes) -> str:
    """One line for a log: no colours or other control characters, of a progress line its last state, not too long."""
    text = _ESCAPE.sub("", raw.decode(errors="replace").rstrip("\r\n"))
    text = _CONTROL.sub("�", text.rpartition("\r")[2])
    return text if len(text) <= LINE_CHARS else f"{text[:LINE_CHARS]}… ({len(text) - LINE_CHARS} characters more)"


class Output:
    """Takes a command's output in pieces of any size, gives log lines, keeps its last part for a look at the end."""

    def __init__(self, lines: int = LINES) -> None:
        self._left = lines
        self._cut = False
        self._line = bytearray()
        self._tail = bytearray()

    def feed(self, piece: bytes) -> list[str]:
        """The log lines that ``piece`` completes."""
        self._tail += piece
        del self._tail[:-TAIL_BYTES]
        *whole, rest = piece.split(b"\n")
        found = []
        for part in whole:
            found.append(bytes(self._line) + part)
            self._line.clear()
        room = LINE_CHARS * 8 - len(self._line)
        self._line += rest[: max(0, room)]
        return self._bounded(found)

    def finish(self) -> list[str]:
        """The log line of an end without a line break."""
        found = [bytes(self._line)] if self._line else []
        self._line.clear()
        return self._bounded(found)

    @property
    def tail(self) -> str:
        """The last part of the output as text."""
        return self._tail.decode(errors="replace")

    def _bounded(self, lines: list[bytes]) -> list[str]:
        told = [plain_line(line) for line in lines[: self._left]]
        over = len(lines) > self._left
        self._left -= len(told)
        if over and not self._cut:
            self._cut = True
            told.append("… further output of this command is left out of the log")
        return told

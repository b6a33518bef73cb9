"""Looks whether a run has written the line by which its service says that it is ready (``health.log``).

Said once is said for the whole run, also to the next agent, which may find that line rotated away.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent import patterns
from agent.records import Line, parse_line
from agent.shimlog import segments
from agent.threads import unbroken
from federation import limits
from federation.errors import InvalidValueError

_READ_BYTES: Final = 1 * limits.MIB
_SEEN: Final = ".announced"
_SAID_CHARS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What a service wrote, and where the next part begins: in which file, at which byte."""

    text: bytes = b""
    file: str = ""
    offset: int = 0


class Announced:
    """The line that ``pattern`` matches, among what the run logged in ``folder`` wrote."""

    def __init__(self, folder: Path, pattern: str) -> None:
        self._folder = folder
        self._pattern = pattern
        self._looked = _Part()

    async def problem(self) -> str:
        """What is missing; empty: the line was written.

        Raises:
            TimeoutError: the pattern takes too long to look for.
        """
        seen = self._folder / _SEEN
        if await unbroken(seen.exists):
            return ""
        while (part := await unbroken(_next_part, self._folder, self._looked)).text:
            if await patterns.is_found(self._pattern, part.text):
                await unbroken(seen.touch)
                return ""
            # Not before: a look that is cut off is done again.
            self._looked = part
        return f"no line of its output matches {self._pattern[:_SAID_CHARS]!r}"


def _next_part(folder: Path, looked: _Part) -> _Part:
    """The next lines that the service wrote itself, at most about ``_READ_BYTES``; none: no more for now."""
    for path in segments(folder):
        if path.name >= looked.file:
            offset = looked.offset if path.name == looked.file else 0
            while content := _whole_lines(path, offset):
                offset += len(content)
                if text := _written(content):
                    return _Part(text=text, file=path.name, offset=offset)
    return _Part()


def _whole_lines(path: Path, offset: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(offset)
        content = stream.read(_READ_BYTES)
    return content[: content.rfind(b"\n") + 1]


def _written(content: bytes) -> bytes:
    lines = [line.text for part in content.split(b"\n")[:-1] if (line := _line(part)) is not None]
    return "".join(f"{text}\n" for text in lines).encode()


def _line(content: bytes) -> Line | None:
    try:
        line = parse_line(content)
    except InvalidValueError:
        return None
    return None if line.stream == "v" else line

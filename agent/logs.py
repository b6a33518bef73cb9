"""Reads the log files of a service's runs: on from a position, or the last lines of one run.

A position names a run, a file of it, an offset and the number of the next record. Runs and files are never renamed, so
a position stays good for as long as its file is kept; what was removed before it was read is said in a line.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.records import Line, parse_line
from agent.shimlog import segment_name, segments
from federation.errors import InvalidValueError
from federation.servicefile import LOG_FORMATS

_TAIL_BYTES: Final = 8 * 1024 * 1024
_PART_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where reading goes on. ``segment`` 0: at the beginning of the run."""

    run: str = ""
    segment: int = 0
    offset: int = 0
    sequence: int = 1


BEGINNING: Final = Position()
_KEPT_HERE: Final = ".kept-here"
_FORM: Final = ".format"


def keep_here(folder: Path) -> None:
    """Mark the logs of the run in ``folder`` as not for the node."""
    (folder / _KEPT_HERE).touch()


def keep_form(folder: Path, form: str) -> None:
    """Keep beside the logs of the run in ``folder`` how its service logs."""
    (folder / _FORM).write_text(form, "ascii")


def form_of(folder: Path) -> str:
    """How the service of the run logged in ``folder`` logs; what is not known is found line by line."""
    try:
        form = (folder / _FORM).read_text("ascii", errors="replace")
    except OSError:
        return "auto"
    return form if form in LOG_FORMATS else "auto"


def runs(folder: Path) -> list[str]:
    """The runs that have logs in ``folder``, oldest first: their ids begin with their numbers."""
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _lines(content: bytes) -> list[Line]:
    found = []
    for line in content.split(b"\n")[:-1]:
        try:
            found.append(parse_line(line))
        except InvalidValueError:
            continue
    return found


def _whole_lines(path: Path, offset: int, most_bytes: int) -> bytes:
    """The lines of ``path`` from ``offset`` that have their ends, of at most about ``most_bytes``."""
    with path.open("rb") as stream:
        stream.seek(offset)
        content = stream.read(most_bytes)
        if content and b"\n" not in content:
            content += stream.readline()
    return content[: content.rfind(b"\n") + 1]


def _gap(first: Line, count: int) -> Line:
    return Line(first.time, "v", f"{count} log files were removed here before they could be sent")


def _in_run(folder: Path, position: Position, most_bytes: int) -> tuple[list[Line], Position]:
    """The next lines inside one run, none when it is read to its present end."""
    numbers = [int(path.stem) for path in segments(folder)]
    for number in (number for number in numbers if number >= position.segment):
        offset = position.offset if number == position.segment else 0
        content = _whole_lines(folder / segment_name(number), offset, most_bytes)
        if content:
            lines = _lines(content)
            missed = number - position.segment - 1
            if missed > 0 and lines:
                lines = [_gap(lines[0], missed), *lines]
            return lines, replace(position, segment=number, offset=offset + len(content))
    return [], position


def read_on(folder: Path, position: Position, most_bytes: int) -> tuple[list[Line], Position, Position]:
    """The next lines after ``position`` of at most about ``most_bytes``, all of one run, where they begin and end."""
    for run in runs(folder):
        if run < position.run or (folder / run / _KEPT_HERE).exists():
            continue
        start = position if run == position.run else Position(run=run)
        lines, end = _in_run(folder / run, start, most_bytes)
        if lines:
            return lines, start, end
        if end != start:
            # Only damaged lines were there.
            position = end
    return [], position, position


def read_between(folder: Path, start: Position, end: Position) -> list[Line]:
    """The lines of a batch whose bounds are known, as ``read_on`` gave them."""
    path = folder / end.run / segment_name(end.segment)
    offset = start.offset if start.segment == end.segment else 0
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            return _lines(stream.read(end.offset - offset))
    except FileNotFoundError:
        return []


def kept_lines(folder: Path) -> Iterator[Line]:
    """All lines that are kept of the run logged in ``folder``, oldest first, a part at a time. Blocking."""
    position = BEGINNING
    while True:
        lines, following = _in_run(folder, position, _PART_BYTES)
        yield from lines
        if following == position:
            return
        position = following


def last_lines(folder: Path, count: int) -> list[Line]:
    """The last ``count`` lines of the run logged in ``folder``."""
    content = b""
    for path in reversed(segments(folder)):
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - (_TAIL_BYTES - len(content))))
            content = stream.read() + content
        if content.count(b"\n") > count or len(content) >= _TAIL_BYTES:
            break
    return _lines(content)[-count:]

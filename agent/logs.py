"""Reads the log files of a service's runs: on from a position, or the last lines of one run.

A position names a run, a file of it, an offset and the number of the next record. Runs and files are never renamed, so
a position stays good for as long as its file is kept; what was removed before it was read is said in a line.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from agent.records import Line, boundaries, join_pieces, open_since, parse_line
from agent.shimlog import segments
from federation.errors import InvalidValueError
from federation.servicefile import LOG_FORMATS

_TAIL_BYTES: Final = 8 * 1024 * 1024
_RAW_BYTES: Final = 64 * 1024 * 1024
"""So much of a line without an end is looked through for one batch."""
_PIECE_COST: Final = 100


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
    return [line for line in map(_line, content.split(b"\n")[:-1]) if line is not None]


def _gap(first: Line, count: int) -> Line:
    return Line(first.time, "v", f"{count} log files, or what was left to send of them, were removed here")


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line, ``None`` for a damaged one, and the file and offset where reading goes on after it."""

    line: Line | None
    end: tuple[int, int]
    bytes: int


def _placed(folder: Path, position: Position) -> Iterator[_Placed]:
    """The lines with their ends that are there of one run after ``position``."""
    before, is_read = position.segment, position.segment == 0
    for path in segments(folder):
        number = int(path.stem)
        if number < before:
            continue
        with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
            offset = position.offset if number == position.segment else 0
            # A file that was begun and is gone had perhaps more to send.
            missed = 0 if number == before else number - before - is_read
            before, is_read = number, True
            for one in _of_file(stream, number, offset):
                if missed > 0 and one.line is not None:
                    yield _Placed(_gap(one.line, missed), (number, one.end[1] - one.bytes), 0)
                    missed = 0
                yield one


def _of_file(stream: BinaryIO, number: int, offset: int) -> Iterator[_Placed]:
    stream.seek(offset)
    for content in stream:
        if not content.endswith(b"\n"):
            return
        offset += len(content)
        yield _Placed(_line(content), (number, offset), len(content))


def _line(content: bytes) -> Line | None:
    try:
        return parse_line(content.removesuffix(b"\n"))
    except InvalidValueError:
        return None


def _counted(one: _Placed) -> _Placed:
    """``one``, without its text where it is a further piece of a line."""
    if one.line is None or not one.line.goes_on:
        return one
    return _Placed(replace(one.line, text=""), one.end, _PIECE_COST)


def _window(folder: Path, position: Position, most_bytes: int) -> tuple[list[_Placed], bool]:
    """The lines that a batch is chosen from, and whether more stand behind them.

    Further pieces of a long line are counted only, so they cost no memory and hardly any of ``most_bytes``.
    """
    found: list[_Placed] = []
    room, raw = most_bytes + most_bytes // 2, _RAW_BYTES
    for one in _placed(folder, position):
        if found and (room <= 0 or raw <= 0):
            return found, True
        raw -= one.bytes
        found.append(_counted(one))
        room -= found[-1].bytes
    return found, False


def _within(window: list[_Placed], most_bytes: int) -> int:
    """How many of the lines of ``window`` stay within ``most_bytes``, at least one."""
    count = size = 0
    for one in window:
        size += one.bytes
        if count and size > most_bytes:
            break
        count += 1
    return count


def _ends(window: list[_Placed], *, is_more: bool, waits: Callable[[Line], bool]) -> list[int]:
    """After how many lines of ``window`` a batch of whole records can end."""
    numbers = [number for number, one in enumerate(window) if one.line is not None]
    lines = [one.line for one in window if one.line is not None]
    starts = [numbers[at] for at in boundaries(lines) if at]
    if is_more:
        return starts
    open_at = open_since(lines)
    if open_at < len(lines) and waits(lines[open_at]):
        return [at for at in starts if at <= numbers[open_at]]
    return [*starts, len(window)]


def _cut(window: list[_Placed], most_bytes: int, *, is_more: bool, waits: Callable[[Line], bool]) -> int:
    """How many lines of ``window`` make the next batch: whole records where one ends within reach; 0: wait."""
    within = _within(window, most_bytes)
    ends = _ends(window, is_more=is_more, waits=waits)
    if not ends and within == len(window) and not is_more:
        return 0
    return max((at for at in ends if at <= within), default=min(ends, default=within))


def _after(start: Position, last: _Placed) -> Position:
    segment, offset = last.end
    return replace(start, segment=segment, offset=offset)


def read_on(
    folder: Path, position: Position, most_bytes: int, *, waits: Callable[[Line], bool] = lambda _: False
) -> tuple[list[Line], Position, Position]:
    """The next lines after ``position`` of about ``most_bytes``, all of one run, where they begin and end.

    They end with a whole record if one ends within one and a half times ``most_bytes``. ``waits`` says of the first
    line of a record that looks unfinished at the end of what is there whether the rest is to be waited for.
    """
    for run in runs(folder):
        if run < position.run or (folder / run / _KEPT_HERE).exists():
            continue
        start = position if run == position.run else Position(run=run)
        window, is_more = _window(folder / run, start, most_bytes)
        count = _cut(window, most_bytes, is_more=is_more, waits=waits) if window else 0
        lines = [one.line for one in window[:count] if one.line is not None]
        if lines:
            return lines, start, _after(start, window[count - 1])
        if count:
            # Only damaged lines were there.
            position = _after(start, window[count - 1])
        elif window:
            break
    return [], position, position


def read_between(folder: Path, start: Position, end: Position) -> list[Line]:
    """The lines of a batch whose bounds are known, as ``read_on`` gave them."""
    found = []
    for one in map(_counted, _placed(folder / end.run, start)):
        if one.end > (end.segment, end.offset):
            break
        if one.line is not None:
            found.append(one.line)
    return found


def kept_lines(folder: Path) -> Iterator[Line]:
    """All lines that are kept of the run logged in ``folder``, oldest first, long ones in their pieces. Blocking."""
    return (one.line for one in _placed(folder, BEGINNING) if one.line is not None)


def last_lines(folder: Path, count: int) -> list[Line]:
    """The last ``count`` lines of the run logged in ``folder``; of a long one its first piece, and what is left out."""
    content = b""
    for path in reversed(segments(folder)):
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - (_TAIL_BYTES - len(content))))
            content = stream.read() + content
        if content.count(b"\n") > count or len(content) >= _TAIL_BYTES:
            break
    return join_pieces(_lines(content))[-count:]

"""Turns lines of output into log records: times, levels, and stack traces kept in one piece. Pure.

Deterministic over its lines, so that the same lines sent twice are the same records.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from agent.logformats import LEVELS, Localise, local_time, read_line
from federation import limits
from federation.clock import from_text
from federation.errors import InvalidValueError
from federation.log import Level, LogRecord

_HEAD_CHARS: Final = 200
_LEVEL: Final = re.compile(r"\b(" + "|".join(LEVELS) + r")\b")
_TRACEBACK: Final = "Traceback (most recent call last):"
_CHAINED: Final = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_FOLLOWS: Final = re.compile(r"\s|Caused by: |\.\.\. \d+ more")
_GO: Final = re.compile(r"panic: |fatal error: |goroutine \d+ \[")
_GO_FOLLOWS: Final = re.compile(
    r"\s|$|panic: |goroutine \d+ \[|created by |\[signal |exit status \d+$|[\w./*()\[\]{}\N{MIDDLE DOT}-]+\(.*\)$"
)
_THROWN: Final = re.compile(
    r"(?:Exception in thread \"[^\"]*\" |Uncaught )?(?:[\w$]+\.)*[\w$]*(?:Error|Exception|Throwable)\b.*", re.DOTALL
)
_FRAME: Final = re.compile(r"\s+at \S")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the shim wrote it; ``stream`` is ``o``, ``e`` or ``v``.

    ``goes_on``: a further piece of the line before it in its stream. ``beyond``: how many bytes of the line are not in
    ``text``.
    """

    time: datetime
    stream: str
    text: str
    goes_on: bool = False
    beyond: int = 0


def parse_line(content: bytes) -> Line:
    """The line that the shim wrote as ``content`` (without its line end).

    Raises:
        InvalidValueError: damaged, for instance cut in two by a full disk.
    """
    time, _, rest = content.decode("utf-8", "replace").partition(" ")
    stream, blank, text = rest.partition(" ")
    goes_on = stream in ("o+", "e+")
    if not blank or not (goes_on or stream in ("o", "e", "v")):
        raise InvalidValueError("not a line of a shim")
    try:
        return Line(from_text(time), stream[0], text.rstrip("\r"), goes_on, _piece_bytes(content) if goes_on else 0)
    except ValueError as error:
        raise InvalidValueError("not a line of a shim") from error


def _piece_bytes(content: bytes) -> int:
    return len(content.split(b" ", 2)[2])


class _Trace:
    """Whether a line goes on with the record before it in its stream."""

    def __init__(self) -> None:
        self._open = False
        self._is_go = False

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way, so that only the record before has a say."""
        return not (self._open or self._is_go)

    def takes(self, text: str, before: Line | None) -> bool:
        """Whether ``text`` belongs to ``before``, the record so far."""
        if self._is_go and before is not None and _GO_FOLLOWS.match(text[:_HEAD_CHARS]):
            return True
        self._is_go = _GO.match(text) is not None
        was_open, indented = self._open, text[:1] in (" ", "\t")
        if text.startswith(_TRACEBACK):
            self._open = True
            # What logged the exception stands before the trace; a line about something else does not.
            return was_open or (before is not None and _level(before.text) in (Level.ERROR, Level.FATAL))
        if text.startswith(_CHAINED):
            self._open = True
            return before is not None
        if not text:
            # What chains a trace to the next one comes after an empty line.
            return before is not None and _TRACEBACK in before.text
        # The first line that is not indented names the exception and ends the trace.
        self._open = was_open and indented
        return before is not None and (was_open or (bool(text.strip()) and _FOLLOWS.match(text) is not None))


def _level(message: str) -> Level:
    if _TRACEBACK in message:
        return Level.ERROR
    found = _LEVEL.search(message, 0, _HEAD_CHARS)
    return LEVELS[found[1]] if found else Level.INFO


def _record(sequence: int, line: Line, form: str, localise: Localise) -> LogRecord:
    if line.stream == "v":
        return LogRecord(sequence=sequence, time=line.time, level=Level.WARNING, message=line.text, unit="vupdate")
    head, broken, below = line.text.partition("\n")
    parsed = read_line(head, form, line.time, localise)
    if parsed is None:
        return LogRecord(sequence=sequence, time=line.time, level=_level(line.text), message=line.text)
    message = (parsed.message + broken + below)[: limits.LOG_MESSAGE_CHARS]
    return LogRecord(
        sequence=sequence,
        time=parsed.time or line.time,
        level=parsed.level or _level(message),
        message=message,
        unit=parsed.unit,
    )


def _extended(before: Line, line: Line) -> Line:
    if line.goes_on:
        return replace(before, beyond=before.beyond + line.beyond)
    return replace(before, text=f"{before.text}\n{line.text}"[: limits.LOG_MESSAGE_CHARS])


def _told(line: Line) -> Line:
    """``line`` with a word about what is not in it."""
    if not line.beyond:
        return line
    begun = "…" if line.text else "a line goes on here:"
    note = f"{begun} ({line.beyond} bytes more are only in the log file on the instance)"
    return replace(line, text=line.text[: limits.LOG_MESSAGE_CHARS - len(note) - 1] + " " * bool(line.text) + note)


def join_pieces(lines: Iterable[Line]) -> list[Line]:
    """``lines`` without further pieces of long ones, which say instead how much is left out."""
    found: list[Line] = []
    latest: dict[str, int] = {}
    for line in lines:
        if line.goes_on and line.stream in latest:
            found[latest[line.stream]] = _extended(found[latest[line.stream]], line)
        else:
            latest[line.stream] = len(found)
            found.append(replace(line, text="") if line.goes_on else line)
    return [_told(line) for line in found]


@dataclass(frozen=True, slots=True)
class _Span:
    """The lines of one record: the first and the last of them, by number, and their text so far."""

    first: int
    last: int
    line: Line


def _begin(number: int, line: Line) -> _Span:
    if line.goes_on:
        line = replace(line, text="")
    elif len(line.text) > limits.LOG_MESSAGE_CHARS:
        line = replace(line, text=line.text[: limits.LOG_MESSAGE_CHARS])
    return _Span(number, number, line)


def _spans(lines: Iterable[Line]) -> list[_Span]:
    """The records in ``lines`` by their first lines; streams may alternate inside a record."""
    found: list[_Span] = []
    traces: dict[str, _Trace] = {}
    latest: dict[str, int] = {}
    for number, line in enumerate(lines):
        at = latest.get(line.stream)
        before = None if at is None else found[at].line
        trace = traces.get(line.stream) or traces.setdefault(line.stream, _Trace())
        was_quiet = trace.is_quiet
        takes = before is not None if line.goes_on else trace.takes(line.text, before)
        if takes and at is not None:
            found[at] = _Span(found[at].first, number, _extended(found[at].line, line))
            continue
        latest[line.stream] = len(found)
        found.append(_begin(number, line))
        if not was_quiet:
            # What began before has no say in what goes on with this line, so records can be cut apart here.
            traces[line.stream] = _Trace()
            traces[line.stream].takes(line.text, None)
    return found


def boundaries(lines: Iterable[Line]) -> list[int]:
    """The numbers of the lines before which no record is open, so that a batch may begin there."""
    found, reached = [], -1
    for span in _spans(lines):
        if span.first > reached:
            found.append(span.first)
        reached = max(reached, span.last)
    return found


def open_since(lines: Sequence[Line]) -> int:
    """Where the records begin that look as if they were not whole yet; the number of ``lines`` where none does."""
    ends: dict[str, _Span] = {span.line.stream: span for span in _spans(lines)}
    return min((span.first for span in ends.values() if _is_unfinished(span)), default=len(lines))


def _is_unfinished(span: _Span) -> bool:
    if span.line.stream == "v":
        return False
    head = span.line.text[:_HEAD_CHARS]
    if 4 * len(span.line.text) >= limits.LOG_MESSAGE_CHARS:
        return True  # perhaps the first piece of a long line: a character has at most four bytes
    return span.first != span.last or bool(_TRACEBACK in head or _GO.match(head) or _THROWN.match(head))


def to_records(
    lines: Iterable[Line], first_sequence: int, *, form: str = "auto", localise: Localise = local_time
) -> tuple[LogRecord, ...]:
    """``lines`` as records numbered from ``first_sequence``; streams may alternate inside a trace.

    ``form``: how the recipe says the service logs; ``localise`` gives a time without a zone that of this machine.
    """
    spans = enumerate(_spans(lines), first_sequence)
    return tuple(_record(sequence, _told(span.line), form, localise) for sequence, span in spans)


def exception_line(lines: Iterable[str]) -> str:
    """The line that names the exception of the last stack trace in ``lines``; empty: there is none.

    Known are the traces of Python, the JVM, Node.js and Go.
    """
    found, before, in_python = "", "", False
    for text in lines:
        if text.startswith(_TRACEBACK):
            in_python = True
        elif in_python and text[:1] not in (" ", "\t", ""):
            found, in_python = text, False
        elif text.startswith(("panic: ", "fatal error: ")) or (
            _FRAME.match(text) and _THROWN.match(before[:_HEAD_CHARS])
        ):
            found = before if text[:1].isspace() else text
        before = text
    return found


def stack_trace(lines: Iterable[Line]) -> tuple[str, ...]:
    """The lines of the last record that holds a stack trace, as the service wrote them; none: there is no trace."""
    for record in reversed(to_records(lines, 1, form="plain")):
        found = tuple(record.message.split("\n"))
        if exception_line(found):
            return found
    return ()

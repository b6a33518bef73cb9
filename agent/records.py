"""Turns lines of output into log records: times, levels, and stack traces kept in one piece. Pure.

Deterministic over its lines, so that the same lines sent twice are the same records.
"""

import re
from collections.abc import Iterable
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
    """One line as the shim wrote it; ``stream`` is ``o``, ``e`` or ``v``."""

    time: datetime
    stream: str
    text: str


def parse_line(content: bytes) -> Line:
    """The line that the shim wrote as ``content`` (without its line end).

    Raises:
        InvalidValueError: damaged, for instance cut in two by a full disk.
    """
    time, _, rest = content.decode("utf-8", "replace").partition(" ")
    stream, blank, text = rest.partition(" ")
    if stream not in ("o", "e", "v") or not blank:
        raise InvalidValueError("not a line of a shim")
    try:
        return Line(from_text(time), stream, text.rstrip("\r"))
    except ValueError as error:
        raise InvalidValueError("not a line of a shim") from error


class _Trace:
    """Whether a line goes on with the record before it in its stream."""

    def __init__(self) -> None:
        self._open = False
        self._is_go = False

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


def _joined(before: Line, text: str) -> Line:
    return replace(before, text=f"{before.text}\n{text}"[: limits.LOG_MESSAGE_CHARS])


def to_records(
    lines: Iterable[Line], first_sequence: int, *, form: str = "auto", localise: Localise = local_time
) -> tuple[LogRecord, ...]:
    """``lines`` as records numbered from ``first_sequence``; streams may alternate inside a trace.

    ``form``: how the recipe says the service logs; ``localise`` gives a time without a zone that of this machine.
    """
    joined: list[Line] = []
    traces: dict[str, _Trace] = {}
    last: dict[str, int] = {}
    for line in lines:
        at = last.get(line.stream)
        before = None if at is None else joined[at]
        takes = traces.setdefault(line.stream, _Trace()).takes(line.text, before)
        if takes and at is not None:
            joined[at] = _joined(joined[at], line.text)
        else:
            last[line.stream] = len(joined)
            joined.append(replace(line, text=line.text[: limits.LOG_MESSAGE_CHARS]))
    return tuple(_record(first_sequence + offset, line, form, localise) for offset, line in enumerate(joined))


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

"""Turns lines of output into log records: times, levels, and stack traces kept in one piece. Pure.

Deterministic over its lines, so that the same lines sent twice are the same records.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import msgspec

from federation import limits
from federation.clock import from_text
from federation.errors import InvalidValueError
from federation.log import Level, LogRecord

_HEAD_CHARS: Final = 200
_WORDS: Final = {
    "TRACE": Level.TRACE, "DEBUG": Level.DEBUG, "INFO": Level.INFO, "NOTICE": Level.INFO, "WARN": Level.WARNING,
    "WARNING": Level.WARNING, "ERROR": Level.ERROR, "SEVERE": Level.ERROR, "ERR": Level.ERROR,
    "FATAL": Level.FATAL, "CRITICAL": Level.FATAL, "PANIC": Level.FATAL,
}  # fmt: skip
_LEVEL: Final = re.compile(r"\b(" + "|".join(_WORDS) + r")\b")
_TRACEBACK: Final = "Traceback (most recent call last):"
_CHAINED: Final = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_FOLLOWS: Final = re.compile(r"\s|Caused by: |\.\.\. \d+ more")


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

    def takes(self, text: str, before: Line | None) -> bool:
        """Whether ``text`` belongs to ``before``, the record so far."""
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
    return _WORDS[found[1]] if found else Level.INFO


def _from_json(message: str) -> tuple[Level, str, str] | None:
    """Level, unit and message of a line of JSON."""
    if not message.startswith("{"):
        return None
    try:
        fields = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError):
        return None
    text = fields.get("message", fields.get("msg", fields.get("event")))
    if not isinstance(text, str):
        return None
    level = str(fields.get("level", fields.get("severity", "info"))).upper()
    unit = fields.get("logger", fields.get("unit", ""))
    return _WORDS.get(level, Level.INFO), unit[: limits.LOG_UNIT_CHARS] if isinstance(unit, str) else "", text


def _record(sequence: int, line: Line) -> LogRecord:
    parsed = _from_json(line.text)
    if parsed is None or line.stream == "v":
        level = Level.WARNING if line.stream == "v" else _level(line.text)
        unit = "vupdate" if line.stream == "v" else ""
        return LogRecord(sequence=sequence, time=line.time, level=level, message=line.text, unit=unit)
    level, unit, text = parsed
    return LogRecord(sequence=sequence, time=line.time, level=level, message=text, unit=unit)


def _joined(before: Line, text: str) -> Line:
    return replace(before, text=f"{before.text}\n{text}"[: limits.LOG_MESSAGE_CHARS])


def to_records(lines: Iterable[Line], first_sequence: int) -> tuple[LogRecord, ...]:
    """``lines`` as records numbered from ``first_sequence``; streams may alternate inside a trace."""
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
    return tuple(_record(first_sequence + offset, line) for offset, line in enumerate(joined))


def exception_line(lines: Iterable[str]) -> str:
    """The line that names the exception of the last Python stack trace in ``lines``; empty: there is none."""
    found = ""
    open_ = False
    for text in lines:
        if text.startswith(_TRACEBACK):
            open_ = True
        elif open_ and text[:1] not in (" ", "\t", ""):
            found, open_ = text, False
    return found

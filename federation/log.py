"""A log record and a batch of them, as they travel from an agent to its node."""

import enum
from dataclasses import dataclass

from federation import limits
from federation.codec import Moment
from federation.errors import InvalidValueError, OversizedError
from federation.names import ServiceKey


class Level(enum.Enum):
    """Severity, least first."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One record; a stack trace is one record. ``sequence`` counts from 1 within its stream and never repeats."""

    sequence: int
    time: Moment
    level: Level
    message: str
    unit: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.sequence <= limits.SERIAL:
            raise InvalidValueError("a log record's sequence number counts from 1")
        if len(self.message) > limits.LOG_MESSAGE_CHARS or len(self.unit) > limits.LOG_UNIT_CHARS:
            raise OversizedError(f"a log message has at most {limits.LOG_MESSAGE_CHARS} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """Consecutive records of one stream: one service run by one process (``run`` names the start of it)."""

    service: ServiceKey
    run: str
    records: tuple[LogRecord, ...]

    def __post_init__(self) -> None:
        if len(self.records) > limits.LOG_BATCH_RECORDS:
            raise OversizedError(f"a log batch has at most {limits.LOG_BATCH_RECORDS} records")

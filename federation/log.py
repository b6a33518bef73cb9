"""A log record and a batch of them, as they travel from an agent to its node."""

import enum
from dataclasses import dataclass

from federation import limits
from federation.codec import Moment
from federation.errors import OversizedError
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """Consecutive records of one stream: one service run by one process (``run`` names the start of it)."""

    service: ServiceKey
    run: str
    records: tuple[LogRecord, ...]

    def __post_init__(self) -> None:
        if len(self.records) > limits.LOG_BATCH_RECORDS:
            raise OversizedError(f"a log batch has at most {limits.LOG_BATCH_RECORDS} records")

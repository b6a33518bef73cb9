"""What is asked of the log store and what it answers."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from federation.errors import InvalidValueError
from federation.log import Level, LogRecord
from federation.names import InstanceName, RoleName, ServiceName

SEARCH_LIMIT: Final = 10_000
SEARCH_TEXT_CHARS: Final = 1000
MOST_SEQUENCE: Final = 10**15

_MARK = re.compile(r"[A-Za-z0-9_.:+@-]{0,100}", re.ASCII)


def _check_mark(what: str, mark: str) -> None:
    if not _MARK.fullmatch(mark):
        raise InvalidValueError(f"{mark[:40]!r} is not the name of a {what}: at most 100 letters, digits and _.:+@-")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamKey:
    """What wrote: a ``run`` of a service (in a role, on an instance), or a task of the node. Numbers its records."""

    service: ServiceName | None = None
    role: RoleName | None = None
    instance: InstanceName | None = None
    run: str = ""
    task: str = ""

    def __post_init__(self) -> None:
        _check_mark("run", self.run)
        _check_mark("task", self.task)
        if bool(self.task) == bool(self.service):
            raise InvalidValueError("a log is written by a service or by a task")

    @property
    def text(self) -> str:
        """One spelling; no stream's is the beginning of another's followed by ``#``."""
        parts = (self.service, self.role, self.instance, self.run, self.task)
        return "/".join(part or "" for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRecord:
    """A record and what wrote it."""

    stream: StreamKey
    record: LogRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Records that meet all that is given.

    ``task``: the task whose log it is; empty: logs of services. ``level``: that or more severe; ``levels``: one of
    these. ``since`` is included, ``until`` is not. ``text`` stands somewhere in the message, in any case unless
    ``match_case``. At most ``limit`` records: the newest, newest first, or else the oldest, oldest first. With
    ``after_sequence`` the order is by stream, then by sequence number, upwards: what follows of a stream.
    """

    service: ServiceName | None = None
    role: RoleName | None = None
    instance: InstanceName | None = None
    run: str | None = None
    task: str = ""
    level: Level | None = None
    levels: frozenset[Level] = frozenset(Level)
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    match_case: bool = False
    after_sequence: int | None = None
    limit: int = 1000
    newest_first: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= SEARCH_LIMIT:
            raise InvalidValueError(f"a search returns between 1 and {SEARCH_LIMIT} records, not {self.limit}")
        if self.text is not None and len(self.text) > SEARCH_TEXT_CHARS:
            raise InvalidValueError(f"a text to search for has at most {SEARCH_TEXT_CHARS} characters")
        if self.after_sequence is not None and not 0 <= self.after_sequence <= MOST_SEQUENCE:
            raise InvalidValueError(f"{self.after_sequence} is not a sequence number")
        if any(moment is not None and moment.tzinfo is None for moment in (self.since, self.until)):
            raise InvalidValueError("a time to search by needs its offset from UTC")

    @property
    def wanted_levels(self) -> frozenset[Level]:
        """The levels that ``level`` and ``levels`` leave."""
        order = list(Level)
        least = 0 if self.level is None else order.index(self.level)
        return self.levels & frozenset(order[least:])

"""Decides what goes next to whom: order and retries of all that is sent upward, one checkpoint per receiver.

Pure. An entry names what to send (``kind`` and ``subject``), not how: the caller loads it, sends it, tells what came of
it, and stores the entry that comes back before it does anything else. A delivered entry stays as the receipt: its id
follows from what it sends to whom, so the same thing is never queued, and so never sent, twice.
"""

import enum
import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from federation.backoff import Backoff
from federation.codec import Moment
from federation.errors import AbsentError, DeniedError, InvalidValueError, OversizedError
from federation.names import NodeName

FIRST_RETRY_SECONDS: Final = 1.0
MOST_RETRY_SECONDS: Final = 600.0
ERROR_CHARS: Final = 500

FINAL_CODES: Final = frozenset({DeniedError.code, InvalidValueError.code, OversizedError.code, AbsentError.code})
"""Answers that the same request will get again. A wrong clock, a full memory or an inner error of the receiver is
none of them, and being away never is."""


class Standing(enum.Enum):
    """What became of an entry."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing for one receiver. ``sequence`` orders the entries of a receiver; ``due``: not before this moment.

    ``settled`` is set once it is delivered (then the entry is the receipt) or refused for good (then ``error`` says
    why, and ``reopened`` gives it another chance).
    """

    receiver: NodeName
    sequence: int
    kind: str
    subject: str
    created: Moment
    due: Moment
    attempts: int = 0
    standing: Standing = Standing.WAITING
    settled: Moment | None = None
    error: str = ""

    def __post_init__(self) -> None:
        if (self.standing is Standing.WAITING) != (self.settled is None):
            raise InvalidValueError("an outbox entry has a time of settlement once it is settled, and only then")
        if self.sequence < 0 or self.attempts < 0:
            raise InvalidValueError("an outbox entry counts from zero")

    @property
    def id(self) -> str:
        """The key of this entry: the same thing for the same receiver has the same one."""
        return f"{self.receiver}/{self.kind}/{self.subject}"


def queued(*, receiver: NodeName, sequence: int, kind: str, subject: str, now: datetime) -> Entry:
    """A new entry, due at once."""
    return Entry(receiver=receiver, sequence=sequence, kind=kind, subject=subject, created=now, due=now)


def heads(entries: Iterable[Entry], busy: Collection[NodeName] = ()) -> dict[NodeName, Entry]:
    """For each receiver that is not ``busy`` with one in flight, the entry that must go before its others."""
    first: dict[NodeName, Entry] = {}
    for entry in entries:
        if entry.standing is not Standing.WAITING or entry.receiver in busy:
            continue
        before = first.get(entry.receiver)
        if before is None or entry.sequence < before.sequence:
            first[entry.receiver] = entry
    return first


def due(entries: Iterable[Entry], now: datetime, busy: Collection[NodeName] = ()) -> list[Entry]:
    """What to send now: at most one entry per receiver, and none to a ``busy`` one; the longest due first."""
    ready = [entry for entry in heads(entries, busy).values() if entry.due <= now]
    return sorted(ready, key=lambda entry: (entry.due, entry.receiver))


def next_wake(entries: Iterable[Entry], busy: Collection[NodeName] = ()) -> datetime | None:
    """The moment from which ``due`` gives something; ``None`` while nothing waits."""
    return min((entry.due for entry in heads(entries, busy).values()), default=None)


def next_attempt(attempts: int, now: datetime, rng: random.Random) -> datetime:
    """When to try again after ``attempts`` failures: 1 s doubling to 10 min, the wait's second half by chance."""
    ceiling = Backoff(2 * FIRST_RETRY_SECONDS, MOST_RETRY_SECONDS, rng).ceiling(attempts - 1)
    return now + timedelta(seconds=rng.uniform(ceiling / 2, ceiling))


def delivered(entry: Entry, now: datetime) -> Entry:
    """The receipt of ``entry``, which the receiver has acknowledged."""
    return replace(entry, standing=Standing.DELIVERED, settled=now, attempts=entry.attempts + 1, error="")


def failed(entry: Entry, *, code: str, message: str, now: datetime, rng: random.Random) -> Entry:
    """``entry`` after an attempt that ended in the error ``code``: refused for good, or due again later.

    ``code`` is the receiver's own word where it answered (``remote_code`` of the error), else the error's code.
    """
    attempts = entry.attempts + 1
    tried = replace(entry, attempts=attempts, error=message[:ERROR_CHARS])
    if code in FINAL_CODES:
        return replace(tried, standing=Standing.REFUSED, settled=now)
    return replace(tried, due=next_attempt(attempts, now, rng))


def reopened(entry: Entry, now: datetime) -> Entry:
    """A refused ``entry`` with another chance, in its old place; for use when the link was granted anew."""
    if entry.standing is not Standing.REFUSED:
        raise InvalidValueError("only a refused outbox entry can be reopened")
    return replace(entry, standing=Standing.WAITING, settled=None, due=now, attempts=0)

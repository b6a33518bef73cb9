"""Decides what goes next to whom: order and retries of all that is sent upward, one checkpoint per receiver.

Pure. An entry names what to send (``kind`` and ``subject``), not how: the caller loads it, sends it, tells what came of
it, and stores the entry that comes back before it does anything else. A delivered entry stays as the receipt: its id
follows from what it sends to whom, so the same thing is never queued, and so never sent, twice.

Trouble on the way is the receiver's: its checkpoint waits, and every entry with it. Trouble with one entry is its own:
after a few attempts it stands aside, and the others pass. What was dropped or held back is still counted.
"""

import enum
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from federation import limits
from federation.backoff import Backoff
from federation.codec import Moment
from federation.errors import AbsentError, DeniedError, InvalidValueError, OversizedError
from federation.link.refusals import DENIED_CODES, BusyError
from federation.names import NodeName

FIRST_RETRY_SECONDS: Final = 1.0
MOST_RETRY_SECONDS: Final = 600.0
ERROR_CHARS: Final = 500
ATTEMPTS_IN_LINE: Final = 5
RECEIPTS_KEPT: Final = timedelta(days=30)

FINAL_CODES: Final = frozenset({DeniedError.code, InvalidValueError.code, OversizedError.code, AbsentError.code})
"""Answers of a receiver that the same request will get again."""

NO_RIGHT: Final = "no-right"
"""The code of an entry that the receiver gave no right to send; it goes when the right is given."""

RECEIVER_CODES: Final = (DENIED_CODES - {DeniedError.code}) | {BusyError.code, "http-429", "http-503"}
"""Answers that any request would get now: a wrong clock, a link that ended, a receiver that has no time."""


class Standing(enum.Enum):
    """What became of an entry. Those in line wait for each other, those aside do not.

    Withheld: not sent, as the link's settings say; counted: neither sent nor kept, but its number will be told.
    """

    WAITING = "waiting"
    ASIDE = "aside"
    DELIVERED = "delivered"
    REFUSED = "refused"
    WITHHELD = "withheld"
    COUNTED = "counted"


OPEN: Final = frozenset({Standing.WAITING, Standing.ASIDE})
"""Those that are still to be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing for one receiver. ``sequence`` orders the entries of a receiver; ``due``: not before this moment.

    ``settled`` is set once it is delivered (then the entry is the receipt) or not to be sent (then ``error`` says why,
    and ``reopened`` gives it another chance). ``size_bytes``: of its body, roughly; ``service`` and ``version``: what
    it is counted under if its body has to go. ``newest_only``: a later one of the same id takes its place.
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
    code: str = ""
    size_bytes: int = 0
    service: str = ""
    version: str = ""
    newest_only: bool = False

    def __post_init__(self) -> None:
        if (self.standing in OPEN) != (self.settled is None):
            raise InvalidValueError("an outbox entry has a time of settlement once it is settled, and only then")
        if self.sequence < 0 or self.attempts < 0 or self.size_bytes < 0:
            raise InvalidValueError("an outbox entry counts from zero")

    @property
    def id(self) -> str:
        """The key of this entry: the same thing for the same receiver has the same one."""
        return entry_id(self.receiver, self.kind, self.subject)


def entry_id(receiver: NodeName, kind: str, subject: str) -> str:
    """The key of the entry that sends ``subject`` to ``receiver``."""
    return f"{receiver}/{kind}/{subject}"


def queued(
    *,
    receiver: NodeName,
    sequence: int,
    kind: str,
    subject: str,
    now: datetime,
    size_bytes: int = 0,
    service: str = "",
    version: str = "",
    newest_only: bool = False,
) -> Entry:
    """A new entry, due at once."""
    return Entry(
        receiver=receiver,
        sequence=sequence,
        kind=kind,
        subject=subject,
        created=now,
        due=now,
        size_bytes=size_bytes,
        service=service,
        version=version,
        newest_only=newest_only,
    )


def renewed(entry: Entry, sequence: int, now: datetime) -> Entry:
    """``entry`` with something newer to send: at the end of the line again, whatever became of it before."""
    if sequence <= entry.sequence:
        raise InvalidValueError("what is newer has a higher sequence number")
    return queued(
        receiver=entry.receiver, sequence=sequence, kind=entry.kind, subject=entry.subject, now=now, newest_only=True
    )


def next_entry(head: Entry | None, aside: Entry | None, now: datetime) -> Entry | None:
    """What to send now: ``aside``, the entry that stands aside and is due first, or ``head``, the first in line."""
    for one in (aside, head):
        if one is not None and one.due <= now:
            return one
    return None


def next_wake(head: Entry | None, aside: Entry | None) -> datetime | None:
    """The moment from which ``next_entry`` gives something; ``None`` while nothing waits."""
    return min((one.due for one in (head, aside) if one is not None), default=None)


def next_attempt(attempts: int, now: datetime, rng: random.Random) -> datetime:
    """When to try again after ``attempts`` failures: 1 s doubling to 10 min, the wait's second half by chance."""
    ceiling = Backoff(2 * FIRST_RETRY_SECONDS, MOST_RETRY_SECONDS, rng).ceiling(attempts - 1)
    return now + timedelta(seconds=rng.uniform(ceiling / 2, ceiling))


def delivered(entry: Entry, now: datetime) -> Entry:
    """The receipt of ``entry``, which the receiver has acknowledged."""
    return replace(entry, standing=Standing.DELIVERED, settled=now, attempts=entry.attempts + 1, error="", code="")


def failed(entry: Entry, *, code: str, message: str, now: datetime, rng: random.Random) -> Entry:
    """``entry`` after the receiver answered by the error ``code``: refused for good, or due again later.

    After a few attempts it stands aside, so that it holds up no other.
    """
    attempts = entry.attempts + 1
    tried = replace(entry, attempts=attempts, error=message[:ERROR_CHARS], code=code)
    if code in FINAL_CODES or code == NO_RIGHT:
        return replace(tried, standing=Standing.REFUSED, settled=now)
    standing = Standing.ASIDE if attempts >= ATTEMPTS_IN_LINE else entry.standing
    return replace(tried, due=next_attempt(attempts, now, rng), standing=standing)


def settled(entry: Entry, standing: Standing, why: str, now: datetime, *, code: str = "") -> Entry:
    """``entry`` that is not sent: withheld, or only counted; ``code``: the stable word for ``why``."""
    return replace(entry, standing=standing, settled=now, error=why[:ERROR_CHARS], code=code)


def reopened(entry: Entry, now: datetime) -> Entry:
    """A refused, withheld or delayed ``entry`` with another chance at once, in its old place.

    Raises:
        InvalidValueError: it was delivered, or only its number is left.
    """
    if entry.standing in (Standing.DELIVERED, Standing.COUNTED):
        raise InvalidValueError("what was delivered or counted is not sent again")
    return replace(entry, standing=Standing.WAITING, settled=None, due=now, attempts=0, error="", code="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How the way to one receiver stands. ``failures`` in a row; ``due``: when to try again; ``error``: why it failed.

    ``reached``: when it last took something.
    """

    receiver: NodeName
    failures: int = 0
    due: Moment | None = None
    error: str = ""
    reached: Moment | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether something may be sent."""
        return self.due is None or self.due <= now

    def lost(self, message: str, now: datetime, rng: random.Random) -> "Checkpoint":
        """The receiver could not be reached, or would have refused anything."""
        failures = self.failures + 1
        due = next_attempt(failures, now, rng)
        return replace(self, failures=failures, due=due, error=message[:ERROR_CHARS])

    def passed(self, now: datetime) -> "Checkpoint":
        """The receiver answered."""
        return Checkpoint(receiver=self.receiver, reached=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much may wait for one receiver."""

    entries: int = 10_000
    size_bytes: int = 256 * limits.MIB

    def holds(self, load: "Load") -> bool:
        """Whether ``load`` is within it."""
        return load.entries <= self.entries and load.size_bytes <= self.size_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What waits for one receiver."""

    entries: int = 0
    size_bytes: int = 0

    def plus(self, entry: Entry) -> "Load":
        """With ``entry``."""
        return Load(entries=self.entries + 1, size_bytes=self.size_bytes + entry.size_bytes)

    def minus(self, entry: Entry) -> "Load":
        """Without ``entry``."""
        return Load(entries=max(0, self.entries - 1), size_bytes=max(0, self.size_bytes - entry.size_bytes))


def to_drop(oldest: Iterable[Entry], load: Load, budget: Budget) -> tuple[Entry, ...]:
    """Those of ``oldest`` (in the order in which they may go) that have to go for ``load`` to be within ``budget``."""
    dropped: list[Entry] = []
    for entry in oldest:
        if budget.holds(load):
            break
        if not entry.newest_only:
            dropped.append(entry)
            load = load.minus(entry)
    return tuple(dropped)

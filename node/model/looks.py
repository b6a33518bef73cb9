"""Decides when to look at each provider's catalogue: at once when it tells of news, else slowly, and later and later
while it can't be reached or believed.

Pure: the caller hands in the time in seconds. What a provider tells is a hint and no more: one that tells of serials
which are not there is looked at with growing pauses, whatever it goes on telling.
"""

import random
from dataclasses import dataclass
from typing import Final

from federation.backoff import Backoff
from federation.names import NodeName

SLOW_SECONDS: Final = 300.0
FIRST_RETRY_SECONDS: Final = 1.0
MOST_RETRY_SECONDS: Final = 300.0
PARTED_SECONDS: Final = 5.0
_SPREAD: Final = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider's event stream said last: the serial of its listing, and the revision of the link."""

    serial: int
    link: int


@dataclass(slots=True)
class _Look:
    due: float
    told: Told | None = None
    failures: int = 0
    busy: bool = False
    again: bool = False


class Looks:
    """The schedule of one node."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._backoff = Backoff(first=FIRST_RETRY_SECONDS, most=MOST_RETRY_SECONDS, rng=rng)
        self._looks: dict[NodeName, _Look] = {}

    def begin(self, name: NodeName, now: float, *, known: bool) -> None:
        """Look at a provider from now on: at once unless its catalogue is ``known`` from before."""
        self._looks[name] = _Look(due=now + self._rng.uniform(0, SLOW_SECONDS) if known else now)

    def end(self, name: NodeName) -> None:
        """Look at it no more."""
        self._looks.pop(name, None)

    def hear(self, name: NodeName, told: Told, now: float, *, news: bool) -> None:
        """The provider tells where it stands; ``news``: it is not what is known here."""
        look = self._looks.get(name)
        if look is None:
            return
        repeated = look.told == told
        look.told = told
        # Who was found wanting waits for his turn; who said this before is waited for already.
        if news and not repeated and not look.failures:
            look.due = now
            look.again = look.busy

    def reach(self, name: NodeName, now: float) -> None:
        """The provider can be reached again: what failed is tried at once."""
        look = self._looks.get(name)
        if look is not None and look.failures:
            look.due = now

    def part(self, name: NodeName, now: float) -> None:
        """Its stream broke, perhaps because the link was ended there: a look soon, but not of all at once."""
        look = self._looks.get(name)
        if look is not None:
            look.due = min(look.due, now + self._rng.uniform(0, PARTED_SECONDS))

    def told(self, name: NodeName) -> Told | None:
        """What the provider told last."""
        look = self._looks.get(name)
        return look.told if look else None

    def take(self, now: float, most: int) -> list[NodeName]:
        """Those to look at now, the longest due first; not more than ``most`` are busy at a time."""
        free = most - sum(look.busy for look in self._looks.values())
        due = [name for name, look in self._looks.items() if not look.busy and look.due <= now]
        chosen = sorted(due, key=lambda name: self._looks[name].due)[: max(0, free)]
        for name in chosen:
            self._looks[name].busy = True
            self._looks[name].again = False
        return chosen

    def saw(self, name: NodeName, serial: int, now: float) -> None:
        """A look was good: the listing with this serial was read."""
        look = self._looks.get(name)
        if look is None:
            return
        if look.told is not None and serial < look.told.serial and not look.again:
            self.fail(name, now)  # behind what it told: not there yet, or a lie
            return
        look.busy, look.failures = False, 0
        look.due = now if look.again else now + SLOW_SECONDS * self._rng.uniform(1 - _SPREAD, 1 + _SPREAD)

    def fail(self, name: NodeName, now: float) -> None:
        """A look failed."""
        look = self._looks.get(name)
        if look is not None:
            wait = (self._backoff.ceiling(look.failures) + self._backoff.delay(look.failures)) / 2
            look.busy, look.again, look.due = False, False, now + wait
            look.failures += 1

    def wait(self, now: float) -> float:
        """Seconds until the next look is due; what is busy is not waited for."""
        due = [look.due for look in self._looks.values() if not look.busy]
        return max(0.0, min(due, default=now + SLOW_SECONDS) - now)

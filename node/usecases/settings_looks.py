"""Keeps what is known of the settings repositories: asks each when it is due, bears with those that are away.

In memory, as each is asked anew after a start.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import structlog

from build.errors import SourceError
from build.giturl import GitUrl, masked
from federation.backoff import Backoff
from federation.clock import Clock
from federation.errors import VUpdateError
from node.model.settings import SettingsLook
from node.usecases.alarms import Alarms

ALARM: Final = "settings-not-seen"
ALARM_FROM: Final = 3
"""So many failures in a row are more than a server that is started anew."""

SIDE_BY_SIDE: Final = 4
IDLE_SECONDS: Final = 600.0
_MOST_SECONDS: Final = 3600.0
_JITTER: Final = 0.1
_ERROR_CHARS: Final = 500
_log = structlog.get_logger(__name__)

Place = tuple[str, str]
"""The URL of a repository as the settings spell it, and the branch, tag or commit."""

AskRemote = Callable[[str, str], Awaitable[str | None]]
"""The commit that a place is at; ``None``: it can't move."""


@dataclass(slots=True)
class _Standing:
    """One repository. ``told``: when a build said what it is at; ``due``: when it is asked again; both monotonic.

    ``alarmed``: whether an alarm may sound, be it from before a start.
    """

    look: SettingsLook
    due: float
    told: float = field(default=float("-inf"))
    alarmed: bool = True


class SettingsLooks:
    """The looks at the settings repositories, each by one question however many services use it."""

    def __init__(
        self, *, ask: AskRemote, alarms: Alarms, clock: Clock, rng: random.Random, every_seconds: float
    ) -> None:
        self._ask = ask
        self._alarms = alarms
        self._clock = clock
        self._rng = rng
        self._every = every_seconds
        self._backoff = Backoff(first=every_seconds, most=max(every_seconds, _MOST_SECONDS), rng=rng)
        self._known: dict[Place, _Standing] = {}
        self._named: frozenset[str] | None = None
        self._side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)

    @property
    def every_seconds(self) -> float:
        """How long after a look the next one is."""
        return self._every

    @property
    def known(self) -> Mapping[Place, SettingsLook]:
        """What is known of each."""
        return MappingProxyType({place: one.look for place, one in self._known.items()})

    def pause(self) -> float:
        """Seconds until one is due."""
        now = self._clock.monotonic()
        return max(0.0, min([IDLE_SECONDS, *(one.due - now for one in self._known.values())]))

    async def look(self, used: Collection[Place]) -> bool:
        """Ask those of ``used`` that are due, forget all others; return whether any was asked."""
        now = self._clock.monotonic()
        for place in self._known.keys() - set(used):
            del self._known[place]
        for place in used:
            if place not in self._known:
                self._known[place] = _Standing(SettingsLook(url=plain_url(place[0]), ref=place[1]), now)
        await self._settle_others(frozenset(plain_url(url) for url, _ in used))
        due = [place for place in used if self._known[place].due <= now]
        async with asyncio.TaskGroup() as group:
            for place in due:
                group.create_task(self._look_at(place))
        return bool(due)

    def told(self, place: Place, commit: str) -> bool:
        """A build fetched ``commit`` of ``place``; return whether that was not known yet."""
        standing = self._known.get(place)
        if standing is None:
            return False
        before = standing.look
        now = self._clock.now()
        standing.look = replace(before, commit=commit, tried=now, seen=now, failed=0, error="")
        standing.told = self._clock.monotonic()
        standing.due = standing.told + self._interval()
        return before.commit != commit

    async def _settle_others(self, named: frozenset[str]) -> None:
        """Let alarms go that are about what is used no more."""
        if named == self._named:
            return
        for alarm in await self._alarms.all():
            if alarm.kind == ALARM and alarm.subject not in named:
                await self._alarms.settle(ALARM, alarm.subject)
        self._named = named

    async def _look_at(self, place: Place) -> None:
        async with self._side_by_side:
            began = self._clock.monotonic()
            commit, error = await self._answer(place)
        standing = self._known.get(place)
        # What a build fetched since is newer than this answer.
        if standing is None or standing.told > began:
            return
        now = self._clock.now()
        if error:
            await self._did_not_see(standing, replace(standing.look, tried=now), error)
        else:
            await self._saw(standing, replace(standing.look, commit=commit, tried=now, seen=now, failed=0, error=""))

    async def _answer(self, place: Place) -> tuple[str | None, str]:
        """The commit, or why it is not known."""
        try:
            return await self._ask(*place), ""
        except VUpdateError as error:
            return None, masked(error.message)[:_ERROR_CHARS]
        except OSError as error:
            return None, f"git could not be run: {error.strerror}"

    async def _saw(self, standing: _Standing, look: SettingsLook) -> None:
        if standing.look.failed:
            _log.info("settings repository is seen again", url=look.url, ref=look.ref)
        if standing.alarmed:
            await self._alarms.settle(ALARM, look.url)
            standing.alarmed = False
        standing.look, standing.due = look, self._clock.monotonic() + self._interval()

    async def _did_not_see(self, standing: _Standing, look: SettingsLook, error: str) -> None:
        count = look.failed + 1
        if count == 1:
            _log.warning("settings repository is not seen", url=look.url, ref=look.ref, error=error)
        pause = self._interval() + self._backoff.delay(count - 1)
        standing.look, standing.due = replace(look, failed=count, error=error), self._clock.monotonic() + pause
        if count >= ALARM_FROM:
            message = f"a commit to the settings at {look.url} is not noticed, as they can't be asked for: {error}"
            standing.alarmed = True
            await self._alarms.sound(ALARM, look.url, message)

    def _interval(self) -> float:
        return self._every * self._rng.uniform(1.0 - _JITTER, 1.0 + _JITTER)


def plain_url(url: str) -> str:
    """``url`` without credentials, as a manifest names it."""
    try:
        return GitUrl.read(url).plain
    except SourceError:
        return masked(url)

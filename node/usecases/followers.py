"""Follows the providers: hears their event streams, reads their catalogues when it pays, and has taken what is decided.

When to look decides ``node.model.looks``, what to take ``node.model.policy``; here both are carried out. Each provider
has one task, which waits on its stream; looks share a bounded number of others.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from federation import codec
from federation.clock import Clock
from federation.errors import InvalidValueError, UnreachableError, VUpdateError
from federation.link.events import Event
from federation.link.pinned import WrongPeerError
from federation.names import NodeName
from node.model.desired import ListKind
from node.model.following import Action, Verdict
from node.model.looks import Looks, Told
from node.model.peer import Provider
from node.usecases.changes import Change, ChangeHub, Topic
from node.usecases.following import Following
from node.usecases.links import Links
from node.usecases.patience import patience
from node.usecases.peers import ConnectPeer, Peer, Presence
from node.usecases.updates import Updates

EVENTS_PATH: Final = "/federation/v1/events"
LOOKS_MOST: Final = 8
"""So many catalogues are read at a time."""

_LOOK_ANYWAY_SECONDS: Final = 300.0
_TOPICS: Final = frozenset({Topic.LINKS, Topic.DESIRED, Topic.SERVICES, Topic.VERSIONS})
_ACTS: Final = frozenset({Action.TAKE, Action.DOWNLOAD})
_REST: Final = 4
_log = structlog.get_logger(__name__)

Follow = Callable[[Peer, str, Callable[[bool], None]], AsyncGenerator[Event, None]]
"""The events at a path of a peer, for ever; told when the connection opens and closes."""

Search = Callable[[Provider], Awaitable[object]]
"""Looks for a provider that can't be reached at other addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """The data of an event. ``link``: the revision of the link as the provider sees it."""

    serial: int
    link: int = 0


@dataclass(slots=True)
class _Follower:
    marker: str
    task: asyncio.Task[None]


class Followers:
    """The followers of this node's providers, started and stopped as links come and go."""

    def __init__(
        self,
        *,
        links: Links,
        following: Following,
        updates: Updates,
        presence: Presence,
        search: Search,
        connect: ConnectPeer,
        follow: Follow,
        hub: ChangeHub,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._links = links
        self._following = following
        self._updates = updates
        self._presence = presence
        self._search = search
        self._connect = connect
        self._follow = follow
        self._hub = hub
        self._clock = clock
        self._looks = Looks(rng)
        self._followers: dict[NodeName, _Follower] = {}
        self._providers: dict[NodeName, Provider] = {}
        self._updating: set[NodeName] = set()
        self._woken = asyncio.Event()
        self._stale = True
        self._verdicts: tuple[Verdict, ...] = ()
        self._rest_until = 0.0

    async def run(self) -> None:
        """Follow all providers for as long as this runs."""
        async with self._hub.subscribe(_TOPICS) as changes, asyncio.TaskGroup() as group:
            group.create_task(self._listen(changes))
            while True:
                self._woken.clear()
                wait = 0.0  # after a trouble, which has its own pause
                async with patience("providers"):
                    wait = await self._step(group)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._woken.wait()

    async def _listen(self, changes: AsyncIterator[Change]) -> None:
        async for change in changes:
            # What runs at this site decides nothing here.
            if change != Change(Topic.DESIRED, ListKind.CLIENT.value):
                self._wake()

    def _wake(self) -> None:
        self._stale = True
        self._woken.set()

    async def _step(self, group: asyncio.TaskGroup) -> float:
        """Do what is due now; the seconds until something else is, if nothing happens before."""
        self._stale |= self._changed_by_time()
        rest = self._rest_until - self._clock.monotonic()
        if self._stale and rest <= 0:
            await self._renew(group)
        for name in self._looks.take(self._clock.monotonic(), LOOKS_MOST):
            group.create_task(self._look(name))
        known = [rest] if self._stale else self._endings()
        return max(0.0, min([_LOOK_ANYWAY_SECONDS, self._looks.wait(self._clock.monotonic()), *known]))

    async def _renew(self, group: asyncio.TaskGroup) -> None:
        """Begin with new links, decide anew, and have carried out what was decided."""
        self._stale = False  # what changes from here on makes it so again
        try:
            await self._reconcile(group)
            await self._judge()
        except VUpdateError:
            self._stale = True
            raise
        for name in sorted({one.provider for one in self._verdicts if one.action in _ACTS} - self._updating):
            self._updating.add(name)
            due = [one for one in self._verdicts if one.provider == name and one.action in _ACTS]
            group.create_task(self._update(name, due))

    async def _judge(self) -> None:
        """Decide anew; with many providers that is work, so afterwards it rests for a few times as long."""
        began = self._clock.monotonic()
        self._verdicts = (await self._following.judge()).decision.verdicts
        ended = self._clock.monotonic()
        self._rest_until = ended + _REST * (ended - began)

    def _changed_by_time(self) -> bool:
        """Whether a verdict has changed by time alone."""
        now = self._clock.now()
        return any(one.until is not None and one.until <= now for one in self._verdicts)

    def _endings(self) -> list[float]:
        """In how many seconds a verdict may change by time alone."""
        now = self._clock.now()
        return [(one.until - now).total_seconds() for one in self._verdicts if one.until is not None]

    async def _reconcile(self, group: asyncio.TaskGroup) -> None:
        """Begin and end with providers as links come and go."""
        self._providers = {provider.name: provider for provider in await self._links.providers()}
        for name, follower in list(self._followers.items()):
            provider = self._providers.get(name)
            if provider is None or follower.marker != _marker(provider):
                follower.task.cancel()
                del self._followers[name]
                self._looks.end(name)
        for name, provider in self._providers.items():
            if name not in self._followers:
                self._looks.begin(name, self._clock.monotonic(), known=provider.catalog is not None)
                task = group.create_task(self._hear(provider))
                self._followers[name] = _Follower(_marker(provider), task)

    async def _hear(self, provider: Provider) -> None:
        """Take note of all that a provider's stream tells, for ever."""
        name = provider.name
        if provider.ended is not None:
            return  # it knows this node no more; a slow look finds out if that changes
        with contextlib.ExitStack() as connection:

            def told(connected: bool) -> None:  # the form that follow() calls
                connection.close()
                now = self._clock.monotonic()
                if connected:
                    connection.enter_context(self._presence.connected(provider.id, Topic.LINKS, name))
                    self._looks.reach(name, now)
                else:
                    self._looks.part(name, now)
                self._woken.set()

            peer = self._connect(provider.url, provider.key)
            async with contextlib.aclosing(self._follow(peer, EVENTS_PATH, told)) as events:
                async for event in events:
                    self._take_note(name, event)

    def _take_note(self, name: NodeName, event: Event) -> None:
        if not event.data:
            return  # the stream is open: where the provider stands it tells at once
        try:
            standing = codec.decode(event.data.encode(), _Standing)
        except InvalidValueError as error:
            _log.info("an event was not understood", provider=name, error=error.message)
            return
        provider = self._providers.get(name)
        if provider is None:
            return
        serial = provider.catalog.listing.serial if provider.catalog else None
        news = (serial, provider.revision) != (standing.serial, standing.link)
        self._looks.hear(name, Told(standing.serial, standing.link), self._clock.monotonic(), news=news)
        self._woken.set()

    async def _look(self, name: NodeName) -> None:
        """Read one catalogue, and first how the link stands if that has changed."""
        try:
            provider = await self._links.provider(name)
            told = self._looks.told(name)
            if told is not None and told.link != provider.revision:
                await self._refresh(name)
            provider = await self._updates.check(name)
            self._looks.saw(name, provider.catalog.listing.serial if provider.catalog else 0, self._clock.monotonic())
        except VUpdateError as error:
            self._looks.fail(name, self._clock.monotonic())
            _log.warning("provider could not be followed", provider=name, code=error.code, error=error.message)
            # Another program at its address: it may have moved away, and somebody else moved in.
            if isinstance(error, UnreachableError | WrongPeerError) and name in self._providers:
                await self._seek(self._providers[name])
        self._wake()

    async def _refresh(self, name: NodeName) -> None:
        try:
            await self._links.refresh_state(name)
        except VUpdateError as error:
            # The catalogue is read all the same: it has its own signatures.
            _log.warning("the state of a link is not known", provider=name, code=error.code, error=error.message)

    async def _seek(self, provider: Provider) -> None:
        try:
            await self._search(provider)
        except VUpdateError as error:
            _log.info("provider was not found", provider=provider.name, code=error.code, error=error.message)

    async def _update(self, name: NodeName, due: list[Verdict]) -> None:
        async with patience("updates"):
            await self._updates.run(name, due)
        self._updating.discard(name)
        self._wake()


def _marker(provider: Provider) -> str:
    return f"{provider.url} {provider.key} {provider.ended is None}"

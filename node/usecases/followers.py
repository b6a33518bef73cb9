"""Follows each provider's event stream and updates from it as its link says; and looks now and then anyway."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Callable
from typing import Final

import structlog

from federation.backoff import Backoff
from federation.errors import VUpdateError
from federation.link.events import Event
from federation.names import NodeName
from node.model.peer import AutoUpdate, Provider
from node.usecases.changes import ChangeHub, Topic
from node.usecases.links import Links
from node.usecases.patience import patience
from node.usecases.peers import ConnectPeer, Peer, Presence
from node.usecases.updates import Updates

_LOOK_ANYWAY_SECONDS: Final = 300.0
_RETRY_FIRST_SECONDS: Final = 1.0
_RETRY_MOST_SECONDS: Final = 300.0
_log = structlog.get_logger(__name__)

Follow = Callable[[Peer, str, Callable[[bool], None]], AsyncGenerator[Event, None]]
"""The events at a path of a peer, for ever; told when the connection opens and closes."""


class Followers:
    """One follower per provider, started and stopped as links come and go."""

    def __init__(
        self,
        *,
        links: Links,
        updates: Updates,
        presence: Presence,
        connect: ConnectPeer,
        follow: Follow,
        hub: ChangeHub,
        rng: random.Random,
    ) -> None:
        self._links = links
        self._updates = updates
        self._presence = presence
        self._connect = connect
        self._follow = follow
        self._hub = hub
        self._backoff = Backoff(first=_RETRY_FIRST_SECONDS, most=_RETRY_MOST_SECONDS, rng=rng)

    async def run(self) -> None:
        """Follow all providers for as long as this runs."""
        running: dict[NodeName, tuple[str, asyncio.Task[None]]] = {}
        async with self._hub.subscribe(frozenset({Topic.LINKS})) as changes, asyncio.TaskGroup() as group:
            await self._reconcile(group, running)
            async for _ in changes:
                async with patience("providers"):
                    await self._reconcile(group, running)

    async def _reconcile(
        self, group: asyncio.TaskGroup, running: dict[NodeName, tuple[str, asyncio.Task[None]]]
    ) -> None:
        providers = {provider.name: provider for provider in await self._links.providers()}
        for name, (marker, task) in list(running.items()):
            provider = providers.get(name)
            if provider is None or marker != _marker(provider):
                task.cancel()
                del running[name]
        for name, provider in providers.items():
            if name not in running:
                running[name] = (_marker(provider), group.create_task(self._follow_one(provider)))

    async def _follow_one(self, provider: Provider) -> None:
        news = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(provider, news))
            group.create_task(self._react(provider.name, news))

    async def _listen(self, provider: Provider, news: asyncio.Event) -> None:
        with contextlib.ExitStack() as connection:

            def told(connected: bool) -> None:  # the form that follow() calls
                connection.close()
                if connected:
                    connection.enter_context(self._presence.connected(provider.id, Topic.LINKS, provider.name))

            peer = self._connect(provider.url, provider.key)
            async with contextlib.aclosing(self._follow(peer, "/federation/v1/events", told)) as events:
                async for _ in events:
                    news.set()

    async def _react(self, name: NodeName, news: asyncio.Event) -> None:
        failures = 0
        while True:
            wait = self._backoff.delay(failures - 1) if failures else _LOOK_ANYWAY_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await news.wait()
            news.clear()
            failures = 0 if await self._update(name) else failures + 1

    async def _update(self, name: NodeName) -> bool:
        """Whether all that the link wants was done."""
        try:
            provider = await self._updates.check(name)
            if provider.auto_update is AutoUpdate.OFF or not await self._updates.has_news(provider):
                return True
            return await self._updates.run(name, install=provider.auto_update is AutoUpdate.INSTALL)
        except VUpdateError as error:
            _log.warning("provider could not be followed", provider=name, code=error.code, error=error.message)
            return False


def _marker(provider: Provider) -> str:
    return f"{provider.url} {provider.key} {provider.auto_update.value}"

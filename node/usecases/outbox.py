"""Delivers what goes up to providers: durable, in order per provider, each thing once, tried until it is taken.

What is due and what a failure means is decided by ``federation.outbox``; what is sent, by the sender of its kind.
"""

import asyncio
import contextlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from federation import outbox
from federation.clock import Clock
from federation.errors import ExistsError, VUpdateError
from federation.link.answers import PeerRefusalError
from federation.names import NodeName
from federation.outbox import Entry
from node.model.peer import Provider
from node.storage.port import Where
from node.storage.repository import Repository
from node.usecases.changes import ChangeHub, Topic
from node.usecases.links import Links
from node.usecases.patience import patience
from node.usecases.peers import ConnectPeer

INDEXES: Final = ("standing",)
_WAITING_MOST: Final = 10_000
_LOOK_ANYWAY_SECONDS: Final = 60.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is posted to a route of a provider."""

    path: str
    body: bytes


class Sender(Protocol):
    """What one kind of outbox entries stands for."""

    async def letter(self, subject: str) -> Letter:
        """What to send; ``AbsentError`` when it is gone."""
        ...

    async def delivered(self, subject: str) -> None:
        """Note that the provider took it."""
        ...


class Outbox:
    """What waits to go up from this node."""

    def __init__(
        self,
        *,
        entries: Repository[Entry],
        links: Links,
        connect: ConnectPeer,
        hub: ChangeHub,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._entries = entries
        self._links = links
        self._connect = connect
        self._hub = hub
        self._clock = clock
        self._rng = rng
        self._woken = asyncio.Event()

    async def queue(self, receiver: NodeName, kind: str, subject: str) -> None:
        """Send ``subject`` to ``receiver``, durably from now on; again and again is once."""
        now = self._clock.now()
        sequence = int(now.timestamp() * 1_000_000)
        with contextlib.suppress(ExistsError):
            await self._entries.add(
                outbox.queued(receiver=receiver, sequence=sequence, kind=kind, subject=subject, now=now)
            )
        self._woken.set()

    async def run(self, senders: Mapping[str, Sender]) -> None:
        """Deliver for as long as this runs; providers do not wait for each other."""
        busy: set[NodeName] = set()
        async with self._hub.subscribe(frozenset({Topic.LINKS})) as changes, asyncio.TaskGroup() as group:

            async def listen() -> None:
                async for _ in changes:
                    self._woken.set()

            async def deliver(provider: Provider, entry: Entry) -> None:
                async with patience("outbox"):
                    await self._deliver(provider, entry, senders)
                busy.discard(entry.receiver)
                self._woken.set()

            group.create_task(listen())
            while True:
                self._woken.clear()
                waiting: dict[str, Entry] = {}
                async with patience("outbox"):
                    waiting = await self._waiting()
                for entry in outbox.due(waiting.values(), self._clock.now(), busy):
                    provider = await self._provider(entry.receiver)
                    if provider is not None:
                        busy.add(entry.receiver)
                        group.create_task(deliver(provider, entry))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause(list(waiting.values()), busy)):
                        await self._woken.wait()

    async def _waiting(self) -> dict[str, Entry]:
        found = await self._entries.find(Where("standing", "==", outbox.Standing.WAITING.value), limit=_WAITING_MOST)
        return {entry.id: entry for entry in found}

    async def _provider(self, name: NodeName) -> Provider | None:
        """``None`` while the link is gone: its entries wait in case it comes back."""
        async with patience("outbox"):
            for provider in await self._links.providers():
                if provider.name == name:
                    return provider
        return None

    def _pause(self, waiting: list[Entry], busy: set[NodeName]) -> float:
        wake = outbox.next_wake(waiting, busy)
        if wake is None:
            return _LOOK_ANYWAY_SECONDS
        seconds = (wake - self._clock.now()).total_seconds()
        # What is due already and yet was not begun waits for a link, not for time.
        return min(_LOOK_ANYWAY_SECONDS, seconds) if seconds > 0 else _LOOK_ANYWAY_SECONDS

    async def _deliver(self, provider: Provider, entry: Entry, senders: Mapping[str, Sender]) -> None:
        sender = senders[entry.kind]
        try:
            letter = await sender.letter(entry.subject)
            await self._connect(provider.url, provider.key).post(letter.path, letter.body)
        except VUpdateError as error:
            code = error.remote_code if isinstance(error, PeerRefusalError) else error.code
            tried = outbox.failed(entry, code=code, message=error.message, now=self._clock.now(), rng=self._rng)
            _log.info(
                "not delivered",
                provider=provider.name,
                entry=entry.id,
                standing=tried.standing.value,
                why=error.message,
            )
            await self._entries.put(tried)
            return
        await sender.delivered(entry.subject)
        await self._entries.put(outbox.delivered(entry, self._clock.now()))

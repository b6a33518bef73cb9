"""Knows which nodes announce themselves on the local network. Seeing is not trusting: nothing here makes a link."""

import asyncio
import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from federation import discovery
from federation.backoff import Backoff
from federation.clock import Clock
from federation.codec import Moment
from federation.discovery import Found, Heard
from federation.errors import InvalidValueError, LocalError, TamperedError
from federation.identity import NodeId
from federation.names import NodeName
from node.usecases.changes import ChangeHub, Topic
from node.usecases.links import Links

_STEADY_SECONDS: Final = 60.0
_log = structlog.get_logger(__name__)

Listen = Callable[[Callable[[Heard | None], Awaitable[None]]], Awaitable[None]]
"""Announces this node and hands on what is heard, ``None`` from time to time, until the machine's addresses change.

Raises ``LocalError`` when the network can't be used.
"""


class Relation(enum.Enum):
    """What a node nearby is to this one."""

    STRANGER = "stranger"
    PROVIDER = "provider"
    CONSUMER = "consumer"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbyNode:
    """A node on the local network, by its own signed word. ``since``: first heard; ``heard``: heard last."""

    id: NodeId
    name: NodeName
    urls: tuple[str, ...]
    relation: Relation
    since: Moment
    heard: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What this node sees around it. ``on``: whether it announces itself and listens at all."""

    on: bool
    nodes: tuple[NearbyNode, ...]


def _relation(node: NodeId, providers: frozenset[NodeId], consumers: frozenset[NodeId]) -> Relation:
    if node in providers:
        return Relation.BOTH if node in consumers else Relation.PROVIDER
    return Relation.CONSUMER if node in consumers else Relation.STRANGER


class Nearby:
    """The nodes on the local network. ``listen``: none where discovery is off."""

    def __init__(
        self,
        *,
        table: discovery.Nearby,
        links: Links,
        hub: ChangeHub,
        clock: Clock,
        backoff: Backoff,
        listen: Listen | None,
    ) -> None:
        self._table = table
        self._links = links
        self._hub = hub
        self._clock = clock
        self._backoff = backoff
        self._listen = listen
        self._ignored = 0
        self._why = ""

    async def run(self) -> None:
        """Announce this node and listen, again after each trouble of the network; for ever, unless it is off."""
        if self._listen is None:
            return
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._listen(self.hear)
                failures = 0
            except LocalError as error:
                steady = self._clock.monotonic() - began >= _STEADY_SECONDS
                failures = 0 if steady else failures + 1
                _log.warning("the local network can't be used, trying again", error=error.message)
            if self._table.prune(self._clock.now()):
                self._hub.publish(Topic.NEARBY)
            await asyncio.sleep(self._backoff.delay(failures))

    async def hear(self, heard: Heard | None) -> None:
        """Take in what came from the network; ``None``: time has passed."""
        if heard is None:
            self._tell_ignored()
            if self._table.prune(self._clock.now()):
                self._hub.publish(Topic.NEARBY)
            return
        known = await self._linked() if self._table.full else frozenset()
        try:
            changed = self._table.hear(heard, self._clock.now(), self._clock.monotonic(), known=known)
        except (InvalidValueError, TamperedError) as error:
            self._ignored += 1
            self._why = error.message
            return
        if changed:
            self._hub.publish(Topic.NEARBY)

    def _tell_ignored(self) -> None:
        """One line for many: whoever floods the network shall not flood the log."""
        if self._ignored:
            _log.info("announcements on the local network were ignored", count=self._ignored, last=self._why[:300])
            self._ignored = 0

    async def _linked(self) -> frozenset[NodeId]:
        providers, consumers = await self._peers()
        return providers | consumers

    async def _peers(self) -> tuple[frozenset[NodeId], frozenset[NodeId]]:
        providers = frozenset(one.id for one in await self._links.providers())
        consumers = frozenset(one.id for one in await self._links.consumers())
        return providers, consumers

    async def all(self) -> list[NearbyNode]:
        """All nodes on the local network, by name."""
        self._table.prune(self._clock.now())
        providers, consumers = await self._peers()
        return [self._shown(one, _relation(one.id, providers, consumers)) for one in self._table.nodes()]

    async def look(self) -> Surroundings:
        """The same, and whether this node listens."""
        return Surroundings(on=self._listen is not None, nodes=tuple(await self.all()))

    def _shown(self, found: Found, relation: Relation) -> NearbyNode:
        said = found.announcement
        return NearbyNode(
            id=found.id, name=said.name, urls=said.urls, relation=relation, since=found.since, heard=found.heard
        )

    def urls_of(self, node: NodeId) -> list[str]:
        """Where the node says, signed by its key, that it is reached; empty: it is not on the local network."""
        self._table.prune(self._clock.now())
        found = self._table.get(node)
        return list(found.announcement.urls) if found else []

    def called(self, name: NodeName) -> list[NodeId]:
        """The nodes that call themselves so."""
        self._table.prune(self._clock.now())
        return [one.id for one in self._table.nodes() if one.announcement.name == name]

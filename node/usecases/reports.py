"""Tells each provider what its versions do here: which are desired, and how they run on this node's own instances.

Only what came from that provider is told, only of instances attached to this very node, and only as the link's
redaction says. A change is told at once, or with the next report; the newest report is all that matters.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from federation import codec, limits, report
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError
from federation.link.rights import Right
from federation.names import NodeName, ServiceName
from federation.outbox import Entry
from federation.redaction import Redactor
from federation.report import Installed, ReportedInstance, ReportedState, StateReport
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.instance import Instance
from node.model.peer import Provider
from node.model.report import ReportQueued
from node.storage.repository import Repository
from node.usecases.changes import Change, ChangeHub, Topic
from node.usecases.delivery import Letter, Withheld
from node.usecases.desired import Desired
from node.usecases.instances import Instances
from node.usecases.links import Links
from node.usecases.outbox import Outbox
from node.usecases.patience import patience
from node.usecases.redactors import Redactors
from node.usecases.versions import Versions

KIND: Final = "states"
PATH: Final = "/federation/v1/reports"
TOLD_ANYWAY: Final = timedelta(minutes=15)
_TOPICS: Final = frozenset({Topic.DESIRED, Topic.INSTANCES, Topic.LINKS})
_GATHER_SECONDS: Final = 1.0
_LOOK_ANYWAY_SECONDS: Final = 60.0
_ROOM_BYTES: Final = limits.REQUEST_BODY_BYTES - 64 * limits.KIB

_NEVER: Final = datetime.fromtimestamp(0, UTC)
_Known = tuple[ServiceName, DeveloperVersion]


class Reports:
    """The state reports of this node."""

    def __init__(
        self,
        *,
        queued: Repository[ReportQueued],
        links: Links,
        desired: Desired,
        versions: Versions,
        instances: Instances,
        outbox: Outbox,
        redactors: Redactors,
        hub: ChangeHub,
        clock: Clock,
    ) -> None:
        self._queued = queued
        self._links = links
        self._desired = desired
        self._versions = versions
        self._instances = instances
        self._outbox = outbox
        self._redactors = redactors
        self._hub = hub
        self._clock = clock

    async def run(self) -> None:
        """Queue a report for each provider whenever there is something new to tell."""
        async with self._hub.subscribe(_TOPICS) as changes:
            while True:
                async with patience("state reports"):
                    await self.look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_ANYWAY_SECONDS):
                        await anext(changes)
                # What follows within a moment goes into the same report.
                await _gathered(changes)

    async def look(self) -> None:
        """Queue a report for each provider that would now be told something else than last time."""
        for provider in await self._links.providers():
            if provider.ended is None and Right.STATES in provider.rights:
                await self._queue_if_new(provider)

    async def _queue_if_new(self, provider: Provider) -> None:
        content = await self.content(provider)
        now = self._clock.now()
        digest = Digest.of(codec.encode(_timeless(content)))
        before = await self._queued.get(provider.name)
        if before is None and not content.services:
            return
        if before is not None and before.at < provider.linked:
            before = None  # of an earlier link: the provider has forgotten it
        told_long_ago = before is not None and bool(content.services) and now - before.at >= TOLD_ANYWAY
        if before is None or before.content != digest or told_long_ago:
            await self._outbox.queue_newest(provider.name, KIND, KIND)
            await self._queued.put(ReportQueued(provider=provider.name, content=digest, at=now))

    async def content(self, provider: Provider, sequence: int = 0) -> StateReport:
        """What ``provider`` is told as of now."""
        redactor = self._redactors.of(provider)
        installed = await self._installed(provider.name) if redactor.rules.installed else ()
        found = await self._instances_of(provider.name, redactor) if redactor.rules.states else []
        shown = _within_bounds(found)
        whole = StateReport(
            sequence=sequence,
            at=self._clock.now(),
            installed=installed,
            instances=tuple(found[:shown]),
            left_out=len(found) - shown,
        )
        return await asyncio.to_thread(_fitting, whole)

    async def _installed(self, provider: NodeName) -> tuple[Installed, ...]:
        current = (await self._desired.current(ListKind.DEVELOPER)).developer
        known = _Origins(self._versions, provider)
        found = [
            Installed(service=service, version=version)
            for service, version in sorted(current.items())
            if await known.came(service, version)
        ]
        return tuple(found[: report.INSTALLED])

    async def _instances_of(self, provider: NodeName, redactor: Redactor) -> list[ReportedInstance]:
        known = _Origins(self._versions, provider)
        found: list[ReportedInstance] = []
        for instance in await self._instances.all():
            services = await self._services_of(instance, known, redactor)
            if services and instance.state is not None:
                name = redactor.instance(instance.name)
                found.append(ReportedInstance(name=name, at=instance.state.at, services=services))
        return found

    async def _services_of(
        self, instance: Instance, known: "_Origins", redactor: Redactor
    ) -> tuple[ReportedState, ...]:
        if instance.state is None or instance.revoked:
            return ()
        shown = []
        for state in instance.state.services:
            versions = (state.desired, state.running, state.committed, state.failed)
            ours = [one for one in versions if one is not None and await known.came(state.key.service, one.base)]
            told = report.reported(state, ours)
            if told is not None:
                shown.append(
                    replace(
                        told,
                        error=redactor.text(told.error)[: report.TEXT_CHARS],
                        last_exit=redactor.text(told.last_exit)[: report.TEXT_CHARS],
                    )
                )
        return tuple(shown)

    # What the delivery asks.

    @property
    def right(self) -> Right:
        """What the provider has to allow."""
        return Right.STATES

    @property
    def always(self) -> bool:
        """There is one at any time."""
        return True

    async def letter(self, entry: Entry, provider: Provider) -> Letter | Withheld:
        """The report as of now, under the entry's number."""
        content = await self.content(provider, entry.sequence)
        return Letter(path=PATH, body=codec.encode(content))

    async def delivered(self, entry: Entry) -> None:
        """Nothing to note: the receipt says it."""


class _Origins:
    """Which versions came from one provider; each is looked up once."""

    def __init__(self, versions: Versions, provider: NodeName) -> None:
        self._versions = versions
        self._provider = provider
        self._known: dict[_Known, bool] = {}

    async def came(self, service: ServiceName, version: DeveloperVersion) -> bool:
        key = (service, version)
        if key not in self._known:
            try:
                stored = await self._versions.get(ListKind.DEVELOPER, service, version)
                self._known[key] = stored.received_from == self._provider
            except AbsentError:
                self._known[key] = False
        return self._known[key]


def _timeless(content: StateReport) -> StateReport:
    """``content`` without what changes while nothing happens."""
    instances = tuple(replace(one, at=_NEVER) for one in content.instances)
    return replace(content, sequence=0, at=_NEVER, instances=instances)


def _within_bounds(found: Sequence[ReportedInstance]) -> int:
    """How many of ``found`` a report may hold."""
    states = 0
    for number, instance in enumerate(found[: report.INSTANCES]):
        states += len(instance.services)
        if states > report.STATES:
            return number
    return min(len(found), report.INSTANCES)


def _fitting(content: StateReport) -> StateReport:
    """``content`` without the last instances, where it would be larger than a request may be."""
    size = len(codec.encode(content))
    while size > _ROOM_BYTES and content.instances:
        kept = max(0, len(content.instances) * _ROOM_BYTES // size - 1)
        left = len(content.instances) - kept
        content = replace(content, instances=content.instances[:kept], left_out=content.left_out + left)
        size = len(codec.encode(content))
    return content


async def _gathered(changes: AsyncIterator[Change]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GATHER_SECONDS):
            while True:
                await anext(changes)

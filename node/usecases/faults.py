"""Takes in fault reports from agents and consumers, and hands each on towards the origin of its version.

A report that came in is durable, and on its way up queued, before it is acknowledged. The same report arriving twice
is one.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from federation import codec
from federation.clock import Clock
from federation.errors import AbsentError, DeniedError, ExistsError
from federation.fault import FaultReport
from federation.identity import NodeId
from federation.link.messages import FaultTaken
from federation.link.rights import Right
from federation.names import InstanceName, NodeName, ServiceName
from federation.outbox import Entry
from federation.redaction import FaultsSent
from node.model.desired import ListKind
from node.model.instance import StoredFault
from node.model.peer import Consumer, Provider
from node.storage.port import Order, Where
from node.storage.repository import Repository
from node.usecases.changes import ChangeHub, Topic
from node.usecases.delivery import Letter, Withheld
from node.usecases.outbox import Outbox
from node.usecases.profiles import Profiles
from node.usecases.redactors import Redactors
from node.usecases.versions import Versions

INDEXES: Final = ("received", "service")
KIND: Final = "fault"
PATH: Final = "/federation/v1/faults"


class Faults:
    """The fault reports of this node."""

    def __init__(
        self,
        *,
        node: NodeName,
        node_id: NodeId,
        kept: Repository[StoredFault],
        versions: Versions,
        profiles: Profiles,
        outbox: Outbox,
        redactors: Redactors,
        hub: ChangeHub,
        clock: Clock,
    ) -> None:
        self._node = node
        self._node_id = node_id
        self._kept = kept
        self._versions = versions
        self._profiles = profiles
        self._outbox = outbox
        self._redactors = redactors
        self._hub = hub
        self._clock = clock

    async def find(self, service: ServiceName | None, first: int) -> list[StoredFault]:
        """The newest ``first`` reports, of ``service`` or of all, newest first."""
        where = () if service is None else (Where("service", "==", service),)
        return await self._kept.find(*where, order=(Order("received", descending=True),), limit=first)

    async def counts(self, services: Iterable[ServiceName]) -> dict[ServiceName, int]:
        """How many reports of each of ``services`` there are, roles together."""
        return {service: await self._kept.count(Where("service", "==", service)) for service in services}

    async def get(self, fault_id: str) -> StoredFault:
        """One report.

        Raises:
            AbsentError: there is none with this id.
        """
        return await self._kept.require(fault_id)

    async def from_agent(self, instance: InstanceName, report: FaultReport) -> FaultTaken:
        """Keep the report of an agent of this node.

        Raises:
            DeniedError: it speaks for another instance.
        """
        if report.instance != instance or report.path:
            raise DeniedError("an agent reports the faults of its own instance only")
        return await self._take(report)

    async def from_consumer(self, consumer: Consumer, report: FaultReport) -> FaultTaken:
        """Keep a report that a consumer sent on.

        Raises:
            DeniedError: of a service outside its profile, or not passed on by it.
            InvalidValueError: it has been here before.
        """
        profile = await self._profiles.find(consumer.profile)
        if not profile.covers(report.service.service):
            raise DeniedError(f"consumer {consumer.name} has no service of this name")
        if not report.path or report.path[-1].id not in (consumer.id, *consumer.former):
            raise DeniedError("the last hop of a report is the consumer that sends it")
        return await self._take(report)

    async def _take(self, report: FaultReport) -> FaultTaken:
        now = self._clock.now()
        next_hop = await self._next_hop(report)
        stored = StoredFault(
            report=report.received_by(self._node, self._node_id, now),
            service=report.service.service,
            received=now,
            forward_to=next_hop,
        )
        try:
            await self._kept.add(stored)
            self._hub.publish(Topic.FAULTS, report.id)
        except ExistsError:
            stored = await self._kept.require(report.id)
        if stored.forward_to is not None and not stored.queued:
            await self._queue(stored, stored.forward_to)
        return FaultTaken(id=report.id)

    async def _queue(self, fault: StoredFault, receiver: NodeName) -> None:
        report = fault.report
        await self._outbox.queue(
            receiver,
            KIND,
            report.id,
            size_bytes=len(codec.encode(report)),
            service=fault.service,
            version=report.version.base,
        )
        # Afterwards: whoever is interrupted in between queues it again, which is once.
        await self._kept.change(report.id, lambda present: replace(present, queued=True))

    async def _next_hop(self, report: FaultReport) -> NodeName | None:
        """The provider that the version came from; ``None`` when it was made here or nobody is known."""
        base = report.version.base
        if base.node == self._node:
            return None
        try:
            version = await self._versions.get(ListKind.DEVELOPER, report.service.service, base)
        except AbsentError:
            return None
        return version.received_from

    # What the delivery asks.

    @property
    def right(self) -> Right:
        """What the provider has to allow."""
        return Right.FAULTS

    @property
    def always(self) -> bool:
        """Only what waits is sent."""
        return False

    async def letter(self, entry: Entry, provider: Provider) -> Letter | Withheld:
        """The report as it goes on to ``provider``."""
        redactor = self._redactors.of(provider)
        if redactor.rules.faults is FaultsSent.OFF:
            return Withheld(why="this link sends no fault reports", counted=False)
        if redactor.rules.faults is FaultsSent.COUNTS:
            return Withheld(why="this link sends the numbers of fault reports only", counted=True)
        fault = await self._kept.get(entry.subject)
        if fault is None:
            return Withheld(why="the report was removed here", counted=True)
        # In a thread: masking half a thousand long lines takes a while.
        report = await asyncio.to_thread(redactor.fault, fault.report)
        return Letter(path=PATH, body=codec.encode(report))

    async def delivered(self, entry: Entry) -> None:
        """Note that the provider took the report."""
        now = self._clock.now()
        with contextlib.suppress(AbsentError):
            await self._kept.change(entry.subject, lambda present: replace(present, forwarded=now))
        self._hub.publish(Topic.FAULTS, entry.subject)

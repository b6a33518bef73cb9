"""Fault reports and the way they took."""

from datetime import datetime
from typing import Self

import strawberry

from federation import circumstances
from federation import fault as faults
from node.model.instance import StoredFault


@strawberry.type(description="One node on a report's way.")
class Hop:
    node: str
    id: str
    received: datetime

    @classmethod
    def of(cls, hop: faults.Hop) -> Self:
        return cls(node=hop.node, id=hop.id, received=hop.received)


def _number(value: int | None) -> float | None:
    """A size for GraphQL, whose integers have 32 bits."""
    return None if value is None else float(value)


@strawberry.type(description="What a host was like when a service crashed on it; null: not known. Sizes in bytes.")
class HostFacts:
    memory_bytes: float | None
    memory_free_bytes: float | None
    disk_bytes: float | None
    disk_free_bytes: float | None
    oom_kills: int | None = strawberry.field(
        description="Processes of the host that the kernel killed for lack of memory while the service ran."
    )
    processors: int | None
    load: float | None = strawberry.field(description="The mean number of processes that wanted to run.")

    @classmethod
    def of(cls, facts: circumstances.HostFacts) -> Self:
        return cls(
            memory_bytes=_number(facts.memory_bytes),
            memory_free_bytes=_number(facts.memory_free_bytes),
            disk_bytes=_number(facts.disk_bytes),
            disk_free_bytes=_number(facts.disk_free_bytes),
            oom_kills=facts.oom_kills,
            processors=facts.processors,
            load=None if facts.load is None else facts.load / 1000,
        )


@strawberry.type(description="A crash of the same service on the same instance before this one.")
class EarlierFault:
    id: strawberry.ID
    occurred: datetime
    version: str
    message: str

    @classmethod
    def of(cls, one: circumstances.EarlierFault) -> Self:
        return cls(id=strawberry.ID(one.id), occurred=one.occurred, version=one.version, message=one.message)


@strawberry.type(description="What is known of one crash of one service on one instance.")
class Fault:
    id: strawberry.ID
    service: str
    version: str
    instance: str
    occurred: datetime
    reason: str
    exit_status: int | None
    signal: str | None
    message: str
    in_probation: bool = strawberry.field(description="Whether the version had not yet proved itself.")
    put_back: str | None = strawberry.field(description="The version that runs again instead.")
    uptime_seconds: float
    log: list[str] = strawberry.field(description="The last lines before the end.")
    trace: list[str] = strawberry.field(description="The last stack trace in the log, line by line.")
    host: HostFacts
    earlier: list[EarlierFault] = strawberry.field(description="The crashes before it there, newest first.")
    alike: int = strawberry.field(description="Crashes since the last report that were only counted.")
    damaged: list[str] = strawberry.field(description="Files of the version that were not as signed on that disk.")
    files: list[str] = strawberry.field(description="What was put aside with the report on the host.")
    left: list[str] = strawberry.field(description="What was too much to put aside.")
    path: list[Hop] = strawberry.field(description="The nodes that had it, in order.")
    received: datetime
    forward_to: str | None = strawberry.field(description="The provider it has to go on to.")
    forwarded: datetime | None

    @classmethod
    def of(cls, stored: StoredFault) -> Self:
        report = stored.report
        return cls(
            id=strawberry.ID(report.id),
            service=report.service,
            version=report.version,
            instance=report.instance,
            occurred=report.occurred,
            reason=report.reason,
            exit_status=report.exit_status,
            signal=report.signal,
            message=report.message,
            in_probation=report.in_probation,
            put_back=report.put_back,
            uptime_seconds=report.uptime_seconds,
            log=list(report.log),
            trace=list(report.trace),
            host=HostFacts.of(report.host),
            earlier=[EarlierFault.of(one) for one in report.earlier],
            alike=report.alike,
            damaged=list(report.damaged),
            files=list(report.files),
            left=list(report.left),
            path=[Hop.of(hop) for hop in report.path],
            received=stored.received,
            forward_to=stored.forward_to,
            forwarded=stored.forwarded,
        )

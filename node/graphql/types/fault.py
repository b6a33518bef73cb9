"""Fault reports and the way they took."""

from datetime import datetime
from typing import Self

import strawberry

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
            path=[Hop.of(hop) for hop in report.path],
            received=stored.received,
            forward_to=stored.forward_to,
            forwarded=stored.forwarded,
        )

"""Instances and what runs on them."""

from datetime import datetime
from typing import Self

import strawberry

from federation import state as states
from federation.names import InstanceName
from federation.state import Phase
from node.model import instance as instances
from node.model import labels as by_label


@strawberry.type(description="What the last update of a service cost, and what the whole image would have cost.")
class Moved:
    version: str
    base: str | None
    moved_bytes: float
    full_bytes: float
    seconds: float

    @classmethod
    def of(cls, moved: states.Moved) -> Self:
        return cls(
            version=moved.version,
            base=moved.base,
            moved_bytes=float(moved.moved_bytes),
            full_bytes=float(moved.full_bytes),
            seconds=moved.seconds,
        )


@strawberry.type(description="One service on one instance, as its agent last said.")
class ServiceOnInstance:
    instance: str
    service: str = strawberry.field(description="The service, with its role after ':' if it plays one.")
    phase: Phase
    since: datetime
    desired: str | None
    running: str | None
    committed: str | None
    failed: str | None = strawberry.field(description="A desired version that was tried and put back.")
    error: str = strawberry.field(description="Why it was put back.")
    failures: int
    last_exit: str
    moved: Moved | None
    halted: bool = strawberry.field(description="An operator stopped it on its host.")
    held: bool = strawberry.field(description="An operator lets no update of it begin.")

    @classmethod
    def of(cls, instance: InstanceName, state: states.ServiceState) -> Self:
        return cls(
            instance=instance,
            service=state.key,
            phase=state.phase,
            since=state.since,
            desired=state.desired,
            running=state.running,
            committed=state.committed,
            failed=state.failed,
            error=state.error,
            failures=state.failures,
            last_exit=state.last_exit,
            moved=Moved.of(state.moved) if state.moved else None,
            halted=state.halted,
            held=state.held,
        )


@strawberry.type(description="A service on its way from another instance, where it has not ended yet.")
class AwaitedService:
    service: str
    source: str


@strawberry.type(description="A host with an agent.")
class Instance:
    name: str
    id: str
    enrolled: datetime
    seen: datetime | None
    connected: bool
    revoked: bool
    labels: list[str]
    services: list[str] | None = strawberry.field(
        description="What it is to run; null: all desired client versions that are not placed elsewhere."
    )
    due: list[str] = strawberry.field(description="Of what is desired, what it is to run by its services and labels.")
    fixed: list[str] | None = strawberry.field(
        description="What its agent's own file allows, whatever this node says; null: everything."
    )
    awaits: list[AwaitedService] = strawberry.field(
        description="Of these, what it begins once another instance has left it."
    )
    states: list[ServiceOnInstance]
    clock_ahead_seconds: float = strawberry.field(
        description="How far its host's clock is ahead of the node's; 0: not by half a minute."
    )
    problem: str = strawberry.field(description="Why its agent refuses what this node says; empty: it does not.")

    @classmethod
    def of(cls, instance: instances.Instance, *, connected: bool, placing: by_label.Placing) -> Self:
        services = instance.state.services if instance.state else ()
        return cls(
            name=instance.name,
            id=instance.id,
            enrolled=instance.enrolled,
            seen=instance.seen,
            connected=connected,
            revoked=instance.revoked,
            labels=[str(label) for label in instance.labels],
            services=None if instance.allowed is None else [str(key) for key in instance.allowed],
            due=[str(key) for key in placing.due(instance)],
            fixed=None if instance.fixed is None else [str(key) for key in instance.fixed],
            awaits=[AwaitedService(service=one.key, source=one.source) for one in instance.awaits],
            states=[ServiceOnInstance.of(instance.name, state) for state in services],
            clock_ahead_seconds=instance.clock_ahead_seconds,
            problem=instance.state.problem if instance.state else "",
        )


@strawberry.type(description="That a service runs on the instances that have all of these labels.")
class Placement:
    service: str
    labels: list[str]

    @classmethod
    def of(cls, placement: by_label.Placement) -> Self:
        return cls(service=placement.key, labels=[str(label) for label in placement.labels])


@strawberry.type(description="A right to attach one agent, to be used once. Shown once.")
class NewEnrolment:
    text: str
    instance: str
    expires: datetime

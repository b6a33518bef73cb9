"""What consumers reported of the versions they took, and what this node tells its own providers."""

from datetime import datetime
from typing import Self

import strawberry

from federation import redaction, report
from federation.redaction import FaultsSent
from federation.state import Phase
from node.graphql.access import part
from node.graphql.context import Info
from node.graphql.types.version import VersionEntry
from node.model.account import Role
from node.model.report import OwnMark, ReceivedStates


@strawberry.type(description="One service on one instance of a consumer, as that one told it.")
class ReportedService:
    service: str
    phase: Phase
    since: datetime
    desired: str | None
    running: str | None
    committed: str | None
    failed: str | None
    error: str
    failures: int
    last_exit: str

    @classmethod
    def of(cls, state: report.ReportedState) -> Self:
        return cls(
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
        )


@strawberry.type(description="An instance of a consumer; its name may be a pseudonym.")
class ReportedInstance:
    name: str
    at: datetime = strawberry.field(description="When its agent saw this.")
    services: list[ReportedService]

    @classmethod
    def of(cls, instance: report.ReportedInstance) -> Self:
        return cls(name=instance.name, at=instance.at, services=[ReportedService.of(one) for one in instance.services])


@strawberry.type(description="The newest report of a consumer: what it wants run, and what runs there.")
class StateReport:
    received: datetime
    at: datetime = strawberry.field(description="When the consumer wrote it, by its own clock.")
    installed: list[VersionEntry]
    instances: list[ReportedInstance]
    left_out: int = strawberry.field(description="How many more instances did not fit into the report.")

    @classmethod
    def of(cls, kept: ReceivedStates) -> Self:
        return cls(
            received=kept.received,
            at=kept.report.at,
            installed=[VersionEntry(service=one.service, version=one.version) for one in kept.report.installed],
            instances=[ReportedInstance.of(one) for one in kept.report.instances],
            left_out=kept.report.left_out,
        )


@strawberry.type(description="So many things of one kind were not sent whole over a link.")
class OmittedCount:
    kind: str
    service: str
    version: str
    why: str = strawberry.field(
        description="budget: there was no room for more; settings: the link sends numbers only."
    )
    count: float
    first: datetime
    last: datetime

    @classmethod
    def of(cls, one: report.Count) -> Self:
        return cls(
            kind=one.kind,
            service=one.service,
            version=one.version,
            why=one.why,
            count=float(one.count),
            first=one.first,
            last=one.last,
        )


@strawberry.type(description="A word that versions passed the tests of whoever gave it.")
class TestedMark:
    id: str
    at: datetime
    versions: list[VersionEntry]
    comment: str

    @classmethod
    def of(cls, mark: report.TestedReport) -> Self:
        return cls(
            id=mark.id,
            at=mark.at,
            versions=[VersionEntry(service=one.service, version=one.version) for one in mark.versions],
            comment=mark.comment,
        )


@strawberry.type(description="A tested mark on its way to the provider of the versions.")
class GivenMark:
    provider: str
    mark: TestedMark

    @classmethod
    def of(cls, given: OwnMark) -> Self:
        return cls(provider=given.provider, mark=TestedMark.of(given.report))


@strawberry.type(description="What of this node's states and faults a provider gets.")
class Redaction:
    states: bool
    installed: bool
    faults: FaultsSent
    pseudonyms: bool = strawberry.field(description="Whether instances go under other names, that only it knows.")
    mask_count: int
    emails: bool
    named: strawberry.Private[tuple[str, ...]]

    @part(
        "Texts that are blotted out; `*` is any run within a word. Shown to administrators only: such a text may be a"
        " secret itself."
    )
    def masks(self, info: Info) -> list[str]:
        person = info.context.person
        return list(self.named) if person is not None and person.role.includes(Role.ADMINISTRATOR) else []

    @classmethod
    def of(cls, rules: redaction.Redaction) -> Self:
        return cls(
            states=rules.states,
            installed=rules.installed,
            faults=rules.faults,
            pseudonyms=rules.pseudonyms,
            mask_count=len(rules.masks),
            named=rules.masks,
            emails=rules.emails,
        )


@strawberry.input(description="What of this node's states and faults a provider gets.")
class RedactionInput:
    states: bool = True
    installed: bool = True
    faults: FaultsSent = FaultsSent.FULL
    pseudonyms: bool = False
    masks: list[str] = strawberry.field(default_factory=list)
    emails: bool = False

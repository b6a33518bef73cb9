"""Links to other nodes and what came over them."""

from datetime import datetime
from typing import Self

import strawberry

from federation.link.rights import Right
from federation.names import NodeName
from node.graphql import values
from node.graphql.access import part
from node.graphql.context import Info
from node.graphql.types.report import OmittedCount, Redaction, StateReport, TestedMark
from node.graphql.types.version import VersionEntry
from node.model import peer
from node.model import version as versions
from node.model.peer import AutoUpdate


@strawberry.type(description="A node that this one takes versions from.")
class Provider:
    name: str
    id: str
    url: str
    profile: str
    linked: datetime
    auto_update: AutoUpdate
    connected: bool = strawberry.field(description="Whether its event stream is open now.")
    checked: datetime | None = strawberry.field(description="When its catalogue was last asked for.")
    error: str = strawberry.field(description="Why the last check or update failed; empty: it did not.")
    offered: list[VersionEntry]
    window: str = strawberry.field(description="When this node updates from it by itself; empty: at any time.")
    tested_by: str | None = strawberry.field(description="Whose tested mark a version needs to be taken by itself.")
    fresh_until: datetime | None = strawberry.field(description="How long the catalogue that was read is good.")
    rights: list[Right] = strawberry.field(description="What it lets this node do.")
    ended: datetime | None = strawberry.field(description="Since when it knows this node no more.")
    offered_url: str = strawberry.field(description="Where it says to be reached, but was not found; empty: nowhere.")
    redaction: Redaction
    builds: bool = strawberry.field(description="Whether this node calls in there for builds to run here.")

    @classmethod
    def of(cls, provider: peer.Provider, *, connected: bool) -> Self:
        offered = provider.catalog.listing.entries if provider.catalog else ()
        return cls(
            name=provider.name,
            id=provider.id,
            url=provider.url,
            profile=provider.profile,
            linked=provider.linked,
            auto_update=provider.auto_update,
            connected=connected,
            checked=provider.checked,
            error=provider.error,
            offered=[VersionEntry(service=one.service, version=one.version) for one in offered],
            window=provider.window,
            tested_by=provider.tested_by,
            fresh_until=provider.catalog.expires if provider.catalog else None,
            rights=sorted(provider.rights, key=lambda one: one.value),
            ended=provider.ended,
            offered_url=provider.offered_url,
            redaction=Redaction.of(provider.redaction),
            builds=provider.builds,
        )


@strawberry.type(description="A node that takes the versions of one profile from this one.")
class Consumer:
    name: str
    id: str
    profile: str
    linked: datetime
    rights: list[Right]
    tester: bool = strawberry.field(description="Whether its tested marks are shown to the others.")
    seen: datetime | None
    connected: bool

    @part("What it reported last; null: nothing yet, or it sends none.")
    async def report(self, info: Info) -> StateReport | None:
        kept = await info.context.usecases.received.states_of(NodeName(self.name))
        return None if kept is None else StateReport.of(kept)

    @part("What it did not send whole, ever.")
    async def omitted(self, info: Info) -> list[OmittedCount]:
        kept = await info.context.usecases.received.counts_of(NodeName(self.name))
        return [OmittedCount.of(one) for one in kept.report.counts] if kept else []

    @part("Its newest tested marks, newest first.")
    async def marks(self, info: Info, first: int = 10) -> list[TestedMark]:
        found = await info.context.usecases.received.marks_of(NodeName(self.name), first=values.page(first))
        return [TestedMark.of(one.report) for one in found]

    @classmethod
    def of(cls, consumer: peer.Consumer, *, connected: bool) -> Self:
        return cls(
            name=consumer.name,
            id=consumer.id,
            profile=consumer.profile,
            linked=consumer.linked,
            rights=sorted(consumer.rights, key=lambda one: one.value),
            tester=consumer.tester,
            seen=consumer.seen,
            connected=connected,
        )


@strawberry.type(description="An image received from a provider: what moved, and what the whole would have been.")
class Transfer:
    provider: str
    service: str
    version: str
    base: str | None
    moved_bytes: float
    full_bytes: float
    repaired_bytes: float = strawberry.field(
        description="Of the bytes moved, those that made good for what was wrong when it came."
    )
    seconds: float
    at: datetime

    @classmethod
    def of(cls, transfer: versions.Transfer) -> Self:
        return cls(
            provider=transfer.provider,
            service=transfer.service,
            version=transfer.version,
            base=transfer.base,
            moved_bytes=float(transfer.moved_bytes),
            full_bytes=float(transfer.full_bytes),
            repaired_bytes=float(transfer.repaired_bytes),
            seconds=transfer.seconds,
            at=transfer.at,
        )


@strawberry.type(description="A right to become a consumer, to be used once. Shown once.")
class NewInvitation:
    text: str
    profile: str
    expires: datetime

"""What packs cost and saved, and which providers lied in what they sent."""

from datetime import datetime
from typing import Self

import strawberry

from node.graphql.access import field
from node.graphql.context import Info
from node.model import penalty
from node.model.account import Role
from node.usecases.transfers import SavedBytes as Sums


@strawberry.type(description="All images received from providers together.")
class SavedBytes:
    moved: float = strawberry.field(description="Bytes that came over the network.")
    full: float = strawberry.field(description="Bytes of the full packs.")
    saved: float = strawberry.field(description="The difference.")
    transfers: int

    @classmethod
    def of(cls, one: Sums) -> Self:
        return cls(moved=float(one.moved), full=float(one.full), saved=float(one.saved), transfers=one.transfers)


@strawberry.type(description="A provider that sent bytes which were not what was asked for.")
class Penalty:
    provider: str
    count: int = strawberry.field(description="How often in succession.")
    reason: str = strawberry.field(description="What was wrong the last time.")
    last: datetime
    until: datetime = strawberry.field(description="Until then no deltas are asked of it.")

    @classmethod
    def of(cls, one: penalty.Penalty) -> Self:
        return cls(provider=one.provider, count=one.count, reason=one.reason, last=one.last, until=one.until)


@strawberry.type
class PackQueries:
    @field(Role.VIEWER, "What all transfers cost, and what the whole images would have.")
    async def saved_bytes(self, info: Info) -> SavedBytes:
        return SavedBytes.of(await info.context.usecases.transfers.saved())

    @field(Role.VIEWER, "Providers that lied in what they sent, also long ago.")
    async def penalties(self, info: Info) -> list[Penalty]:
        return [Penalty.of(one) for one in await info.context.usecases.penalties.all()]

"""Links to other nodes and what came over them."""

from datetime import datetime
from typing import Self

import strawberry

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
    checked: datetime | None = strawberry.field(description="When its offer was last verified.")
    error: str = strawberry.field(description="Why the last check or update failed; empty: it did not.")
    offered: list[VersionEntry]

    @classmethod
    def of(cls, provider: peer.Provider, *, connected: bool) -> Self:
        offered = provider.offer.versions if provider.offer else ()
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
        )


@strawberry.type(description="A node that takes the versions of one profile from this one.")
class Consumer:
    name: str
    id: str
    profile: str
    linked: datetime
    seen: datetime | None
    connected: bool

    @classmethod
    def of(cls, consumer: peer.Consumer, *, connected: bool) -> Self:
        return cls(
            name=consumer.name,
            id=consumer.id,
            profile=consumer.profile,
            linked=consumer.linked,
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
            seconds=transfer.seconds,
            at=transfer.at,
        )


@strawberry.type(description="A right to become a consumer, to be used once. Shown once.")
class NewInvitation:
    text: str
    profile: str
    expires: datetime

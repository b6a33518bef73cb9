"""Peers that build for this node."""

from typing import Self

import strawberry

from node.usecases import delegation
from node.usecases.builder_lines import PeerKind

strawberry.enum(PeerKind, description="What a peer is to this node.")


@strawberry.type(description="A peer as a builder for this node.")
class Builder:
    name: str
    kind: PeerKind = strawberry.field(
        description="A consumer calls in for work, and builds only where it is named; a provider is dialled."
    )
    takes: bool = strawberry.field(description="Whether it takes another build now.")
    why: str = strawberry.field(description="Why it takes none; empty where it does.")
    running: int | None = strawberry.field(description="Builds of peers that it works on; null: it does not say.")
    most: int | None = strawberry.field(description="As many as it takes at once.")
    load: float | None = strawberry.field(description="Load of its processors over one minute.")
    cpus: int | None
    free_memory_bytes: float | None
    free_disk_bytes: float | None

    @classmethod
    def of(cls, builder: delegation.Builder) -> Self:
        state = builder.state
        return cls(
            name=builder.name,
            kind=builder.kind,
            takes=state is not None and not state.refusal,
            why=builder.error if state is None else state.refusal,
            running=None if state is None else state.running,
            most=None if state is None else state.most,
            load=None if state is None else state.load,
            cpus=None if state is None else state.cpus,
            free_memory_bytes=None if state is None else state.free_memory_bytes,
            free_disk_bytes=None if state is None else state.free_disk_bytes,
        )

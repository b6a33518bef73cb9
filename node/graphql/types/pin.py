"""The keys by which versions of other nodes are believed."""

from datetime import datetime
from typing import Self

import strawberry

from node.model import peer


@strawberry.type(description="The key by which versions of a node are believed here.")
class Pin:
    node: str
    key_id: str
    key: str = strawberry.field(description="Its Ed25519 public key in base64.")
    seen: datetime = strawberry.field(description="When the node's key was first seen here.")
    through: str | None = strawberry.field(description="The provider that showed it; null: a link of this node's own.")
    changes: int = strawberry.field(description="How many statements of old keys led to it.")
    awaited: str | None = strawberry.field(description="The id of the key that an administrator lets take its place.")

    @classmethod
    def of(cls, pin: peer.Pin) -> Self:
        return cls(
            node=pin.node,
            key_id=pin.key.id,
            key=pin.key,
            seen=pin.seen,
            through=pin.through,
            changes=len(pin.changes),
            awaited=pin.awaited,
        )

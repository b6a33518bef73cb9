"""Pinned keys: what may be asked of them, and how an administrator lets another key take the place of one."""

import strawberry

from federation.identity import NodeId
from federation.names import NodeName
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.pin import Pin
from node.model.account import Role


@strawberry.type
class KeysQueries:
    @field(Role.VIEWER, "The keys by which versions of other nodes are believed here, by node.")
    async def pins(self, info: Info) -> list[Pin]:
        return [Pin.of(one) for one in await info.context.usecases.pins.all()]


@strawberry.type
class KeysMutations:
    @field(
        Role.ADMINISTRATOR,
        "Let another key take the place of a pinned one when it is next seen. Ask the node's operator for its id, by "
        "another way than the link.",
    )
    async def reset_pin(self, info: Info, node: str, key_id: str) -> Pin:
        name, key = values.read("node", NodeName, node), values.read("keyId", NodeId.typed, key_id)
        return Pin.of(await info.context.usecases.pins.reset(name, key, who=info.context.who))

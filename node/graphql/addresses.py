"""Where the providers of this node are reached."""

import strawberry

from federation.link.address import URL_CHARS
from federation.names import NodeName
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.peer import Provider
from node.model.account import Role


@strawberry.type
class AddressesMutations:
    @field(Role.ADMINISTRATOR, "Reach a provider at another address from now on. Refused unless its key answers there.")
    async def set_provider_address(self, info: Info, name: str, url: str) -> Provider:
        moved = await info.context.usecases.addresses.move(
            values.read("name", NodeName, name),
            values.text("url", url.strip(), URL_CHARS),
            who=info.context.who,
        )
        return Provider.of(moved, connected=await info.context.usecases.links.connected(moved.name))

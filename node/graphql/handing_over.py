"""Queries and mutations of which peers may be handed the secrets that a service is built with."""

import strawberry

from federation.names import ServiceName
from node.graphql import values
from node.graphql.access import field
from node.graphql.building import builder_names
from node.graphql.context import Info
from node.graphql.types.entrusted import Entrusted
from node.model.account import Role


@strawberry.type
class HandingOverQueries:
    @field(Role.VIEWER, "The services whose secrets go to builders, with these, by service.")
    async def entrusted(self, info: Info) -> list[Entrusted]:
        use = info.context.usecases.handing_over
        names = await use.names()
        return [Entrusted.of(one, names) for one in await use.all()]


@strawberry.type
class HandingOverMutations:
    @field(
        Role.ADMINISTRATOR,
        "Let these peers, and no others, be handed what builds of a service need: the private files that its recipe "
        "names, and the credentials for its sources; sealed to the peer's key.",
    )
    async def entrust(self, info: Info, service: str, peers: list[str]) -> Entrusted:
        use = info.context.usecases.handing_over
        name = values.read("service", ServiceName, service)
        found = await use.entrust(name, builder_names(peers), who=info.context.who)
        return Entrusted.of(found, await use.names())

    @field(Role.ADMINISTRATOR, "Hand nothing of a service's secrets to any builder from now on.")
    async def withdraw_trust(self, info: Info, service: str) -> bool:
        name = values.read("service", ServiceName, service)
        await info.context.usecases.handing_over.withdraw(name, who=info.context.who)
        return True

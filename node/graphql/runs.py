"""The runs of services on this node's instances."""

import strawberry

from federation.names import InstanceName, ServiceKey
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.run import Run
from node.model.account import Role


@strawberry.type
class RunsQueries:
    @field(Role.VIEWER, "The newest runs of a service on an instance, newest first. `service` may name a role.")
    async def runs(self, info: Info, instance: str, service: str) -> list[Run]:
        name, key = values.read("instance", InstanceName, instance), values.read("service", ServiceKey, service)
        return [Run.of(one) for one in await info.context.usecases.runs.of(name, key)]

"""Queries and mutations of where services run by labels."""

import strawberry

from federation.limits import LABELS
from federation.names import InstanceName, LabelName, ServiceKey
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.instance import Instance, Placement
from node.model.account import Role


def _labels(labels: list[str]) -> tuple[LabelName, ...]:
    found = values.items("labels", labels, LABELS, lambda one: values.read("labels", LabelName, one))
    return tuple(sorted(set(found)))


@strawberry.type
class PlacementsQueries:
    @field(Role.VIEWER, "Which labels an instance must have to run a service, by service.")
    async def placements(self, info: Info) -> list[Placement]:
        return [Placement.of(one) for one in await info.context.usecases.placements.all()]


@strawberry.type
class PlacementsMutations:
    @field(Role.ADMINISTRATOR, "Give an instance labels, in place of those it had; what is placed by them follows.")
    async def label_instance(self, info: Info, instance: str, labels: list[str]) -> Instance:
        use = info.context.usecases.instances
        name = values.read("instance", InstanceName, instance)
        found = await use.label(name, _labels(labels), who=info.context.who)
        return Instance.of(found, connected=await use.connected(name), placing=await use.placing())

    @field(
        Role.ADMINISTRATOR,
        "Have a service, or a role of it, run on the instances that have all of these labels, and on no others. It "
        "concerns instances that run all that is desired.",
    )
    async def place_service(self, info: Info, service: str, labels: list[str]) -> Placement:
        key = values.read("service", ServiceKey, service)
        return Placement.of(await info.context.usecases.placements.place(key, _labels(labels), who=info.context.who))

    @field(Role.ADMINISTRATOR, "Forget where a service, or a role of it, is to run.")
    async def forget_placement(self, info: Info, service: str) -> bool:
        key = values.read("service", ServiceKey, service)
        await info.context.usecases.placements.forget(key, who=info.context.who)
        return True

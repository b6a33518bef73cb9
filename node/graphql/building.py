"""Queries and mutations of builds at peers, and of rebuilds."""

from typing import Final

import strawberry

from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.building import Builder
from node.graphql.types.peer import Provider
from node.graphql.types.task import Task
from node.model.account import Role

BUILDERS_NAMED: Final = 20


def builder_names(names: list[str]) -> tuple[NodeName, ...]:
    """The peers that are to build, in the order in which they are asked."""
    return tuple(values.items("on", names, BUILDERS_NAMED, lambda one: values.read("on", NodeName, one)))


@strawberry.type
class BuildingQueries:
    @field(Role.VIEWER, "The peers of this node that could build for it, each with whether it takes a build now.")
    async def builders(self, info: Info) -> list[Builder]:
        return [Builder.of(one) for one in await info.context.usecases.delegation.builders()]


@strawberry.type
class BuildingMutations:
    @field(Role.ADMINISTRATOR, "Call in at a provider for builds to run here, or no more: it can't dial this node.")
    async def set_provider_builds(self, info: Info, provider: str, builds: bool) -> Provider:
        name, links = values.read("provider", NodeName, provider), info.context.usecases.links
        changed = await links.set_builds(name, builds, who=info.context.who)
        return Provider.of(changed, connected=await links.connected(name))

    @field(
        Role.DEVELOPER,
        "Build a developer version once more from its commits, to see whether the same image comes out: by the first "
        "of the peers 'on' that takes it, of all providers where that is empty; here where it is null.",
    )
    async def rebuild(self, info: Info, service: str, version: str, on: list[str] | None = None) -> Task:
        task = await info.context.usecases.rebuilds.start(
            values.read("service", ServiceName, service),
            values.read("version", DeveloperVersion, version),
            on=builder_names(on or []),
            here=on is None,
            who=info.context.who,
        )
        return Task.of(task)

"""Queries and mutations of who built what, and of the builders that a service's versions need."""

import contextlib

import strawberry

from federation.digest import Digest
from federation.errors import AbsentError
from federation.identity import NodeId
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.provenance import BuilderPolicy, Provenance
from node.model import building
from node.model.account import Role
from node.model.desired import ListKind
from node.usecases.provenances import BUILDERS_MOST


@strawberry.type
class ProvenancesQueries:
    @field(Role.VIEWER, "Who built a developer version, the earliest first.")
    async def provenance(self, info: Info, service: str, version: str) -> list[Provenance]:
        use = info.context.usecases
        name = values.read("service", ServiceName, service)
        number = values.read("version", DeveloperVersion, version)
        image: Digest | None = None
        with contextlib.suppress(AbsentError):
            image = (await use.versions.get(ListKind.DEVELOPER, name, number)).image
        return [Provenance.of(one, image) for one in await use.provenances.of(name, number)]

    @field(Role.VIEWER, "Which builders the versions of a service need, by service.")
    async def builder_policies(self, info: Info) -> list[BuilderPolicy]:
        return [BuilderPolicy.of(one) for one in await info.context.usecases.provenances.policies()]


@strawberry.type
class ProvenancesMutations:
    @field(
        Role.ADMINISTRATOR,
        "Have versions of a service become desired only once so many of these builders, by node id, have built the "
        "same image. What is desired already stays.",
    )
    async def require_builders(self, info: Info, service: str, builders: list[str], require: int) -> BuilderPolicy:
        policy = building.BuilderPolicy(
            service=values.read("service", ServiceName, service),
            builders=tuple(
                values.items("builders", builders, BUILDERS_MOST, lambda one: values.read("builders", NodeId, one))
            ),
            require=require,
        )
        return BuilderPolicy.of(await info.context.usecases.provenances.require(policy, who=info.context.who))

    @field(Role.ADMINISTRATOR, "Have versions of a service become desired whoever built them.")
    async def free_builders(self, info: Info, service: str) -> bool:
        name = values.read("service", ServiceName, service)
        await info.context.usecases.provenances.free(name, who=info.context.who)
        return True

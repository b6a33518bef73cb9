"""How two versions of a service differ."""

import strawberry

from federation.names import ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.comparison import VersionComparison
from node.model.account import Role
from node.model.desired import ListKind
from node.usecases.comparing import compare_versions


@strawberry.type
class ComparingQueries:
    @field(
        Role.VIEWER,
        "How the image of version `other` differs from that of `version`; both are of one kind and here whole."
        " At most `first` differences are listed; all are counted.",
    )
    async def compare_versions(
        self,
        info: Info,
        *,
        service: str,
        version: str,
        other: str,
        kind: ListKind = ListKind.DEVELOPER,
        first: int = 200,
    ) -> VersionComparison:
        spelled = DeveloperVersion if kind is ListKind.DEVELOPER else ClientVersion
        most = values.page(first)
        found = await compare_versions(
            info.context.usecases.versions,
            info.context.usecases.images,
            kind=kind,
            service=values.read("service", ServiceName, service),
            version=values.read("version", spelled, version),
            other=values.read("other", spelled, other),
        )
        return VersionComparison.of(found, most)

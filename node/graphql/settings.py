"""Whether the settings of a service at this site are watched."""

import strawberry

from federation.names import ServiceName
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.service import SiteSettings
from node.model.account import Role
from node.model.settings import Watch


@strawberry.type
class SettingsMutations:
    @field(
        Role.DEVELOPER,
        "Say whether another commit to the settings of a service leads to a client version by itself; the settings stay"
        " as they are.",
    )
    async def watch_settings(self, info: Info, service: str, watch: Watch) -> SiteSettings:
        name = values.read("service", ServiceName, service)
        return SiteSettings.of(await info.context.usecases.services.watch_site(name, watch, who=info.context.who))

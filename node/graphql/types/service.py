"""Services on their way: developer version, client version, what runs where."""

from datetime import datetime
from typing import Self

import strawberry

from node.graphql.lanes import Lane
from node.graphql.types.catalog import Withdrawal
from node.graphql.types.instance import ServiceOnInstance
from node.graphql.types.peer import Transfer
from node.graphql.types.task import Task
from node.model import settings
from node.model import version as versions
from node.model.settings import Watch

strawberry.enum(
    Watch,
    name="SettingsWatch",
    description="Whether another commit to the settings of a service leads to a client version by itself. `AUTO`: where"
    " the service comes by a link that installs by itself.",
)


@strawberry.type(description="A Git repository that something is made from.")
class GitSource:
    name: str = strawberry.field(description="The name of its folder in the build.")
    url: str
    ref: str = strawberry.field(description="A branch, a tag or a commit.")
    directory: str = strawberry.field(description="A folder inside the repository; empty: its root.")

    @classmethod
    def of(cls, source: versions.GitSource) -> Self:
        return cls(name=source.name, url=source.url, ref=source.ref, directory=source.directory)


@strawberry.type(description="The value that a %%name%% gets at this site.")
class Macro:
    name: str
    value: str


@strawberry.type(description="How this site adapts one service.")
class SiteSettings:
    service: str
    overlays: list[GitSource] = strawberry.field(description="Overlay directories, in the order of their application.")
    macros: list[Macro]
    watch: Watch = strawberry.field(description="What is said of watching them.")

    @classmethod
    def of(cls, site: versions.SiteSettings) -> Self:
        return cls(
            service=site.service,
            overlays=[GitSource.of(overlay) for overlay in site.overlays],
            macros=[Macro(name=name, value=value) for name, value in sorted((site.macros or {}).items())],
            watch=site.watch,
        )


@strawberry.type(description="What is known of one repository of settings that is watched.")
class SettingsLook:
    url: str
    ref: str
    commit: str | None = strawberry.field(description="What it was at when it was last seen; null: not seen yet.")
    tried: datetime | None = strawberry.field(description="When it was last asked.")
    seen: datetime | None = strawberry.field(description="When it last answered.")
    failed: int = strawberry.field(description="How often in a row it could not be asked.")
    error: str

    @classmethod
    def of(cls, look: settings.SettingsLook) -> Self:
        return cls(
            url=look.url,
            ref=look.ref,
            commit=look.commit,
            tried=look.tried,
            seen=look.seen,
            failed=look.failed,
            error=look.error,
        )


@strawberry.type(description="A service on its way: developer version, client version, what runs on each instance.")
class Service:
    name: str
    developed: bool = strawberry.field(description="Whether this node builds it.")
    provider: str | None = strawberry.field(description="The provider it comes from, if any.")
    sources: list[GitSource]
    tagged: bool = strawberry.field(description="Whether the sources of each version are tagged where they came from.")
    site: SiteSettings | None
    watched: bool = strawberry.field(
        description="Whether another commit to its settings leads to a client version by itself."
    )
    looks: list[SettingsLook] = strawberry.field(
        description="What is known of the repositories of its settings while they are watched, in their order."
    )
    developer_desired: str | None
    client_desired: str | None
    latest_developer: str | None
    latest_client: str | None
    running: list[ServiceOnInstance]
    task: Task | None = strawberry.field(description="The newest task about it that has not ended.")
    faults: int = strawberry.field(description="Fault reports about it kept here.")
    last_transfer: Transfer | None
    withdrawn: list[Withdrawal] = strawberry.field(description="Withdrawn versions of it that are desired here or run.")

    @classmethod
    def of(cls, lane: Lane) -> Self:
        return cls(
            name=lane.name,
            developed=lane.developed,
            provider=lane.provider,
            sources=[GitSource.of(source) for source in lane.sources],
            tagged=lane.tag,
            site=SiteSettings.of(lane.site) if lane.site else None,
            watched=lane.watched,
            looks=[SettingsLook.of(look) for look in lane.looks],
            developer_desired=lane.developer_desired,
            client_desired=lane.client_desired,
            latest_developer=lane.latest_developer,
            latest_client=lane.latest_client,
            running=[ServiceOnInstance.of(place.instance, place.state) for place in lane.running],
            task=Task.of(lane.task) if lane.task else None,
            faults=lane.faults,
            last_transfer=Transfer.of(lane.last_transfer) if lane.last_transfer else None,
            withdrawn=[Withdrawal.of(one) for one in lane.withdrawn],
        )

"""What may be asked. Each field reads from the use cases and shapes; it decides nothing."""

import asyncio
import base64

import strawberry

from federation import limits
from federation.errors import AbsentError
from federation.log import Level
from federation.names import InstanceName, ServiceKey, ServiceName
from node.graphql import values
from node.graphql.access import field
from node.graphql.alarms import AlarmsQueries
from node.graphql.building import BuildingQueries
from node.graphql.catalogs import CatalogQueries
from node.graphql.comparing import ComparingQueries
from node.graphql.context import Context, Info
from node.graphql.credentials import CredentialsQueries
from node.graphql.following import FollowingQueries
from node.graphql.handing_over import HandingOverQueries
from node.graphql.keys import KeysQueries
from node.graphql.lanes import Known, lanes
from node.graphql.links import LinkQueries
from node.graphql.nearby import NearbyQueries
from node.graphql.outbox import OutboxQueries
from node.graphql.packs import PackQueries
from node.graphql.placements import PlacementsQueries
from node.graphql.private_files import PrivateFilesQueries
from node.graphql.provenances import ProvenancesQueries
from node.graphql.runs import RunsQueries
from node.graphql.types.account import AuditEntry, Node, Person
from node.graphql.types.fault import Fault
from node.graphql.types.instance import Instance
from node.graphql.types.peer import Provider, Transfer
from node.graphql.types.service import Service
from node.graphql.types.task import FoundRecord, LogRecord, Task
from node.graphql.types.version import Profile, Revision, Version
from node.model.account import Role
from node.model.desired import ListKind
from node.storage.logs import LogQuery


async def known(context: Context) -> Known:
    """What the lanes are made of: as many reads as there are kinds of things, however many services there are."""
    usecases, most = context.usecases, values.MOST_ITEMS
    developer = await usecases.desired.current(ListKind.DEVELOPER)
    client = await usecases.desired.current(ListKind.CLIENT)
    developed = await usecases.services.developed()
    names = {*developer.versions, *client.versions, *(service.name for service in developed)}
    return Known(
        developer=developer,
        client=client,
        developed=developed,
        withdrawn=await usecases.withdrawals.in_force(),
        sites=await usecases.services.sites(),
        looks=await usecases.settings_watch.known(),
        developer_versions=await usecases.versions.find(ListKind.DEVELOPER, service=None, first=most),
        client_versions=await usecases.versions.find(ListKind.CLIENT, service=None, first=most),
        providers=await usecases.links.providers(),
        instances=await usecases.instances.all(),
        tasks=await usecases.tasks.find(first=most),
        transfers=await usecases.transfers.newest(first=most),
        faults=await usecases.faults.counts(names),
    )


@strawberry.type
class Query(
    AlarmsQueries,
    CatalogQueries,
    ComparingQueries,
    CredentialsQueries,
    FollowingQueries,
    KeysQueries,
    LinkQueries,
    NearbyQueries,
    OutboxQueries,
    PackQueries,
    PlacementsQueries,
    PrivateFilesQueries,
    ProvenancesQueries,
    HandingOverQueries,
    BuildingQueries,
    RunsQueries,
):
    @field(Role.VIEWER, "This node.")
    async def node(self, info: Info) -> Node:
        return Node.of(info.context.usecases.identity)

    @field(Role.VIEWER, "Who calls.")
    async def me(self, info: Info) -> Person:
        person = info.context.person
        if person is None:
            raise AbsentError("nobody is logged in")
        return Person.of(person)

    @field(Role.VIEWER, "All services known here, by name.")
    async def services(self, info: Info) -> list[Service]:
        return [Service.of(lane) for lane in lanes(await known(info.context))]

    @field(Role.VIEWER, "The versions that should run now.")
    async def desired(self, info: Info, kind: ListKind) -> Revision:
        return Revision.of(await info.context.usecases.desired.current(kind))

    @field(Role.VIEWER, "The states of a list, newest first, before revision `before`.")
    async def desired_history(
        self, info: Info, kind: ListKind, first: int = 20, before: int | None = None
    ) -> list[Revision]:
        history = info.context.usecases.desired.history
        return [Revision.of(one) for one in await history(kind, first=values.page(first), before=before)]

    @field(Role.VIEWER, "Versions that are here whole, newest first.")
    async def versions(self, info: Info, kind: ListKind, service: str | None = None, first: int = 50) -> list[Version]:
        name = values.maybe("service", ServiceName, service)
        found = await info.context.usecases.versions.find(kind, service=name, first=values.page(first))
        withdrawn = {one.version_key: one for one in await info.context.usecases.withdrawals.in_force()}
        # Each manifest's signature is checked again: too much for the event loop when many are asked for.
        return await asyncio.to_thread(lambda: [Version.of(one, withdrawn.get(one.developer_key)) for one in found])

    @field(Role.VIEWER, "The sets of services that this node shares.")
    async def profiles(self, info: Info) -> list[Profile]:
        return [Profile.of(one) for one in await info.context.usecases.profiles.all()]

    @field(Role.VIEWER, "The nodes that this one takes versions from.")
    async def providers(self, info: Info) -> list[Provider]:
        links = info.context.usecases.links
        return [Provider.of(one, connected=await links.connected(one.name)) for one in await links.providers()]

    @field(Role.VIEWER, "The hosts with an agent of this node.")
    async def instances(self, info: Info) -> list[Instance]:
        instances = info.context.usecases.instances
        placing = await instances.placing()
        return [
            Instance.of(one, connected=await instances.connected(one.name), placing=placing)
            for one in await instances.all()
        ]

    @field(Role.VIEWER, "Images received from providers, newest first.")
    async def transfers(self, info: Info, first: int = 50) -> list[Transfer]:
        found = await info.context.usecases.transfers.newest(first=values.page(first))
        return [Transfer.of(one) for one in found]

    @field(Role.VIEWER, "Tasks, newest first.")
    async def tasks(self, info: Info, first: int = 50) -> list[Task]:
        return [Task.of(one) for one in await info.context.usecases.tasks.find(first=values.page(first))]

    @field(Role.VIEWER, "One task; null: there is none with this id.")
    async def task(self, info: Info, id: strawberry.ID) -> Task | None:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, values.ID_CHARS)
        try:
            return Task.of(await info.context.usecases.tasks.get(key))
        except AbsentError:
            return None

    @field(Role.VIEWER, "Records of a task's log with a sequence number above `after`.")
    async def task_log(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002  # the argument's name in the API
        after: int = 0,
        first: int = 1000,
    ) -> list[LogRecord]:
        key = values.text("id", id, values.ID_CHARS)
        tasks = info.context.usecases.tasks
        await tasks.get(key)
        found = await tasks.log(key, after=values.counted("after", after), first=values.page(first))
        return [LogRecord.of(one) for one in found]

    @field(
        Role.VIEWER,
        "Records of services' logs that match all that is given, newest first. `service` may name a role; `level`:"
        " that or more severe; `run`: one run of it (see `runs`).",
    )
    async def logs(
        self,
        info: Info,
        *,
        service: str | None = None,
        instance: str | None = None,
        run: str | None = None,
        text: str | None = None,
        level: Level | None = None,
        first: int = 200,
    ) -> list[FoundRecord]:
        key = values.maybe("service", ServiceKey, service)
        query = LogQuery(
            service=key.service if key else None,
            role=key.role if key else None,
            instance=values.maybe("instance", InstanceName, instance),
            run=None if run is None else values.text("run", run, limits.RUN_CHARS),
            text=None if text is None else values.text("text", text, values.SEARCH_CHARS),
            level=level,
            limit=values.page(first),
        )
        return [FoundRecord.of(one) for one in await info.context.usecases.logs.search(query)]

    @field(Role.VIEWER, "Fault reports, newest first.")
    async def faults(self, info: Info, service: str | None = None, first: int = 50) -> list[Fault]:
        name = values.maybe("service", ServiceName, service)
        found = await info.context.usecases.faults.find(service=name, first=values.page(first))
        return [Fault.of(one) for one in found]

    @field(
        Role.ADMINISTRATOR,
        "The files that were put aside with a fault report, as a gzipped tar file in base64. They may hold what was in "
        "the service's memory.",
    )
    async def fault_files(self, info: Info, id: strawberry.ID) -> str:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, values.ID_CHARS)
        return base64.b64encode(await info.context.usecases.fault_files.read(key, who=info.context.who)).decode()

    @field(Role.VIEWER, "One fault report; null: there is none with this id.")
    async def fault(self, info: Info, id: strawberry.ID) -> Fault | None:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, values.ID_CHARS)
        try:
            return Fault.of(await info.context.usecases.faults.get(key))
        except AbsentError:
            return None

    @field(Role.ADMINISTRATOR, "Who changed what, newest first.")
    async def audit(self, info: Info, first: int = 50) -> list[AuditEntry]:
        return [AuditEntry.of(one) for one in await info.context.usecases.audit.find(first=values.page(first))]

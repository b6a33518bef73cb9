"""What may be changed. Each field reads its arguments into values and hands them to one use case."""

from functools import partial

import strawberry

from federation.limits import COMMENT_CHARS, INVITATION_CHARS, OFFER_VERSIONS
from federation.link.rights import USUAL_RIGHTS, Right
from federation.names import InstanceName, NodeName, ProfileName, ServiceKey, ServiceName
from federation.profile import Profile as ProfileValue
from federation.versions import DeveloperVersion
from node.graphql import inputs, values
from node.graphql.access import field, require
from node.graphql.addresses import AddressesMutations
from node.graphql.alarms import AlarmsMutations
from node.graphql.building import BuildingMutations, builder_names
from node.graphql.catalogs import CatalogMutations
from node.graphql.context import Context, Info
from node.graphql.credentials import CredentialsMutations
from node.graphql.following import FollowingMutations
from node.graphql.handing_over import HandingOverMutations
from node.graphql.inputs import DeltaInput, GitSourceInput, MacroInput
from node.graphql.keys import KeysMutations
from node.graphql.lanes import lanes
from node.graphql.links import LinkMutations
from node.graphql.nearby import NearbyMutations
from node.graphql.outbox import OutboxMutations
from node.graphql.placements import PlacementsMutations
from node.graphql.private_files import PrivateFilesMutations
from node.graphql.provenances import ProvenancesMutations
from node.graphql.queries import known
from node.graphql.settings import SettingsMutations
from node.graphql.types.account import NewLoginLink
from node.graphql.types.instance import Instance, NewEnrolment
from node.graphql.types.peer import NewInvitation, Provider
from node.graphql.types.service import Service, SiteSettings
from node.graphql.types.task import Task
from node.graphql.types.version import Profile, Revision
from node.model import instance as instances
from node.model import peer
from node.model.account import Role
from node.model.desired import ListKind
from node.model.peer import AutoUpdate
from node.model.version import DevelopedService
from node.model.version import SiteSettings as SiteSettingsValue


async def _provider(context: Context, provider: peer.Provider) -> Provider:
    return Provider.of(provider, connected=await context.usecases.links.connected(provider.name))


async def _instance(context: Context, instance: instances.Instance) -> Instance:
    use = context.usecases.instances
    return Instance.of(instance, connected=await use.connected(instance.name), placing=await use.placing())


@strawberry.type
class Mutation(
    AddressesMutations,
    AlarmsMutations,
    CatalogMutations,
    CredentialsMutations,
    FollowingMutations,
    KeysMutations,
    LinkMutations,
    NearbyMutations,
    OutboxMutations,
    PlacementsMutations,
    PrivateFilesMutations,
    ProvenancesMutations,
    HandingOverMutations,
    SettingsMutations,
    BuildingMutations,
):
    @field(
        Role.DEVELOPER,
        "Build a service from its sources from now on; one of the same name is replaced. `tag`: whether the sources of"
        " each version are tagged where they came from.",
    )
    async def add_service(self, info: Info, name: str, sources: list[GitSourceInput], tag: bool = False) -> Service:
        service = DevelopedService(
            name=values.read("name", ServiceName, name), sources=inputs.sources("sources", sources), tag=tag
        )
        await info.context.usecases.services.add(service, who=info.context.who)
        return next(Service.of(lane) for lane in lanes(await known(info.context)) if lane.name == service.name)

    @field(Role.DEVELOPER, "Build a service no more; its versions stay.")
    async def remove_service(self, info: Info, name: str) -> bool:
        await info.context.usecases.services.remove(values.read("name", ServiceName, name), who=info.context.who)
        return True

    @field(Role.DEVELOPER, "Adapt a service to this site; whether its settings are watched stays as it was.")
    async def set_site(
        self, info: Info, service: str, overlays: list[GitSourceInput], macros: list[MacroInput]
    ) -> SiteSettings:
        settings = SiteSettingsValue(
            service=values.read("service", ServiceName, service),
            overlays=inputs.sources("overlays", overlays),
            macros=inputs.macros("macros", macros),
        )
        return SiteSettings.of(await info.context.usecases.services.set_site(settings, who=info.context.who))

    @field(Role.DEVELOPER, "Build a developer version; the next number unless `version` is given.")
    async def build(
        self,
        info: Info,
        service: str,
        version: str | None = None,
        comment: str = "",
        on: list[str] | None = None,
    ) -> Task:
        task = await info.context.usecases.builds.start(
            values.read("service", ServiceName, service),
            version=values.maybe("version", DeveloperVersion, version),
            comment=values.text("comment", comment, COMMENT_CHARS),
            on=None if on is None else builder_names(on),
            who=info.context.who,
        )
        return Task.of(task)

    @field(Role.DEVELOPER, "Adapt the desired developer version to this site again.")
    async def client_build(self, info: Info, service: str) -> Task:
        name = values.read("service", ServiceName, service)
        return Task.of(await info.context.usecases.client_builds.start(name, who=info.context.who))

    @field(Role.DEVELOPER, "Adapt every service that runs at this site again: a task for each, side by side.")
    async def client_build_all(self, info: Info) -> list[Task]:
        begun = await info.context.usecases.adaptation.begin_all(who=info.context.who)
        return [Task.of(one) for one in begun]

    @field(Role.DEVELOPER, "Stop a task and all its processes.")
    async def cancel_task(self, info: Info, id: strawberry.ID) -> Task:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, values.ID_CHARS)
        return Task.of(await info.context.usecases.tasks.cancel(key, who=info.context.who))

    @field(
        Role.DEVELOPER,
        "Start the work of a task that was interrupted, failed or cancelled once more, as a new task. It takes the"
        " role that starting it took: an update from a provider needs administrator.",
    )
    async def resume_task(self, info: Info, id: strawberry.ID) -> Task:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, values.ID_CHARS)
        admit = partial(require, info.context.person)
        return Task.of(await info.context.usecases.resuming.resume(key, who=info.context.who, admit=admit))

    @field(
        Role.DEVELOPER,
        "Change a list of desired versions as a whole. Refused, with the difference, if `seen` is not its current"
        " revision any more.",
    )
    async def change_desired(
        self, info: Info, kind: ListKind, deltas: list[DeltaInput], seen: int, why: str = ""
    ) -> Revision:
        revision = await info.context.usecases.desired.change(
            kind,
            inputs.deltas(kind, deltas),
            seen=values.counted("seen", seen),
            who=info.context.who,
            why=values.text("why", why, values.WHY_CHARS),
        )
        return Revision.of(revision)

    @field(Role.DEVELOPER, "Make an old state of a list the current one again, as a new revision.")
    async def rollback_desired(self, info: Info, kind: ListKind, to: int, why: str = "") -> Revision:
        revision = await info.context.usecases.desired.rollback(
            kind,
            values.counted("to", to),
            who=info.context.who,
            why=values.text("why", why, values.WHY_CHARS),
        )
        return Revision.of(revision)

    @field(
        Role.ADMINISTRATOR,
        "Share exactly these services under a name. `public`: whether everybody may read its catalogue; null: as"
        " before.",
    )
    async def set_profile(self, info: Info, name: str, services: list[str], public: bool | None = None) -> Profile:
        covered = values.items(
            "services", services, OFFER_VERSIONS, lambda one: values.read("services", ServiceName, one)
        )
        key, profiles = values.read("name", ProfileName, name), info.context.usecases.profiles
        known = (await profiles.find(key)).public if public is None else public
        profile = ProfileValue(name=key, services=frozenset(covered), public=known)
        return Profile.of(await profiles.set(profile, who=info.context.who))

    @field(Role.ADMINISTRATOR, "Forget a profile; its consumers see nothing from then on.")
    async def remove_profile(self, info: Info, name: str) -> bool:
        await info.context.usecases.profiles.remove(values.read("name", ProfileName, name), who=info.context.who)
        return True

    @field(
        Role.ADMINISTRATOR, "Let one node become a consumer of a profile, with these rights or the usual. Shown once."
    )
    async def create_invitation(self, info: Info, profile: str, rights: list[Right] | None = None) -> NewInvitation:
        name = values.read("profile", ProfileName, profile)
        given = USUAL_RIGHTS if rights is None else frozenset(rights)
        invitation = await info.context.usecases.links.invite(name, who=info.context.who, rights=given)
        return NewInvitation(text=invitation.text, profile=invitation.profile, expires=invitation.expires)

    @field(Role.ADMINISTRATOR, "Redeem another node's invitation and take versions from it.")
    async def accept_invitation(self, info: Info, text: str, auto_update: AutoUpdate = AutoUpdate.INSTALL) -> Provider:
        invitation = values.text("text", text.strip(), INVITATION_CHARS)
        accepted = await info.context.usecases.links.accept(invitation, auto_update=auto_update, who=info.context.who)
        return await _provider(info.context, accepted)

    @field(Role.ADMINISTRATOR, "Decide what happens by itself when a provider offers something new.")
    async def set_auto_update(self, info: Info, provider: str, auto_update: AutoUpdate) -> Provider:
        name = values.read("provider", NodeName, provider)
        changed = await info.context.usecases.links.set_auto_update(name, auto_update, who=info.context.who)
        return await _provider(info.context, changed)

    @field(Role.ADMINISTRATOR, "Ask a provider what it offers, and verify it.")
    async def check_provider(self, info: Info, name: str) -> Provider:
        checked = await info.context.usecases.updates.check(values.read("name", NodeName, name))
        return await _provider(info.context, checked)

    @field(Role.ADMINISTRATOR, "Take what a provider offers: download, verify, adapt, make desired.")
    async def update_provider(self, info: Info, name: str) -> Task:
        provider = values.read("name", NodeName, name)
        return Task.of(await info.context.usecases.updates.update(provider, who=info.context.who))

    @field(Role.ADMINISTRATOR, "End the link to a provider; its versions here stay.")
    async def remove_provider(self, info: Info, name: str) -> bool:
        provider = values.read("name", NodeName, name)
        await info.context.usecases.links.remove_provider(provider, who=info.context.who)
        return True

    @field(Role.ADMINISTRATOR, "End the link to a consumer: from then on it is a stranger.")
    async def remove_consumer(self, info: Info, name: str) -> bool:
        consumer = values.read("name", NodeName, name)
        await info.context.usecases.links.remove_consumer(consumer, who=info.context.who)
        return True

    @field(Role.ADMINISTRATOR, "Let one agent attach itself as an instance. Shown once.")
    async def create_enrolment(self, info: Info, instance: str) -> NewEnrolment:
        name = values.read("instance", InstanceName, instance)
        enrolment = await info.context.usecases.instances.enrolment(name, who=info.context.who)
        return NewEnrolment(text=enrolment.text, instance=enrolment.instance, expires=enrolment.expires)

    @field(Role.ADMINISTRATOR, "Decide what an instance runs; null: all desired client versions.")
    async def assign_services(self, info: Info, instance: str, services: list[str] | None = None) -> Instance:
        keys = services and values.items(
            "services", services, OFFER_VERSIONS, lambda one: values.read("services", ServiceKey, one)
        )
        assigned = await info.context.usecases.instances.assign(
            values.read("instance", InstanceName, instance),
            None if services is None else tuple(sorted(set(keys or ()))),
            who=info.context.who,
        )
        return await _instance(info.context, assigned)

    @field(
        Role.ADMINISTRATOR,
        "Move a service from one instance to another: it begins there once it has ended here, or at once. The target.",
    )
    async def move_service(
        self, info: Info, service: str, from_instance: str, to_instance: str, *, at_once: bool = False
    ) -> Instance:
        moved = await info.context.usecases.instances.move(
            values.read("service", ServiceKey, service),
            source=values.read("fromInstance", InstanceName, from_instance),
            target=values.read("toInstance", InstanceName, to_instance),
            at_once=at_once,
            who=info.context.who,
        )
        return await _instance(info.context, moved)

    @field(Role.ADMINISTRATOR, "Turn an agent away from now on; what it runs, it keeps running.")
    async def revoke_instance(self, info: Info, name: str) -> Instance:
        instance = values.read("name", InstanceName, name)
        return await _instance(
            info.context, await info.context.usecases.instances.revoke(instance, who=info.context.who)
        )

    @field(Role.ADMINISTRATOR, "Make a one-time link to log in with. Shown once.")
    async def create_login_link(self, info: Info, role: Role = Role.ADMINISTRATOR) -> NewLoginLink:
        url, expires = await info.context.usecases.accounts.login_link(role, who=info.context.who)
        return NewLoginLink(url=url, expires=expires)

"""Decides what is shown of each service on its way through this node, from lists that were each read once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from federation.names import InstanceName, NodeName, ServiceName
from federation.state import ServiceState
from federation.versions import DeveloperVersion
from node.model.desired import Revision
from node.model.instance import Instance
from node.model.peer import Provider
from node.model.settings import SettingsLook, is_watched
from node.model.task import Task
from node.model.version import DevelopedService, GitSource, SiteSettings, StoredVersion, Transfer
from node.model.withdrawal import KeptWithdrawal

_T = TypeVar("_T", StoredVersion, Transfer, Task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a node knows of its services. Versions, transfers and tasks stand newest first."""

    developer: Revision
    client: Revision
    developed: Sequence[DevelopedService] = ()
    sites: Sequence[SiteSettings] = ()
    developer_versions: Sequence[StoredVersion] = ()
    client_versions: Sequence[StoredVersion] = ()
    providers: Sequence[Provider] = ()
    instances: Sequence[Instance] = ()
    tasks: Sequence[Task] = ()
    transfers: Sequence[Transfer] = ()
    faults: Mapping[ServiceName, int] = field(default_factory=dict)
    withdrawn: Sequence[KeptWithdrawal] = ()
    looks: Mapping[tuple[str, str], SettingsLook] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A service on one instance."""

    instance: InstanceName
    state: ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One service on its way."""

    name: ServiceName
    developed: bool
    provider: NodeName | None
    sources: tuple[GitSource, ...]
    tag: bool
    site: SiteSettings | None
    developer_desired: str | None
    client_desired: str | None
    latest_developer: str | None
    latest_client: str | None
    running: tuple[Place, ...]
    task: Task | None
    faults: int
    last_transfer: Transfer | None
    withdrawn: tuple[KeptWithdrawal, ...] = ()
    watched: bool = False
    looks: tuple[SettingsLook, ...] = ()


def _newest(things: Iterable[_T]) -> dict[ServiceName, _T]:
    """The first thing of each service: the newest, as newest come first."""
    found: dict[ServiceName, _T] = {}
    for thing in things:
        if thing.service is not None:
            found.setdefault(thing.service, thing)
    return found


def _places(instances: Iterable[Instance]) -> dict[ServiceName, list[Place]]:
    """Where each service runs, by instance and role. A revoked agent's last words are not what is true now."""
    found: dict[ServiceName, list[Place]] = {}
    for instance in sorted(instances, key=lambda one: one.name):
        if instance.state is None or instance.revoked:
            continue
        for state in sorted(instance.state.services, key=lambda one: one.key):
            found.setdefault(state.key.service, []).append(Place(instance=instance.name, state=state))
    return found


def _providers(known: Known, newest: Mapping[ServiceName, StoredVersion]) -> dict[ServiceName, NodeName]:
    """Whom each service comes from: who offers it now, else who gave the newest version; none if it is made here."""
    found = {service: stored.received_from for service, stored in newest.items() if stored.received_from is not None}
    for provider in sorted(known.providers, key=lambda one: one.name, reverse=True):
        for entry in provider.catalog.listing.entries if provider.catalog else ():
            found[entry.service] = provider.name
    for service in known.developed:
        found.pop(service.name, None)
    return found


def _withdrawn(known: Known, places: Mapping[ServiceName, list[Place]]) -> dict[ServiceName, list[KeptWithdrawal]]:
    """Of each service the withdrawn versions that are desired here or run."""
    used: set[tuple[ServiceName, DeveloperVersion]] = set(known.developer.developer.items())
    used |= {(service, version.base) for service, version in known.client.client.items()}
    for service, running in places.items():
        used |= {(service, place.state.running.base) for place in running if place.state.running is not None}
    found: dict[ServiceName, list[KeptWithdrawal]] = {}
    for one in known.withdrawn:
        if one.version_key in used:
            found.setdefault(one.service, []).append(one)
    return found


def _watched(known: Known) -> set[ServiceName]:
    """The services whose settings are watched."""
    if known.looks is None:
        return set()
    came = {(one.service, one.version): one.received_from for one in known.developer_versions}
    links = {one.name: one.auto_update for one in known.providers}
    found: set[ServiceName] = set()
    for site in known.sites:
        base = known.developer.versions.get(site.service)
        source = came.get((site.service, base)) if base is not None else None
        link = links.get(source) if source is not None else None
        adapted = site.service in known.client.versions
        if base is not None and site.overlays and is_watched(site.watch, link=link, adapted=adapted):
            found.add(site.service)
    return found


def _looks(known: Known, site: SiteSettings | None) -> tuple[SettingsLook, ...]:
    """What is known of the settings repositories of one service, in their order."""
    places = [(one.url, one.ref) for one in site.overlays] if site else []
    return tuple(known.looks[place] for place in places if known.looks and place in known.looks)


def lanes(known: Known) -> list[Lane]:
    """One lane for each service that is built, desired, kept, offered, adapted, running or reported here, by name."""
    developed = {service.name: service for service in known.developed}
    sites = {site.service: site for site in known.sites}
    developer, client = _newest(known.developer_versions), _newest(known.client_versions)
    providers, places = _providers(known, developer), _places(known.instances)
    tasks = _newest(task for task in known.tasks if not task.state.ended)
    transfers = _newest(known.transfers)
    withdrawn, watched = _withdrawn(known, places), _watched(known)
    names = {*developed, *sites, *developer, *client, *providers, *places, *tasks, *transfers}
    names |= {*known.developer.versions, *known.client.versions, *known.faults}
    return [
        Lane(
            name=name,
            developed=name in developed,
            provider=providers.get(name),
            sources=developed[name].sources if name in developed else (),
            tag=name in developed and developed[name].tag,
            site=sites.get(name),
            developer_desired=known.developer.versions.get(name),
            client_desired=known.client.versions.get(name),
            latest_developer=developer[name].version if name in developer else None,
            latest_client=client[name].version if name in client else None,
            running=tuple(places.get(name, ())),
            task=tasks.get(name),
            faults=known.faults.get(name, 0),
            last_transfer=transfers.get(name),
            withdrawn=tuple(withdrawn.get(name, ())),
            watched=name in watched,
            looks=_looks(known, sites.get(name)) if name in watched else (),
        )
        for name in sorted(names)
    ]

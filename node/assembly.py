"""Puts the use cases of one node together; which storage and which network they work on is decided outside."""

from collections.abc import Mapping
from functools import cached_property

from federation.catalog.listing import Tested
from federation.names import NodeName, ProfileName, ServiceName
from federation.versions import DeveloperVersion
from node import __version__
from node.construction import Construction
from node.model.peer import Consumer, Provider
from node.neighbours import Neighbours
from node.upward import Upward, upward
from node.usecases import NodeIdentity, Usecases
from node.usecases.addresses import Addresses
from node.usecases.builder_lines import BuilderLines, DialledBuilders
from node.usecases.callers import Callers, CombinedLines
from node.usecases.calling_in import CallingIn
from node.usecases.catalog_keys import CatalogKeys
from node.usecases.catalogs import Catalogs
from node.usecases.contents import Contents
from node.usecases.explaining import Explanations
from node.usecases.farewells import Farewells
from node.usecases.fault_files import FaultFiles
from node.usecases.followers import Followers
from node.usecases.following import Following
from node.usecases.links import Links
from node.usecases.logs import Logs
from node.usecases.moves import Moves
from node.usecases.packmaker import PackMaker
from node.usecases.provider_catalogs import ProviderCatalogs
from node.usecases.resuming import Resuming
from node.usecases.runs import Runs
from node.usecases.updates import Updates
from node.usecases.withdrawn_running import WithdrawnRunning


class Assembly(Construction):
    """One node, put together: its links to others on its foundation."""

    def usecases(self) -> Usecases:
        """All that the node can do."""
        return Usecases(
            identity=NodeIdentity(
                name=self._settings.name,
                id=self._key.id,
                key=self._key.public,
                url=self._settings.url,
                version=__version__,
            ),
            accounts=self._accounts,
            adaptation=self._adaptation,
            addresses=self._addresses,
            alarms=self._alarms,
            audit=self._audit,
            builds=self._builds,
            callers=self._callers,
            calling_in=self._calling_in,
            catalog_keys=self._catalog_keys,
            catalogs=self._catalogs,
            changes=self._hub,
            client_builds=self._client_builds,
            credentials=self._credentials,
            delegation=self._delegation,
            handing_over=self._handing_over,
            delivery=self._upward.delivery,
            desired=self._desired,
            explanations=self._explanations,
            farewells=self._farewells,
            fault_files=FaultFiles(self._settings.data / "fault-files", self._upward.faults, self._audit),
            faults=self._upward.faults,
            followers=self._followers,
            following=self._following,
            images=self._images,
            instances=self._instances,
            key_changes=self._key_changes,
            links=self._links,
            logs=Logs(self._log_store, self._hub),
            marks=self._upward.marks,
            moves=self._moves,
            nearby=self._neighbours.nearby,
            outbox=self._upward.outbox,
            packs=self._pack_maker,
            pairing=self._neighbours.pairing,
            penalties=self._penalties,
            pins=self._pins,
            placements=self._placements,
            provenances=self._provenances,
            presence=self._presence,
            private_files=self._private_files,
            profiles=self._profiles,
            proofs=self._proofs,
            received=self._upward.received,
            rebuilds=self._rebuilds,
            reports=self._upward.reports,
            resuming=Resuming(
                tasks=self._tasks,
                builds=self._builds,
                client_builds=self._client_builds,
                rebuilds=self._rebuilds,
                updates=self._updates,
                audit=self._audit,
            ),
            runs=Runs(self._kept.runs, self._hub),
            services=self._services,
            settings_watch=self._settings_watch,
            tasks=self._tasks,
            transfers=self._transfers,
            updates=self._updates,
            versions=self._versions,
            withdrawals=self._withdrawals,
            withdrawn_running=self._withdrawn_running,
            workshop=self._workshop,
        )

    @cached_property
    def _builder_lines(self) -> BuilderLines:
        return CombinedLines(DialledBuilders(self._links, self._connect), self._callers)

    @cached_property
    def _callers(self) -> Callers:
        return Callers(self._links, self._clock)

    @cached_property
    def _calling_in(self) -> CallingIn:
        return CallingIn(
            links=self._links, workshop=self._workshop, connect=self._connect, hub=self._hub, rng=self._rng
        )

    @cached_property
    def _pack_maker(self) -> PackMaker:
        return PackMaker(
            images=self._images,
            versions=self._versions,
            desired=self._desired,
            links=self._links,
            instances=self._instances,
            hub=self._hub,
        )

    @cached_property
    def _moves(self) -> Moves:
        nearby = self._neighbours.nearby
        return Moves(links=self._links, nearby=nearby, addresses=self._addresses, hub=self._hub)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(
            settings=self._settings,
            key=self._key,
            links=self._links,
            profiles=self._profiles,
            identify=self._identify,
            listen=self._listen,
            connect=self._connect,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _addresses(self) -> Addresses:
        nearby = self._neighbours.nearby.urls_of
        return Addresses(links=self._links, nearby=nearby, connect=self._connect, clock=self._clock)

    @cached_property
    def _farewells(self) -> Farewells:
        return Farewells(
            kept=self._kept.farewells,
            connect=self._connect,
            audit=self._audit,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _links(self) -> Links:
        return Links(
            station=self._station,
            invitations=self._kept.invitations,
            providers=self._kept.providers,
            consumers=self._kept.consumers,
            farewells=self._farewells,
            profiles=self._profiles,
            pins=self._pins,
            presence=self._presence,
            connect=self._connect,
            root_of=self._root_of,
            trust=self._trust,
            forget=self._forget,
            move=self._move,
        )

    async def _move(self, name: NodeName, url: str) -> Provider:
        # Addresses rest on the links themselves, so they are made later.
        return await self._addresses.follow(name, url)

    async def _root_of(self, profile: ProfileName) -> str:
        return await self._catalogs.root(profile)

    async def _trust(self, provider: NodeName, root: str) -> None:
        await self._provider_catalogs.trust(provider, root)

    async def _forget(self, consumer: Consumer) -> None:
        await self._upward.received.forget(consumer)

    @cached_property
    def _withdrawn_running(self) -> WithdrawnRunning:
        return WithdrawnRunning(
            withdrawals=self._withdrawals,
            desired=self._desired,
            instances=self._instances,
            alarms=self._alarms,
            hub=self._hub,
        )

    @cached_property
    def _contents(self) -> Contents:
        return Contents(
            node=self._settings.name,
            node_id=self._key.id,
            desired=self._desired,
            versions=self._versions,
            withdrawals=self._withdrawals,
            trails_of=self._trails_of,
            marks_of=self._marks_of,
            key_changes_of=self._key_changes.envelopes,
            hub=self._hub,
        )

    async def _trails_of(self, versions: Mapping[ServiceName, DeveloperVersion]) -> dict[ServiceName, tuple[str, ...]]:
        return await self._following.trails(versions)

    async def _marks_of(self, profile: ProfileName) -> list[Tested]:
        return await self._upward.received.marks(profile)

    @cached_property
    def _catalog_keys(self) -> CatalogKeys:
        return CatalogKeys(
            catalogs=self._catalogs,
            profiles=self._profiles,
            alarms=self._alarms,
            audit=self._audit,
            clock=self._clock,
        )

    @cached_property
    def _catalogs(self) -> Catalogs:
        return Catalogs(
            folder=self._settings.data / "tuf",
            contents=self._contents,
            profiles=self._profiles,
            versions=self._versions,
            alarms=self._alarms,
            hub=self._hub,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _provider_catalogs(self) -> ProviderCatalogs:
        return ProviderCatalogs(folder=self._settings.data / "trusted", connect=self._connect, clock=self._clock)

    @cached_property
    def _following(self) -> Following:
        return Following(
            node=self._key.id,
            providers=self._kept.providers,
            followed=self._kept.followed,
            failures=self._kept.failures,
            services=self._services,
            desired=self._desired,
            versions=self._versions,
            withdrawals=self._withdrawals,
            penalties=self._penalties,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _updates(self) -> Updates:
        return Updates(
            links=self._links,
            catalogs=self._provider_catalogs,
            following=self._following,
            pins=self._pins,
            key_changes=self._key_changes,
            withdrawals=self._withdrawals,
            versions=self._versions,
            desired=self._desired,
            provenances=self._provenances,
            fetcher=self._fetcher,
            alarms=self._alarms,
            tasks=self._tasks,
            clock=self._clock,
        )

    @cached_property
    def _followers(self) -> Followers:
        return Followers(
            links=self._links,
            following=self._following,
            updates=self._updates,
            presence=self._presence,
            search=self._addresses.search,
            connect=self._connect,
            follow=self._follow,
            hub=self._hub,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _explanations(self) -> Explanations:
        return Explanations(
            links=self._links,
            following=self._following,
            desired=self._desired,
            adaptation=self._adaptation,
            instances=self._instances,
        )

    @cached_property
    def _upward(self) -> Upward:
        return upward(
            node=self._settings.name,
            key=self._key,
            kept=self._kept,
            links=self._links,
            profiles=self._profiles,
            desired=self._desired,
            versions=self._versions,
            instances=self._instances,
            connect=self._connect,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
            rng=self._rng,
        )

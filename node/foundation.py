"""What the parts of one node rest on: its stores, its own settings and work; links to other nodes come on top."""

import random
from collections.abc import Callable
from functools import cached_property, partial

from build.remote import remote_commit
from build.sandbox import unavailable, unconnected
from federation.clock import Clock
from federation.digest import Digest
from federation.keychange import KeyChain
from federation.keys import PrivateKey, PublicKey
from federation.names import NodeName
from federation.transfer.images import load_image
from federation.transfer.localblobs import LocalBlobs
from federation.transfer.packstore import PackStore
from node.config import Settings
from node.repositories import Repositories
from node.storage.credentials import CredentialStore
from node.storage.logs import LogStore
from node.storage.port import Storage
from node.storage.private_files import PrivateFileStore
from node.storage.sealing import SealingKeyFile
from node.usecases.accounts import Accounts
from node.usecases.adaptation import Adaptation
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub
from node.usecases.client_builds import ClientBuilds
from node.usecases.confining import Confining
from node.usecases.credentials import Credentials
from node.usecases.desired import Desired
from node.usecases.fetching import Fetcher
from node.usecases.followers import Follow
from node.usecases.images import Images
from node.usecases.instances import Instances
from node.usecases.introductions import Introductions
from node.usecases.key_changes import KeyChanges
from node.usecases.nearby import Listen
from node.usecases.pairing import Identify
from node.usecases.peers import ConnectPeer, Presence
from node.usecases.penalties import Penalties
from node.usecases.pins import Pins
from node.usecases.placements import Placements
from node.usecases.private_files import PrivateFiles
from node.usecases.profiles import Profiles
from node.usecases.proofs import Proofs
from node.usecases.provenances import Provenances
from node.usecases.releases import Releases
from node.usecases.services import Services
from node.usecases.settings_looks import SettingsLooks
from node.usecases.settings_watch import SettingsWatch
from node.usecases.station import Station
from node.usecases.tasks import Tasks
from node.usecases.transfers import Transfers
from node.usecases.versions import Versions
from node.usecases.withdrawals import Withdrawals
from node.usecases.witness import Witness


class Foundation:
    """The ground of one node; each part is made when first asked for."""

    def __init__(
        self,
        settings: Settings,
        *,
        key: PrivateKey,
        storage: Storage,
        connect: ConnectPeer,
        follow: Follow,
        identify: Identify,
        clock: Clock,
        rng: random.Random,
        certificates: Callable[[], tuple[Digest, ...]] = tuple,
        chain: KeyChain | None = None,
        listen: Listen | None = None,
    ) -> None:
        """``certificates``: those that the node is served under; none without TLS. ``listen``: none without discovery.

        ``chain``: the changes that led to ``key``, where it is not the node's first one.
        """
        self._settings = settings
        self._key = key
        self._connect = connect
        self._follow = follow
        self._identify = identify
        self._listen = listen
        self._clock = clock
        self._rng = rng
        self._certificates = certificates
        self._chain = chain or KeyChain(settings.name, (), ())
        self._kept = Repositories.open(storage)
        self._log_store = LogStore(storage, clock)
        sealing_key = SealingKeyFile(settings.data / "keys" / "private-files.key")
        self._private_store = PrivateFileStore(storage, sealing_key)
        self._credential_store = CredentialStore(storage, sealing_key)
        self._hub = ChangeHub()
        self._work = settings.data / "work"
        introduction = self._key_changes.introduction
        if introduction is not None:
            self._connect = Introductions(connect, introduction, clock)

    @cached_property
    def _blobs(self) -> LocalBlobs:
        blobs = LocalBlobs(self._settings.data / "blobs")
        blobs.clean_leftovers()
        return blobs

    @cached_property
    def _packs(self) -> PackStore:
        folder, budget = self._settings.data / "packs", self._settings.pack_budget_bytes
        return PackStore(folder, self._blobs, budget, partial(load_image, self._blobs), clock=self._clock)

    @cached_property
    def _images(self) -> Images:
        return Images(self._blobs, self._packs)

    def close(self) -> None:
        """Let go of what runs beside the event loop."""
        self._images.close()

    @cached_property
    def _penalties(self) -> Penalties:
        return Penalties(self._kept.penalties, self._alarms, self._clock)

    @cached_property
    def _transfers(self) -> Transfers:
        return Transfers(self._kept.transfers)

    @cached_property
    def _fetcher(self) -> Fetcher:
        fetcher = Fetcher(
            images=self._images,
            versions=self._versions,
            penalties=self._penalties,
            transfers=self._transfers,
            connect=self._connect,
            clock=self._clock,
            work=self._work / "fetching",
        )
        fetcher.clear_leftovers()
        return fetcher

    @cached_property
    def _accounts(self) -> Accounts:
        return Accounts(
            url=self._settings.url,
            links=self._kept.logins,
            sessions=self._kept.sessions,
            audit=self._audit,
            clock=self._clock,
        )

    @cached_property
    def _audit(self) -> Audit:
        return Audit(self._kept.audit, self._clock)

    @cached_property
    def _alarms(self) -> Alarms:
        return Alarms(self._kept.alarms, self._hub, self._audit, self._clock)

    @cached_property
    def _presence(self) -> Presence:
        return Presence(self._hub)

    @cached_property
    def _versions(self) -> Versions:
        return Versions(self._kept.versions, self._hub)

    @cached_property
    def _desired(self) -> Desired:
        return Desired(
            self._kept.revisions,
            versions=self._versions,
            withdrawals=self._withdrawals,
            provenances=self._provenances,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
        )

    @cached_property
    def _services(self) -> Services:
        return Services(self._kept.developed, self._kept.sites, self._hub, self._audit)

    @cached_property
    def _private_files(self) -> PrivateFiles:
        return PrivateFiles(self._private_store, self._hub, self._audit, self._clock)

    @cached_property
    def _credentials(self) -> Credentials:
        return Credentials(self._credential_store, self._hub, self._audit, self._clock)

    @cached_property
    def _profiles(self) -> Profiles:
        return Profiles(self._kept.profiles, self._hub, self._audit)

    @cached_property
    def _pins(self) -> Pins:
        return Pins(
            self._kept.pins,
            self._clock,
            node=self._settings.name,
            key=self._key.public,
            alarms=self._alarms,
            audit=self._audit,
            hub=self._hub,
        )

    @cached_property
    def _proofs(self) -> Proofs:
        return Proofs(
            node=self._settings.name,
            url=self._settings.url,
            key=self._key,
            certificates=self._certificates,
            clock=self._clock,
            changes=self._chain.envelopes,
        )

    @cached_property
    def _key_changes(self) -> KeyChanges:
        return KeyChanges(
            node=self._settings.name,
            key=self._key,
            own=self._chain,
            pins=self._pins,
            providers=self._kept.providers,
            consumers=self._kept.consumers,
            countersigned=self._kept.countersigned,
            versions=self._versions,
            audit=self._audit,
            hub=self._hub,
        )

    @cached_property
    def _tasks(self) -> Tasks:
        return Tasks(
            kept=self._kept.tasks,
            logs=self._log_store,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
            side_by_side=self._settings.services_side_by_side,
        )

    @cached_property
    def _releases(self) -> Releases:
        return Releases(
            node=self._settings.name,
            key=self._key,
            images=self._images,
            versions=self._versions,
            desired=self._desired,
            clock=self._clock,
        )

    @cached_property
    def _confining(self) -> Confining:
        build = self._settings.build
        return Confining(
            sandbox=build.sandbox,
            network=build.network,
            tools=build.tools,
            bounds=build.bounds,
            peers_network=build.peers_network,
            peers_without_sandbox=build.peers_without_sandbox,
            unavailable=unavailable,
            unconnected=unconnected,
        )

    @cached_property
    def _settings_watch(self) -> SettingsWatch:
        every = self._settings.settings_watch_seconds
        looks = SettingsLooks(
            ask=partial(remote_commit, work=self._work, credentials=self._credentials),
            alarms=self._alarms,
            clock=self._clock,
            rng=self._rng,
            every_seconds=every or 1,
        )
        return SettingsWatch(
            made=self._kept.settings_made,
            providers=self._kept.providers,
            services=self._services,
            desired=self._desired,
            versions=self._versions,
            looks=looks if every else None,
            hub=self._hub,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _client_builds(self) -> ClientBuilds:
        return ClientBuilds(
            node=self._settings.name,
            services=self._services,
            private_files=self._private_files,
            credentials=self._credentials,
            versions=self._versions,
            desired=self._desired,
            images=self._images,
            releases=self._releases,
            tasks=self._tasks,
            settings=self._settings_watch,
            work=self._work,
        )

    @cached_property
    def _station(self) -> Station:
        return Station(
            node=self._settings.name,
            url=self._settings.url,
            key=self._key,
            hub=self._hub,
            audit=self._audit,
            alarms=self._alarms,
            clock=self._clock,
        )

    @cached_property
    def _withdrawals(self) -> Withdrawals:
        return Withdrawals(
            node=self._settings.name,
            key=self._key,
            kept=self._kept.withdrawals,
            versions=self._versions,
            origin_key_of=self._origin_key_of,
            is_provider=self._is_provider,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
        )

    async def _origin_key_of(self, node: NodeName) -> PublicKey | None:
        pin = await self._pins.get(node)
        return pin.key if pin else None

    async def _is_provider(self, name: NodeName) -> bool:
        return await self._kept.providers.get(name) is not None

    @cached_property
    def _adaptation(self) -> Adaptation:
        return Adaptation(
            kept=self._kept.adapted,
            desired=self._desired,
            versions=self._versions,
            services=self._services,
            private_files=self._private_files,
            profiles=self._profiles,
            settings=self._settings_watch,
            builds=self._client_builds,
            tasks=self._tasks,
            hub=self._hub,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _provenances(self) -> Provenances:
        return Provenances(
            kept=self._kept.provenances,
            policies=self._kept.policies,
            versions=self._versions,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
            connect=self._connect,
        )

    @cached_property
    def _witness(self) -> Witness:
        return Witness(node=self._settings.name, key=self._key, clock=self._clock)

    @cached_property
    def _placements(self) -> Placements:
        return Placements(self._kept.placements, self._hub, self._audit)

    @cached_property
    def _instances(self) -> Instances:
        return Instances(
            node=self._settings.name,
            url=self._settings.url,
            key=self._key,
            kept=self._kept.instances,
            tokens=self._kept.tokens,
            desired=self._desired,
            placements=self._placements,
            versions=self._versions,
            images=self._images,
            presence=self._presence,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
        )

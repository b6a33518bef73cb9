"""Puts the use cases of one node together; which storage and which network they work on is decided outside."""

import random
from functools import cached_property, partial

from federation.clock import Clock
from federation.keys import PrivateKey
from federation.transfer.images import load_image
from federation.transfer.localblobs import LocalBlobs
from federation.transfer.packstore import PackStore
from node import __version__
from node.config import Settings
from node.repositories import Repositories
from node.storage.logs import LogStore
from node.storage.port import Storage
from node.usecases import NodeIdentity, Usecases
from node.usecases.accounts import Accounts
from node.usecases.adaptation import Adaptation
from node.usecases.audit import Audit
from node.usecases.builds import Builds
from node.usecases.changes import ChangeHub
from node.usecases.client_builds import ClientBuilds
from node.usecases.desired import Desired
from node.usecases.faults import Faults
from node.usecases.followers import Follow, Followers
from node.usecases.images import Images
from node.usecases.instances import Instances
from node.usecases.links import Links
from node.usecases.logs import Logs
from node.usecases.offers import Offers
from node.usecases.outbox import Outbox
from node.usecases.peers import ConnectPeer, Presence
from node.usecases.pins import Pins
from node.usecases.profiles import Profiles
from node.usecases.releases import Releases
from node.usecases.services import Services
from node.usecases.tasks import Tasks
from node.usecases.updates import Updates
from node.usecases.versions import Versions


class Assembly:
    """One node, put together; each part is made when first asked for."""

    def __init__(
        self,
        settings: Settings,
        *,
        key: PrivateKey,
        storage: Storage,
        connect: ConnectPeer,
        follow: Follow,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._settings = settings
        self._key = key
        self._connect = connect
        self._follow = follow
        self._clock = clock
        self._rng = rng
        self._kept = Repositories.open(storage)
        self._log_store = LogStore(storage, clock)
        self._hub = ChangeHub()
        self._work = settings.data / "work"

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
            audit=self._audit,
            builds=self._builds,
            changes=self._hub,
            client_builds=self._client_builds,
            desired=self._desired,
            faults=self._faults,
            followers=self._followers,
            instances=self._instances,
            links=self._links,
            logs=Logs(self._log_store, self._hub),
            offers=self._offers,
            outbox=self._outbox,
            presence=self._presence,
            profiles=self._profiles,
            services=self._services,
            tasks=self._tasks,
            updates=self._updates,
            versions=self._versions,
        )

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
        self._packs.close()

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
        return Audit(
            self._kept.audit,
            self._clock,
        )

    @cached_property
    def _presence(self) -> Presence:
        return Presence(
            self._hub,
        )

    @cached_property
    def _versions(self) -> Versions:
        return Versions(
            self._kept.versions,
            self._hub,
        )

    @cached_property
    def _desired(self) -> Desired:
        return Desired(
            self._kept.revisions,
            self._versions,
            self._hub,
            self._audit,
            self._clock,
        )

    @cached_property
    def _services(self) -> Services:
        return Services(
            self._kept.developed,
            self._kept.sites,
            self._hub,
            self._audit,
        )

    @cached_property
    def _profiles(self) -> Profiles:
        return Profiles(
            self._kept.profiles,
            self._kept.profile_counts,
            self._hub,
            self._audit,
        )

    @cached_property
    def _pins(self) -> Pins:
        return Pins(
            self._kept.pins,
            self._clock,
            node=self._settings.name,
            key=self._key.public,
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
    def _builds(self) -> Builds:
        return Builds(
            node=self._settings.name,
            services=self._services,
            versions=self._versions,
            releases=self._releases,
            tasks=self._tasks,
            work=self._work,
        )

    @cached_property
    def _client_builds(self) -> ClientBuilds:
        return ClientBuilds(
            node=self._settings.name,
            services=self._services,
            versions=self._versions,
            desired=self._desired,
            images=self._images,
            releases=self._releases,
            tasks=self._tasks,
            work=self._work,
        )

    @cached_property
    def _links(self) -> Links:
        return Links(
            node=self._settings.name,
            url=self._settings.url,
            key=self._key,
            invitations=self._kept.invitations,
            providers=self._kept.providers,
            consumers=self._kept.consumers,
            profiles=self._profiles,
            pins=self._pins,
            presence=self._presence,
            connect=self._connect,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
        )

    @cached_property
    def _offers(self) -> Offers:
        return Offers(
            key=self._key,
            desired=self._desired,
            versions=self._versions,
            profiles=self._profiles,
            images=self._images,
            clock=self._clock,
        )

    @cached_property
    def _updates(self) -> Updates:
        return Updates(
            reader=self._key.id,
            links=self._links,
            pins=self._pins,
            services=self._services,
            versions=self._versions,
            desired=self._desired,
            images=self._images,
            tasks=self._tasks,
            transfers=self._kept.transfers,
            connect=self._connect,
            clock=self._clock,
            work=self._work,
        )

    @cached_property
    def _followers(self) -> Followers:
        return Followers(
            links=self._links,
            updates=self._updates,
            presence=self._presence,
            connect=self._connect,
            follow=self._follow,
            hub=self._hub,
            rng=self._rng,
        )

    @cached_property
    def _adaptation(self) -> Adaptation:
        return Adaptation(
            kept=self._kept.adapted,
            desired=self._desired,
            versions=self._versions,
            services=self._services,
            profiles=self._profiles,
            links=self._links,
            builds=self._client_builds,
            tasks=self._tasks,
            hub=self._hub,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _instances(self) -> Instances:
        return Instances(
            node=self._settings.name,
            url=self._settings.url,
            key=self._key,
            kept=self._kept.instances,
            tokens=self._kept.tokens,
            desired=self._desired,
            versions=self._versions,
            images=self._images,
            presence=self._presence,
            hub=self._hub,
            audit=self._audit,
            clock=self._clock,
        )

    @cached_property
    def _outbox(self) -> Outbox:
        return Outbox(
            entries=self._kept.outbox,
            links=self._links,
            connect=self._connect,
            hub=self._hub,
            clock=self._clock,
            rng=self._rng,
        )

    @cached_property
    def _faults(self) -> Faults:
        return Faults(
            node=self._settings.name,
            node_id=self._key.id,
            kept=self._kept.faults,
            versions=self._versions,
            profiles=self._profiles,
            outbox=self._outbox,
            hub=self._hub,
            clock=self._clock,
        )

"""A provider's side of catalogues: the real use cases over storage in memory and a folder, and no node around them."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from federation.catalog.catalogue import Catalogue
from federation.catalog.listing import Tested
from federation.catalog.reader import CatalogReader
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError
from federation.keys import PrivateKey, PublicKey
from federation.manifest import Maker, Manifest, SignedManifest
from federation.names import NodeName, ProfileName, ServiceName
from federation.profile import Profile
from federation.versions import DeveloperVersion
from node.model.desired import Delta, ListKind
from node.model.peer import Consumer, Provider
from node.model.version import StoredVersion
from node.repositories import Repositories
from node.storage.port import Storage
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.catalogs import Catalogs
from node.usecases.changes import ChangeHub
from node.usecases.contents import Contents
from node.usecases.desired import Desired
from node.usecases.peers import Peer
from node.usecases.profiles import Profiles
from node.usecases.provenances import Provenances
from node.usecases.versions import Versions
from node.usecases.withdrawals import Withdrawals
from tests.support.clock import FIXED_START, FakeClock
from tests.support.memory_storage import MemoryStorage

WHO: Final = "ann"
PUBLIC: Final = ProfileName("public")
SHOP: Final = ServiceName("shop")


def key_of(name: str) -> PrivateKey:
    """The node key of ``name``; always the same one."""
    return PrivateKey(Digest.of(name.encode()).encode()[:32])


def _no_peer(url: str, key: PublicKey) -> Peer:
    raise AssertionError("a node that only publishes asks nobody")


class Publisher:
    """Node ``name``, as far as it publishes. ``trails``, ``marks``, ``changes``, ``origins``: what other parts tell."""

    def __init__(
        self, folder: Path, name: str = "acme", *, clock: Clock | None = None, storage: Storage | None = None
    ) -> None:
        self.folder = folder
        self.name = NodeName(name)
        self.key = key_of(name)
        self.fake_clock = FakeClock()
        self.clock = clock or self.fake_clock
        self.storage = storage or MemoryStorage()
        self.hub = ChangeHub()
        self.trails: dict[ServiceName, tuple[str, ...]] = {}
        self.marks: dict[ProfileName, tuple[Tested, ...]] = {}
        self.changes: dict[NodeName, tuple[bytes, ...]] = {}
        self.origins: dict[NodeName, PublicKey] = {}
        self.providers: dict[NodeName, Provider] = {}
        self._compose()

    def _compose(self) -> None:
        kept = Repositories.open(self.storage)
        self.audit = audit = Audit(kept.audit, self.clock)
        self.alarms = Alarms(kept.alarms, self.hub, audit, self.clock)
        self.versions = Versions(kept.versions, self.hub)
        self.profiles = Profiles(kept.profiles, self.hub, audit)
        self.withdrawals = Withdrawals(
            node=self.name,
            key=self.key,
            kept=kept.withdrawals,
            versions=self.versions,
            origin_key_of=self._origin_key,
            is_provider=self._is_provider,
            hub=self.hub,
            audit=audit,
            clock=self.clock,
        )
        self.desired = Desired(
            kept.revisions,
            versions=self.versions,
            withdrawals=self.withdrawals,
            provenances=Provenances(
                kept=kept.provenances,
                policies=kept.policies,
                versions=self.versions,
                hub=self.hub,
                audit=audit,
                clock=self.clock,
                connect=_no_peer,
            ),
            hub=self.hub,
            audit=audit,
            clock=self.clock,
        )
        contents = Contents(
            node=self.name,
            node_id=self.key.id,
            desired=self.desired,
            versions=self.versions,
            withdrawals=self.withdrawals,
            trails_of=self._trails,
            marks_of=self._marks,
            key_changes_of=self._changes,
            hub=self.hub,
        )
        self.catalogs = Catalogs(
            folder=self.folder / "tuf",
            contents=contents,
            profiles=self.profiles,
            versions=self.versions,
            alarms=self.alarms,
            hub=self.hub,
            clock=self.clock,
            rng=random.Random(7),
        )

    async def _origin_key(self, node: NodeName) -> PublicKey | None:
        return self.key.public if node == self.name else self.origins.get(node)

    async def _is_provider(self, node: NodeName) -> bool:
        return node in self.providers

    async def _trails(self, versions: Mapping[ServiceName, DeveloperVersion]) -> dict[ServiceName, tuple[str, ...]]:
        return {service: trail for service, trail in self.trails.items() if service in versions}

    async def _marks(self, profile: ProfileName) -> Sequence[Tested]:
        return self.marks.get(profile, ())

    async def _changes(self, node: NodeName) -> Sequence[bytes]:
        return self.changes.get(node, ())

    def restarted(self) -> "Publisher":
        """The same node in a new process."""
        again = Publisher(self.folder, self.name, clock=self.clock, storage=self.storage)
        again.fake_clock = self.fake_clock
        for told in ("trails", "marks", "changes", "origins", "providers"):
            setattr(again, told, getattr(self, told))
        return again

    # Its state.

    async def share(self, profile: str, *services: str, public: bool = False) -> None:
        chosen = frozenset(map(ServiceName, services))
        await self.profiles.set(Profile(name=ProfileName(profile), services=chosen, public=public), who=WHO)

    def version(
        self, service: str, version: str, *, by: str | None = None, received_from: str | None = None
    ) -> StoredVersion:
        """A version made and signed by ``by``, without an image."""
        maker = key_of(by or self.name)
        manifest = Manifest(
            service=ServiceName(service),
            version=DeveloperVersion(version),
            image=Digest.of(f"image of {service} {version}".encode()),
            size_bytes=1,
            entries=1,
            recipe=Digest.of(b"recipe"),
            sources=(),
            maker=Maker(node=NodeName(by or self.name), key=maker.public),
            created=FIXED_START,
        )
        signed = SignedManifest.make(manifest, maker)
        return StoredVersion(
            kind=ListKind.DEVELOPER,
            service=manifest.service,
            version=version,
            image=manifest.image,
            manifest=signed.digest,
            envelope=signed.envelope.to_bytes(),
            stored=FIXED_START,
            received_from=NodeName(received_from) if received_from else None,
        )

    async def develop(
        self, service: str, version: str, *, by: str | None = None, received_from: str | None = None
    ) -> StoredVersion:
        """Such a version, kept and desired."""
        kept = await self.versions.keep(self.version(service, version, by=by, received_from=received_from))
        await self.want(service, version)
        return kept

    async def want(self, service: str, version: str | None) -> None:
        delta = Delta(service=ServiceName(service), version=version)
        await self.desired.set_now(ListKind.DEVELOPER, (delta,), who=WHO, why="test")

    # The other side.

    def consumer(self, name: str = "globex", profile: str = "public", **changed: object) -> Consumer:
        made = Consumer(
            name=NodeName(name), key=key_of(name).public, profile=ProfileName(profile), linked=self.clock.now()
        )
        return replace(made, **changed)  # type: ignore[arg-type]  # each field as its test gives it

    def as_provider(self, profile: str = "public") -> Provider:
        """This node as its consumers know it."""
        return Provider(
            name=self.name,
            key=self.key.public,
            url=f"http://{self.name}.test:7420",
            profile=ProfileName(profile),
            linked=self.clock.now(),
        )

    async def read(
        self,
        reader: CatalogReader,
        consumer: Consumer | None,
        profile: str = "public",
        *,
        now: Callable[[], datetime] | None = None,
    ) -> Catalogue:
        """The catalogue as ``consumer`` reads and verifies it."""
        got: dict[str, bytes | None] = {}
        for _ in range(100):
            step = reader.read(got, (now or self.clock.now)())
            if isinstance(step, Catalogue):
                return step
            got[step.path] = await self.answer(consumer, profile, step.path)
        raise AssertionError("the catalogue has no end")

    async def answer(self, consumer: Consumer | None, profile: str, path: str) -> bytes | None:
        """What this node serves for ``path`` of a catalogue; ``None``: 404."""
        kind, _, name = path.partition("/")
        ask = self.catalogs.metadata if kind == "metadata" else self.catalogs.target
        try:
            return (await ask(consumer, ProfileName(profile), name)).read_bytes()
        except AbsentError:
            return None

    async def reader(self, folder: Path, profile: str = "public") -> CatalogReader:
        """A consumer's reader, trusting what its link began with."""
        reader = CatalogReader(folder)
        reader.trust((await self.catalogs.root(ProfileName(profile))).encode())
        return reader


async def published(folder: Path, *services: str, profile: str = "public", public: bool = False) -> Publisher:
    """A node that shares ``services``, each in version acme-1.0.0."""
    node = Publisher(folder)
    await node.share(profile, *services, public=public)
    for service in services:
        await node.develop(service, "acme-1.0.0")
    return node

"""Nodes in one process: real keys, signatures, routes, catalogues, packs, streams and storage rules; no sockets.

Time stands still until a test moves it; nothing here sleeps. A run with another loop, clock and ``wire.sleep`` is a
simulation (see ``simulated_time``).
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from quart import Quart

from federation.backoff import Backoff
from federation.clock import Clock
from federation.digest import Digest
from federation.image import Image
from federation.keychange import KeyChain
from federation.keys import PrivateKey, PublicKey
from federation.link.events import Event
from federation.link.follow import follow
from federation.link.identify import read_proof
from federation.link.identity_proof import IDENTITY_PATH, IdentityProof, new_nonce
from federation.manifest import Maker, Manifest, SignedManifest
from federation.names import InstanceName, NodeName, ProfileName, ServiceName
from federation.profile import Profile
from federation.transfer.tree import TreeSource, scan_tree
from federation.versions import DeveloperVersion
from node.app import make_app
from node.assembly import Assembly
from node.config import create_node, load_settings
from node.keyfolder import KeyFolder
from node.model.desired import Delta, ListKind
from node.model.following import Verdict
from node.model.peer import AutoUpdate, Provider
from node.model.task import Task
from node.model.version import StoredVersion
from node.usecases import Usecases
from node.usecases.changes import Topic
from node.usecases.peers import Peer
from tests.support.clock import FakeClock
from tests.support.memory_storage import Files, MemoryStorage
from tests.support.wire import Tamper, Wire, WirePeer

__all__ = ["WHO", "Member", "Network", "Tamper", "WirePeer", "chain"]

WHO = "test"


@dataclass
class Member:
    """One node of a ``Network``."""

    name: str
    folder: Path
    key: PrivateKey
    use: Usecases
    app: Quart
    storage: MemoryStorage
    clock: Clock
    wire: Wire
    _away: bool = False

    @property
    def url(self) -> str:
        return self.use.identity.url

    @property
    def away(self) -> bool:
        """Whether nobody reaches it, and it nobody."""
        return self._away

    @away.setter
    def away(self, away: bool) -> None:
        self._away = away
        self.wire.cut(lambda of, to: away and self.name in (of, to))
        self.wire.moved()

    async def develop(
        self, service: str, version: str, files: Mapping[str, bytes], *, private: tuple[str, ...] = ()
    ) -> StoredVersion:
        """A developer version of ``files``, those of ``private`` secret; signed, stored and desired, without Git."""
        stored = await self.make(service, version, files, private=private)
        await self.set(service, version)
        return stored

    async def make(
        self, service: str, version: str, files: Mapping[str, bytes], *, private: tuple[str, ...] = ()
    ) -> StoredVersion:
        """The same, stored and not desired."""
        signed, image, tree = self.signed(service, version, files)
        # The image store is reached as builds reach it.
        await self.use.client_builds._images.keep(image, TreeSource(tree, image))
        stored = StoredVersion(
            kind=ListKind.DEVELOPER,
            service=ServiceName(service),
            version=version,
            image=image.digest,
            manifest=signed.digest,
            envelope=signed.envelope.to_bytes(),
            stored=self.clock.now(),
            private_files=private,
        )
        await self.use.versions.keep(stored)
        return stored

    def signed(self, service: str, version: str, files: Mapping[str, bytes]) -> tuple[SignedManifest, Image, Path]:
        tree = self.folder / "trees" / f"{service}-{version}"
        for name, content in files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(content)
        image = scan_tree(tree)
        manifest = Manifest(
            service=ServiceName(service),
            version=DeveloperVersion(version),
            image=image.digest,
            size_bytes=image.size,
            entries=len(image),
            recipe=Digest.of(b"recipe"),
            sources=(),
            maker=Maker(node=NodeName(self.name), key=self.key.public),
            created=self.clock.now(),
        )
        return SignedManifest.make(manifest, self.key), image, tree

    async def set(self, service: str, version: str | None, *, who: str = WHO) -> None:
        """Make ``version`` the desired one, as an operator does."""
        delta = Delta(service=ServiceName(service), version=version)
        await self.use.desired.set_now(ListKind.DEVELOPER, (delta,), who=who, why="developed")

    async def share(self, profile: str, *services: str) -> None:
        chosen = frozenset(map(ServiceName, services))
        await self.use.profiles.set(Profile(name=ProfileName(profile), services=chosen), who=WHO)

    async def update_from(self, provider: str) -> Task:
        task = await self.use.updates.update(NodeName(provider), who=WHO)
        return await self.use.tasks.wait(task.id)

    async def auto_update(self, provider: str) -> None:
        """What a follower does once: look, and take what is decided."""
        await self.use.updates.check(NodeName(provider))
        if due := await self.use.updates.due(NodeName(provider)):
            await self.use.updates.run(NodeName(provider), due)

    async def desired(self) -> dict[str, str]:
        current = await self.use.desired.current(ListKind.DEVELOPER)
        return {str(service): version for service, version in current.versions.items()}

    async def provider(self, name: str) -> Provider:
        return await self.use.links.provider(NodeName(name))

    async def verdict(self, service: str, provider: str) -> Verdict:
        """The verdict here on what ``provider`` lists of ``service``."""
        found = await self.use.following.verdicts()
        (verdict,) = [one for one in found if (one.service, one.provider) == (service, provider)]
        return verdict

    async def alarms(self) -> dict[str, str]:
        """The kinds of the alarms that sound, with what each is about."""
        return {alarm.kind: alarm.subject for alarm in await self.use.alarms.all()}


@dataclass
class Network:
    """Some nodes that reach each other by name, with one clock."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    wire: Wire = field(default_factory=Wire)
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def tampers(self) -> dict[tuple[str, str], Tamper]:
        """What happens to answers, by (who asks, who answers)."""
        return self.wire.tampers

    def add(self, name: str, clock: Clock | None = None) -> Member:
        folder = self.folder / name
        url = f"http://{name}.test:7420"
        settings = create_node(folder, name=NodeName(name), host="127.0.0.1", port=7420, url=url)
        return self._start(name, PrivateKey.load(settings.key_file), clock or self.clock, {})

    def restart(self, name: str) -> Member:
        """End a node and start it again on what it had stored; what it had in memory is gone."""
        before = self.members[name]
        keys = KeyFolder(self.folder / name / "keys", NodeName(name)).load()
        return self._start(name, keys.key, before.clock, before.storage._files, keys.chain)

    async def rotate(self, name: str) -> Member:
        """Give a node another key while it is stopped, and start it again."""
        KeyFolder(self.folder / name / "keys", NodeName(name)).rotate(self.clock.now(), keep_old=False)
        member = self.restart(name)
        await member.use.key_changes.countersign()
        await member.use.withdrawals.renew()
        return member

    def _start(self, name: str, key: PrivateKey, clock: Clock, files: Files, chain: KeyChain | None = None) -> Member:
        storage = MemoryStorage(files)
        rng = random.Random(name)
        assembly = Assembly(
            load_settings(self.folder / name),
            key=key,
            storage=storage,
            connect=lambda to, peer: self.peer(name, to, peer, key),
            follow=self._follow(rng),
            identify=lambda to: self.identify(name, to),
            clock=clock,
            rng=rng,
            chain=chain,
        )
        use = assembly.usecases()
        member = Member(name, self.folder / name, key, use, make_app(use, clock, None), storage, clock, self.wire)
        self.members[name] = member
        return member

    def _follow(self, rng: random.Random) -> Callable[[Peer, str, Callable[[bool], None]], AsyncGenerator[Event, None]]:
        def following(peer: Peer, path: str, told: Callable[[bool], None]) -> AsyncGenerator[Event, None]:
            return follow(peer, path, backoff=Backoff(0.2, 60.0, rng), on_state=told, sleep=self.wire.pause)

        return following

    def peer(self, of: str, url: str, peer: PublicKey, key: PrivateKey) -> WirePeer:
        """A connection of ``of`` by ``key`` to the node at ``url``."""
        asker, found = self.members.get(of), next((one for one in self.members.values() if one.url == url), None)
        gone = found is None or found.away or (asker is not None and asker.away)
        clock = asker.clock if asker else self.clock
        return WirePeer(
            self.wire, of, found.name if found else "", None if gone or not found else found.app, url, peer, key, clock
        )

    async def identify(self, of: str, url: str) -> IdentityProof:
        """Who says to be at ``url``, asked by ``of``, who knows no key yet."""
        key, nonce = self.members[of].key, new_nonce()
        content = await self.peer(of, url, key.public, key).get(IDENTITY_PATH, {"nonce": nonce}, most_bytes=100_000)
        return read_proof(content, nonce)

    def between(self, of: Member, to: Member) -> WirePeer:
        return self.peer(of.name, to.url, to.key.public, of.key)

    async def link(
        self, provider: Member, consumer: Member, profile: str, auto_update: AutoUpdate = AutoUpdate.INSTALL
    ) -> None:
        invitation = await provider.use.links.invite(ProfileName(profile), who=WHO)
        await consumer.use.links.accept(invitation.text, auto_update=auto_update, who=WHO)

    def agent_of(self, member: Member, key: PrivateKey) -> WirePeer:
        return self.peer("agent", member.url, member.key.public, key)

    async def attach(self, member: Member, instance: str) -> PrivateKey:
        """An enrolled agent's key."""
        from federation import codec
        from federation.link.messages import Enrol

        enrolment = await member.use.instances.enrolment(InstanceName(instance), who=WHO)
        key = PrivateKey.generate()
        body = codec.encode(Enrol(secret=enrolment.secret, key=key.public))
        await self.agent_of(member, key).post("/agent/v1/enrol", body)
        return key

    def later(self, **by: float) -> None:
        """Let time pass, and let everybody see what is due."""
        self.clock.advance(timedelta(**by).total_seconds())
        self.wire.moved()
        for member in self.members.values():
            member.use.changes.publish(Topic.LINKS)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tasks run on all members while the block runs."""
        async with contextlib.AsyncExitStack() as stack:
            for member in self.members.values():
                await stack.enter_async_context(member.use.tasks.running())
            yield

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """All members publish, follow and update by themselves while the block runs, over real streams."""
        async with self.running(), asyncio.TaskGroup() as group:
            loops = [
                group.create_task(loop)
                for member in self.members.values()
                for loop in (member.use.catalogs.run(), member.use.delivery.run(), member.use.followers.run())
            ]
            yield
            for loop in loops:
                loop.cancel()

    async def until(self, holds: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
        """Wait until ``holds``, looked at after each change and before each pause; so long of real time at most."""
        changed = asyncio.Event()
        self.wire.told_of_pauses.append(changed.set)
        for member in self.members.values():
            member.use.changes.watch(lambda _change: changed.set())
        async with asyncio.timeout(seconds):
            while not await holds():
                changed.clear()
                await changed.wait()

    async def agree(self, service: str, version: str | None, *names: str) -> None:
        """Wait until ``version`` of ``service`` is desired at ``names``, or at all."""
        members = [self.members[name] for name in names or self.members]

        async def agreed() -> bool:
            return all([(await member.desired()).get(service) == version for member in members])

        await self.until(agreed)


async def chain(folder: Path, *names: str, service: str = "shop", profile: str = "public") -> Network:
    """Nodes linked in a row, each sharing ``service``; the first develops it."""
    network = Network(folder)
    members = [network.add(name) for name in names]
    for member in members:
        await member.share(profile, service)
    for provider, consumer in itertools.pairwise(members):
        await network.link(provider, consumer, profile)
    return network

"""Nodes in one process: real keys, signatures, routes, packs and storage rules; only sockets are left out."""

import contextlib
import itertools
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from multidict import CIMultiDict
from quart import Quart

from federation.clock import Clock
from federation.digest import Digest
from federation.errors import UnreachableError
from federation.image import Image
from federation.keys import PrivateKey, PublicKey
from federation.link.answers import error_of_answer
from federation.link.client import Downloaded
from federation.link.events import Event
from federation.link.request import HttpRequest
from federation.link.signature import signed_headers
from federation.manifest import Maker, Manifest, SignedManifest
from federation.names import InstanceName, NodeName, ProfileName, ServiceName
from federation.profile import Profile
from federation.transfer.tree import TreeSource, scan_tree
from federation.versions import DeveloperVersion
from node.app import make_app
from node.assembly import Assembly
from node.config import create_node
from node.model.desired import Delta, ListKind
from node.model.peer import AutoUpdate
from node.model.task import Task
from node.model.version import StoredVersion
from node.usecases import Usecases
from node.usecases.peers import Peer
from tests.support.clock import FakeClock
from tests.support.memory_storage import MemoryStorage

WHO = "test"
Tamper = Callable[[str, bytes], bytes]
"""Given the path asked for and the answer, the answer that arrives."""


@dataclass
class DirectPeer:
    """A ``Peer`` whose requests are signed as always and handed to the other node's application in this process."""

    app: Quart | None
    url: str
    peer: PublicKey
    key: PrivateKey
    clock: Clock
    tamper: Tamper

    async def ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        if self.app is None:
            raise UnreachableError(f"{self.url} does not answer")
        request = HttpRequest(method=method, path=path, query=urlencode(query or {}), body=body)
        headers = signed_headers(request, key=self.key, audience=self.peer.id, now=self.clock.now())
        client = self.app.test_client()
        ask = client.post if method == "POST" else client.get
        response = await ask(request.target, headers=headers, data=body)
        content = await response.get_data(as_text=False)
        return response.status_code, CIMultiDict(response.headers.items()), self.tamper(path, content)

    async def _checked(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[Mapping[str, str], bytes]:
        status, headers, content = await self.ask(method, path, query, body)
        if status >= 400:
            raise error_of_answer(self.url, status, content)
        return headers, content

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, most_bytes: int) -> bytes:
        assert most_bytes > 0
        return (await self._checked("GET", path, query))[1]

    async def post(self, path: str, body: bytes, *, most_bytes: int = 1) -> bytes:
        assert most_bytes > 0
        return (await self._checked("POST", path, body=body))[1]

    async def download(self, path: str, query: Mapping[str, str], target: Path, *, most_bytes: int) -> Downloaded:
        assert most_bytes > 0
        headers, content = await self._checked("GET", path, query)
        target.write_bytes(content)
        return Downloaded(bytes=len(content), headers=headers)

    def events(self, path: str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Event]]:
        raise UnreachableError(f"no stream of {path} in this network")


async def _no_events(peer: Peer, path: str, told: Callable[[bool], None]) -> AsyncGenerator[Event, None]:
    for _ in ():
        yield Event(name="never")


@dataclass
class Member:
    """One node of a ``Network``."""

    name: str
    folder: Path
    key: PrivateKey
    use: Usecases
    app: Quart
    storage: MemoryStorage
    clock: FakeClock
    away: bool = False

    @property
    def url(self) -> str:
        return self.use.identity.url

    async def develop(self, service: str, version: str, files: Mapping[str, bytes]) -> StoredVersion:
        """A developer version of ``files``, signed, stored and desired, without Git."""
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
        )
        await self.use.versions.keep(stored)
        delta = Delta(service=stored.service, version=version)
        await self.use.desired.set_now(ListKind.DEVELOPER, (delta,), who=WHO, why="developed")
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

    async def share(self, profile: str, *services: str) -> None:
        chosen = frozenset(map(ServiceName, services))
        await self.use.profiles.set(Profile(name=ProfileName(profile), services=chosen), who=WHO)

    async def update_from(self, provider: str) -> Task:
        task = await self.use.updates.update(NodeName(provider), who=WHO)
        return await self.use.tasks.wait(task.id)

    async def desired(self) -> dict[str, str]:
        current = await self.use.desired.current(ListKind.DEVELOPER)
        return {str(service): version for service, version in current.versions.items()}


@dataclass
class Network:
    """Some nodes that reach each other by name, with one clock. ``tampers``: what happens to answers on a link."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    members: dict[str, Member] = field(default_factory=dict)
    tampers: dict[tuple[str, str], Tamper] = field(default_factory=dict)

    def add(self, name: str) -> Member:
        url = f"http://{name}.test:7420"
        folder = self.folder / name
        settings = create_node(folder, name=NodeName(name), host="127.0.0.1", port=7420, url=url)
        key = PrivateKey.load(settings.key_file)
        storage = MemoryStorage()
        assembly = Assembly(
            settings,
            key=key,
            storage=storage,
            connect=lambda to, peer: self.peer(name, to, peer, key),
            follow=_no_events,
            clock=self.clock,
            rng=random.Random(7),
        )
        use = assembly.usecases()
        app = make_app(use, self.clock, None)
        member = Member(name, folder, key, use, app, storage, self.clock)
        self.members[name] = member
        return member

    def peer(self, of: str, url: str, peer: PublicKey, key: PrivateKey) -> DirectPeer:
        """A connection of ``of`` by ``key`` to the node at ``url``."""
        found = next((one for one in self.members.values() if one.url == url and not one.away), None)
        tamper = self.tampers.get((of, found.name if found else ""), lambda _path, content: content)
        return DirectPeer(found.app if found else None, url, peer, key, self.clock, tamper)

    def between(self, of: Member, to: Member) -> DirectPeer:
        return self.peer(of.name, to.url, to.key.public, of.key)

    async def link(self, provider: Member, consumer: Member, profile: str) -> None:
        invitation = await provider.use.links.invite(ProfileName(profile), who=WHO)
        await consumer.use.links.accept(invitation.text, auto_update=AutoUpdate.INSTALL, who=WHO)

    def agent_of(self, member: Member, key: PrivateKey) -> DirectPeer:
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
        self.clock.advance(timedelta(**by).total_seconds())

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tasks run on all members while the block runs."""
        async with contextlib.AsyncExitStack() as stack:
            for member in self.members.values():
                await stack.enter_async_context(member.use.tasks.running())
            yield


async def chain(folder: Path, *names: str, service: str = "shop", profile: str = "public") -> Network:
    """Nodes linked in a row, each sharing ``service``; the first develops it."""
    network = Network(folder)
    members = [network.add(name) for name in names]
    for member in members:
        await member.share(profile, service)
    for provider, consumer in itertools.pairwise(members):
        await network.link(provider, consumer, profile)
    return network

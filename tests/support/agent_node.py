"""A node as an agent sees it, on loopback: real keys, signatures, manifests and packs; it remembers what it hears."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from agent.home import Attached, Home
from federation import codec
from federation.assignment import Assigned, Assignment
from federation.clock import SystemClock
from federation.digest import Digest
from federation.errors import AbsentError, ConflictError, DeniedError, UnreachableError, VUpdateError
from federation.fault import FaultReport
from federation.image import Entry, Image, Kind
from federation.keys import PrivateKey, PublicKey
from federation.link.events import CONTENT_TYPE, Event, encode_event
from federation.link.messages import Enrol, Enrolled, ErrorBody, FaultTaken, LogsTaken
from federation.link.signature import HttpRequest, RequestVerifier
from federation.log import LogBatch
from federation.manifest import Maker, Manifest, SignedManifest
from federation.names import InstanceName, NodeName, ServiceKey
from federation.run import RunHistory
from federation.state import InstanceState, ServiceState
from federation.transfer import LocalBlobs, make_pack
from federation.versions import ClientVersion

NODE = NodeName("globex")
INSTANCE = InstanceName("web-1")
Files = Mapping[str, str | bytes]
"""Path to content; a path that ends in ``*`` is an executable."""

_STATUS: dict[type[VUpdateError], int] = {DeniedError: 401, AbsentError: 404, ConflictError: 409, UnreachableError: 503}


@dataclass(kw_only=True)
class AgentNode:
    """The node. Conditions on what it was told are waited for by ``until``."""

    folder: Path
    key: PrivateKey = field(default_factory=PrivateKey.generate)
    agent: PublicKey | None = None
    assigned: tuple[Assigned, ...] = ()
    revision: int = 1
    away: bool = False
    slow_seconds: float = 0
    secret: str = ""
    key_changes: bytes | None = None
    alter_pack: Callable[[bytes], bytes] | None = None
    alter_manifest: Callable[[bytes], bytes] | None = None
    states: list[InstanceState] = field(default_factory=list)
    batches: list[LogBatch] = field(default_factory=list)
    faults: list[FaultReport] = field(default_factory=list)
    histories: list[RunHistory] = field(default_factory=list)
    archives: dict[str, bytes] = field(default_factory=dict)
    pack_bases: list[Digest | None] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._clock = SystemClock()
        self._verifier = RequestVerifier(self.key.id, self._clock)
        self._blobs = LocalBlobs(self.folder / "blobs")
        self._images: dict[Digest, Image] = {}
        self._manifests: dict[Digest, bytes] = {}
        self._told = asyncio.Condition()
        self._changed = asyncio.Condition()
        self._over = False

    # What the operator does

    def publish(self, key: str, version: str, files: Files) -> Assigned:
        """Store a version; ready to be assigned."""
        entries = []
        for name, content in files.items():
            body = content.encode() if isinstance(content, str) else content
            digest = Digest.of(body)
            self._blobs.add(io.BytesIO(body), digest)
            kind = Kind.EXECUTABLE if name.endswith("*") else Kind.FILE
            entries.append(Entry(name.removesuffix("*"), kind, len(body), digest))
        image = Image.of(entries)
        self._images[image.digest] = image
        manifest = Manifest(
            service=ServiceKey(key).service,
            version=ClientVersion(version),
            image=image.digest,
            size_bytes=image.size,
            entries=len(image),
            recipe=Digest.of(b"recipe"),
            sources=(),
            maker=Maker(node=NODE, key=self.key.public),
            created=datetime(2026, 1, 1, tzinfo=UTC),
            base=Digest.of(b"base"),
            overlay=Digest.of(b"overlay"),
        )
        signed = SignedManifest.make(manifest, self.key)
        self._manifests[signed.digest] = signed.envelope.to_bytes()
        return Assigned(key=ServiceKey(key), version=ClientVersion(version), image=image.digest, manifest=signed.digest)

    async def assign(self, *assigned: Assigned, revision: int | None = None) -> None:
        """Say what should run, and tell the agent."""
        self.assigned = tuple(sorted(assigned, key=lambda one: one.key))
        self.revision = self.revision + 1 if revision is None else revision
        async with self._changed:
            self._changed.notify_all()

    def take_key(self, new: PrivateKey, key_changes: bytes) -> None:
        """Have another key from now on, and be reached by the old id too."""
        self.key, former, self.key_changes = new, self.key.id, key_changes
        self._verifier = RequestVerifier(new.id, self._clock, former={former})

    def attach(self, home: Path) -> None:
        """Attach an agent without the ceremony of an enrolment."""
        key = PrivateKey.generate()
        key.save(Home(home).key)
        self.agent = key.public
        Home(home).attach(Attached(url=self.url, node=NODE, node_key=self.key.public, instance=INSTANCE))

    # What a test sees

    async def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until what was told meets ``condition``."""
        async with asyncio.timeout(seconds), self._told:
            await self._told.wait_for(condition)

    def state_of(self, key: str) -> ServiceState | None:
        """The last state told of one service."""
        services = self.states[-1].services if self.states else ()
        return next((state for state in services if state.key == key), None)

    async def until_state(
        self, key: str, condition: Callable[[ServiceState], bool], seconds: float = 20.0
    ) -> ServiceState:
        """Wait for a state of ``key`` and return it."""

        def holds() -> bool:
            state = self.state_of(key)
            return state is not None and condition(state)

        try:
            await self.until(holds, seconds)
        except TimeoutError:
            raise AssertionError(f"the last state of {key} is {self.state_of(key)}") from None
        found = self.state_of(key)
        assert found is not None
        return found

    def log_text(self) -> str:
        """The messages of all records, duplicates of a stream left out."""
        seen = {
            (batch.service, batch.run, record.sequence): record.message
            for batch in self.batches
            for record in batch.records
        }
        return "\n".join(seen[key] for key in sorted(seen))

    # What the agent asks

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        await asyncio.sleep(self.slow_seconds)
        try:
            if self.away:
                return web.Response(status=503)
            self._verify(request, body)
            return await self._route(request, body)
        except VUpdateError as error:
            status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
            return web.Response(status=status, body=codec.encode(ErrorBody.of(error)))

    def _verify(self, request: web.Request, body: bytes) -> None:
        received = HttpRequest.received(
            method=request.method,
            path=request.rel_url.raw_path,
            query=request.rel_url.raw_query_string,
            headers=request.headers.items(),
            body=body,
        )
        key = codec.decode(body, Enrol).key if request.path.endswith("/enrol") else self.agent
        if key is None:
            raise DeniedError("no agent is enrolled")
        self._verifier.verify(received, key)

    async def _route(self, request: web.Request, body: bytes) -> web.StreamResponse:
        parts = request.path.removeprefix("/agent/v1/").split("/")
        match (request.method, *parts):
            case ("GET", "assignment"):
                return web.Response(body=self._assignment())
            case ("GET", "key-changes") if self.key_changes is not None:
                return web.Response(body=self.key_changes)
            case ("GET", "manifests", digest):
                return self._manifest(Digest(digest))
            case ("GET", "packs", image):
                base = request.query.get("from")
                return await asyncio.to_thread(self._pack, Digest(image), None if base is None else Digest(base))
            case ("GET", "events"):
                return await self._events(request)
            case ("POST", *what):
                return await self._take("/".join(what), body)
        raise AbsentError("no such route")

    def _assignment(self) -> bytes:
        assert self.agent is not None
        return Assignment(agent=self.agent.id, revision=self.revision, services=self.assigned).sign(self.key)

    def _manifest(self, digest: Digest) -> web.Response:
        if digest not in self._manifests:
            raise AbsentError("no such manifest")
        content = self._manifests[digest]
        return web.Response(body=content if self.alter_manifest is None else self.alter_manifest(content))

    def _pack(self, digest: Digest, base: Digest | None) -> web.Response:
        if digest not in self._images:
            raise AbsentError("no such image")
        image, old = self._images[digest], None if base is None else self._images.get(base)
        target = self.folder / f"{digest}-{base}.pack"
        full = self.folder / f"{digest}.pack"
        full_bytes = make_pack(base=None, image=image, source=self._blobs, target=full)
        make_pack(base=old, image=image, source=self._blobs, target=target)
        content = target.read_bytes()
        self.pack_bases.append(None if old is None else old.digest)
        headers = {"Vupdate-Pack-Base": "" if old is None else old.digest, "Vupdate-Full-Bytes": str(full_bytes)}
        return web.Response(body=content if self.alter_pack is None else self.alter_pack(content), headers=headers)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
        await response.prepare(request)
        told = self.revision
        await response.write(b": hello\n\n")
        while not self._over:
            async with self._changed:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(10):
                        await self._changed.wait_for(lambda: self._over or self.revision != told)  # noqa: B023
            told = self.revision
            await response.write(encode_event(Event(name="assignment", data=f'{{"revision":{told}}}')))
        return response

    async def _take(self, what: str, body: bytes) -> web.Response:
        answer = b""
        if what == "state":
            self.states.append(codec.decode(body, InstanceState))
        elif what == "logs":
            self.batches.append(codec.decode(body, LogBatch))
            answer = codec.encode(LogsTaken(through=self.batches[-1].records[-1].sequence))
        elif what == "faults":
            self.faults.append(codec.decode(body, FaultReport))
            answer = codec.encode(FaultTaken(id=self.faults[-1].id))
        elif what.startswith("faults/"):
            self.archives[what.split("/")[1]] = body
        elif what == "runs":
            self.histories.append(codec.decode(body, RunHistory))
        elif what == "enrol":
            answer = self._enrol(codec.decode(body, Enrol))
        async with self._told:
            self._told.notify_all()
        return web.Response(body=answer, status=200 if answer else 204)

    def _enrol(self, enrol: Enrol) -> bytes:
        if not self.secret or enrol.secret != self.secret:
            raise DeniedError("this enrolment was used before or never made")
        self.secret, self.agent = "", enrol.key
        return Enrolled(node=NODE, instance=INSTANCE, agent=enrol.key.id).sign(self.key)

    async def close(self) -> None:
        """End the event streams."""
        self._over = True
        async with self._changed:
            self._changed.notify_all()


@contextlib.asynccontextmanager
async def agent_node(folder: Path) -> AsyncIterator[AgentNode]:
    """A node on a free port of loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    node = AgentNode(folder=folder)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", node._handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0.1)
    node.url = str(server.make_url("/")).rstrip("/")
    try:
        yield node
    finally:
        await node.close()
        await server.close()

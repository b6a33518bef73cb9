"""A provider's packs and a consumer that fetches them, in one process, with nothing between but a peer that may lie."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from federation.catalog.listing import Entry, marker
from federation.clock import Clock
from federation.digest import Digest
from federation.image import Image
from federation.keys import PrivateKey
from federation.link.download import Downloaded
from federation.link.events import Event
from federation.manifest import Maker, Manifest, SignedManifest
from federation.names import NodeName, ProfileName, ServiceName
from federation.transfer.format import BASE_FIELD, FULL_BYTES_FIELD, HEADER_BYTES
from federation.transfer.images import load_image
from federation.transfer.localblobs import LocalBlobs
from federation.transfer.packstore import PackStore
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.peer import Provider
from node.model.version import StoredVersion
from node.repositories import Repositories
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub
from node.usecases.fetching import Fetcher
from node.usecases.images import Images
from node.usecases.penalties import Penalties
from node.usecases.transfers import Transfers
from node.usecases.versions import Versions
from tests.support.blobs import MemoryBlobs
from tests.support.clock import FakeClock
from tests.support.memory_storage import MemoryStorage
from tests.support.trees import Tree, contents_of, file, image_of, noise

ACME_KEY = PrivateKey(b"a" * 32)
SHOP = ServiceName("shop")
PROVIDER = Provider(
    name=NodeName("acme"),
    key=ACME_KEY.public,
    url="http://acme.test:7420",
    profile=ProfileName("public"),
    linked=FakeClock().now(),
)
Spoil = Callable[[str, bytes], bytes]


def honest(_path: str, content: bytes) -> bytes:
    return content


def images_in(folder: Path) -> tuple[Images, LocalBlobs]:
    blobs = LocalBlobs(folder / "blobs")
    packs = PackStore(folder / "packs", blobs, 10**9, lambda digest: load_image(blobs, digest), clock=FakeClock())
    return Images(blobs, packs), blobs


def version_of(text: str, image: Image) -> StoredVersion:
    manifest = Manifest(
        service=SHOP,
        version=DeveloperVersion(text),
        image=image.digest,
        size_bytes=image.size,
        entries=len(image),
        recipe=Digest.of(b"recipe"),
        sources=(),
        maker=Maker(node=NodeName("acme"), key=ACME_KEY.public),
        created=FakeClock().now(),
    )
    signed = SignedManifest.make(manifest, ACME_KEY)
    return StoredVersion(
        kind=ListKind.DEVELOPER,
        service=SHOP,
        version=text,
        image=image.digest,
        manifest=signed.digest,
        envelope=signed.envelope.to_bytes(),
        stored=FakeClock().now(),
    )


def entry_of(text: str, image: Image) -> Entry:
    return Entry(
        service=SHOP,
        version=DeveloperVersion(text),
        image=image.digest,
        manifest=Digest.of(text.encode()),
        trail=(marker(ACME_KEY.id, SHOP),),
    )


@dataclass
class PackPeer:
    """The provider at the other end. ``spoil``: what becomes of an answer; ``fail``: raises instead of answering."""

    images: Images
    clock: Clock
    spoil: Spoil = honest
    headers: Callable[[dict[str, str]], dict[str, str]] = dict
    fail: Callable[[str], None] = lambda _path: None
    asked: list[str] = field(default_factory=list)
    moved: dict[str, int] = field(default_factory=dict)
    targets: list[Path] = field(default_factory=list)

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, most_bytes: int) -> bytes:
        raise AssertionError(f"nobody should get {path} {query} {most_bytes}")

    async def post(self, path: str, body: bytes, *, most_bytes: int = 1) -> bytes:
        raise AssertionError(f"nobody should post {body!r} to {path} {most_bytes}")

    def events(self, path: str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Event]]:
        raise AssertionError(f"nobody should listen at {path}")

    async def download(self, path: str, query: Mapping[str, str], target: Path, *, most_bytes: int) -> Downloaded:
        shown = f"{path.rsplit('/', 2)[-2]}{'?from' if query else ''}"
        assert most_bytes > 0
        self.asked.append(shown)
        self.targets.append(target)
        self.fail(shown)
        if "/packs/" in path:
            base = Digest(query["from"]) if query else None
            pack = await self.images.pack(base, Digest(path.rsplit("/", 1)[1]))
            found, headers = pack.path, {BASE_FIELD: str(pack.base or ""), FULL_BYTES_FIELD: str(pack.full_bytes)}
        else:
            _, image, _, content = path.rsplit("/", 3)
            found, headers = (await self.images.content(Digest(image), Digest(content))).path, {}
        content_bytes = self.spoil(shown, found.read_bytes())
        target.write_bytes(content_bytes)
        self.moved[path] = self.moved.get(path, 0) + len(content_bytes)
        return Downloaded(bytes=len(content_bytes), headers=self.headers(headers))


@dataclass
class Consumer:
    """A consumer's storage, its fetcher, and the provider that it fetches from."""

    folder: Path
    clock: FakeClock
    peer: PackPeer
    provided: LocalBlobs
    images: Images
    blobs: LocalBlobs
    versions: Versions
    alarms: Alarms
    penalties: Penalties
    transfers: Transfers
    fetcher: Fetcher

    @classmethod
    def at(cls, folder: Path) -> "Consumer":
        clock, hub = FakeClock(), ChangeHub()
        given, provided = images_in(folder / "acme")
        images, blobs = images_in(folder / "globex")
        kept = Repositories.open(MemoryStorage())
        alarms = Alarms(kept.alarms, hub, Audit(kept.audit, clock), clock)
        versions, transfers = Versions(kept.versions, hub), Transfers(kept.transfers)
        peer, penalties = PackPeer(given, clock), Penalties(kept.penalties, alarms, clock)
        fetcher = Fetcher(
            images=images,
            versions=versions,
            penalties=penalties,
            transfers=transfers,
            connect=lambda _url, _key: peer,
            clock=clock,
            work=folder / "work",
        )
        return cls(folder, clock, peer, provided, images, blobs, versions, alarms, penalties, transfers, fetcher)

    async def offer(self, tree: Tree) -> Image:
        """The provider has an image."""
        image = image_of(tree)
        await self.peer.images.keep(image, MemoryBlobs(contents_of(tree)))
        return image

    async def hold(self, text: str, tree: Tree) -> Image:
        """Both have a version."""
        image = await self.offer(tree)
        await self.images.keep(image, MemoryBlobs(contents_of(tree)))
        await self.versions.keep(version_of(text, image))
        return image

    async def is_whole(self, image: Image) -> bool:
        """Whether every byte of ``image`` is here and right."""
        if await self.images.stored_bytes(image.digest) is None:
            return False
        for digest in image.contents:
            with self.blobs.open(digest) as stream:
                stream.read()
        return True

    def left_over(self) -> list[str]:
        """Files in the fetcher's own folder."""
        return sorted(path.name for path in (self.folder / "work").rglob("*") if path.is_file())


def flipped(kind: str, at: float, times: int = 1) -> Spoil:
    """Turn one bit of the first ``times`` answers of ``kind``, at a part of their length behind the header."""
    left = times

    def spoil(shown: str, content: bytes) -> bytes:
        nonlocal left
        if not shown.startswith(kind) or not left:
            return content
        left -= 1
        spoilt = bytearray(content)
        spoilt[HEADER_BYTES + int((len(spoilt) - HEADER_BYTES) * at)] ^= 0x10
        return bytes(spoilt)

    return spoil


async def alarms_of(consumer: Consumer) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.subject) for alarm in await consumer.alarms.open()]


OLD: Tree = {f"f{number}": file(noise(40_000, number)) for number in range(8)}
NEW: Tree = {**OLD, "f1": file(noise(39_000, 1) + b"x"), "f2": file(noise(41_000, 102)), "g": file(noise(9000, 103))}

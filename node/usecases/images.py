"""Stores images and packs: the only use case that touches blobs, always in threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeVar

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, TamperedError
from federation.image import Image
from federation.transfer import zstd
from federation.transfer.blobs import BatchSink, BlobStore, ContentSource
from federation.transfer.images import load_image, store_image
from federation.transfer.packstore import Pack, PackStore
from federation.transfer.streams import stream_of
from federation.transfer.unpack import Salvage, salvage

_WAITING_MOST: Final = 8
"""So many different packs are waited for at once; who asks for one in the making joins those who do."""

_T = TypeVar("_T")


class BatchingStore(BlobStore, BatchSink, Protocol):
    """A blob store that takes many contents in one durable step, and keeps each in a file of its own, compressed."""

    def path(self, digest: Digest) -> Path:
        """Where the compressed content lies, or would."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContent:
    """One compressed content as a file. ``etag``: other bytes have another one."""

    path: Path
    size: int
    etag: str


class Images:
    """The images and packs of this node."""

    def __init__(self, blobs: BatchingStore, packs: PackStore) -> None:
        self._blobs = blobs
        self._packs = packs
        self._making: dict[tuple[Digest | None, Digest], asyncio.Future[Pack]] = {}
        self._waiting = ThreadPoolExecutor(_WAITING_MOST, thread_name_prefix="packs-asked")
        self._background = ThreadPoolExecutor(1, thread_name_prefix="packs-ahead")

    def close(self) -> None:
        """Make no more packs, and wait for the threads that did."""
        self._packs.close()
        for pool in (self._waiting, self._background):
            pool.shutdown(cancel_futures=True)

    @property
    def contents(self) -> ContentSource:
        """The stored contents, for builds; blocking."""
        return self._blobs

    async def load(self, digest: Digest) -> Image:
        """The index of a stored image.

        Raises:
            AbsentError: it is not here.
        """
        return await asyncio.to_thread(load_image, self._blobs, digest)

    async def keep(self, image: Image, contents: ContentSource) -> None:
        """Store ``image`` and those of its contents that are not here yet."""
        await asyncio.to_thread(self._keep, image, contents)

    async def pack(self, base: Digest | None, image: Digest) -> Pack:
        """The cheapest pack to ``image`` for somebody who has ``base``, made now or earlier.

        However many ask for one that has to be made, they wait without holding a thread that others need.

        Raises:
            AbsentError: no such image.
        """
        present = await asyncio.to_thread(self._packs.present, base, image)
        if present is not None:
            return present
        making = self._making.get((base, image))
        if making is None:
            making = asyncio.get_running_loop().run_in_executor(self._waiting, self._packs.get, base, image)
            self._making[base, image] = making
            making.add_done_callback(lambda _: self._making.pop((base, image), None))
        return await asyncio.shield(making)

    async def prepare(self, base: Digest | None, image: Digest) -> None:
        """Make the pack that ``pack`` would have to make, for nobody yet.

        Raises:
            AbsentError, CorruptError, DiskFullError: it can't be made.
        """
        await self._in_background(partial(self._packs.prepare, base, image))

    async def improve(self) -> bool:
        """Make a pack that is often asked for smaller; whether there was one."""
        return await self._in_background(self._packs.improve) is not None

    async def _in_background(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._background, work)

    async def content(self, image: Digest, content: Digest) -> StoredContent:
        """One content of ``image`` as it is stored.

        Raises:
            AbsentError: it is none of the image, or not here.
        """
        return await asyncio.to_thread(self._content, image, content)

    def _content(self, image: Digest, content: Digest) -> StoredContent:
        if content not in load_image(self._blobs, image).contents:
            raise AbsentError("this image has no such content")
        path = self._blobs.path(content)
        try:
            about = path.stat()
        except FileNotFoundError as error:
            raise AbsentError("this content is not here any more") from error
        # The same content may be compressed anew, by another release of the compressor.
        return StoredContent(
            path=path, size=about.st_size, etag=f"{content[:32]}-{about.st_size:x}-{about.st_mtime_ns:x}"
        )

    async def stored_bytes(self, image: Digest) -> int | None:
        """What ``image`` takes up here; None: it is not here, or not whole."""
        return await asyncio.to_thread(self._stored_bytes, image)

    async def salvage(self, pack: Path, *, expected: Digest, base: Digest | None) -> Salvage:
        """Store whatever is genuine in ``pack``; the image counts as here only when ``complete`` says so.

        Raises:
            TamperedError: it is no pack of that image at all.
            CorruptError: what is stored of ``base`` is damaged.
        """
        return await asyncio.to_thread(self._salvage, pack, expected, base)

    async def take_content(self, file: Path, content: Digest, size: int) -> None:
        """Store the content in the compressed ``file``; ``size``: its bytes when unpacked.

        Raises:
            TamperedError: it is another one.
        """
        await asyncio.to_thread(self._take_content, file, content, size)

    async def complete(self, image: Image) -> None:
        """All contents of ``image`` are here: from now on it is too.

        Raises:
            CorruptError: one is not.
        """
        await asyncio.to_thread(self._complete, image)

    def _keep(self, image: Image, contents: ContentSource) -> None:
        with self._blobs.batch() as batch:
            for digest in image.contents:
                if not batch.has(digest):
                    with contents.open(digest) as content:
                        batch.add(content, digest)
        store_image(self._blobs, image)

    def _stored_bytes(self, image: Digest) -> int | None:
        try:
            contents = load_image(self._blobs, image).contents
            return sum(map(self._blobs.stored_bytes, contents))
        except (AbsentError, CorruptError):
            return None

    def _salvage(self, pack: Path, expected: Digest, base: Digest | None) -> Salvage:
        try:
            old = load_image(self._blobs, base) if base else None
        except AbsentError as error:
            raise CorruptError(f"the old image {base} is not here any more: take the full pack") from error
        return salvage(pack, expected=expected, base=old, old=self._blobs if old else None, sink=self._blobs)

    def _take_content(self, file: Path, content: Digest, size: int) -> None:
        with file.open("rb") as stream:
            frames = zstd.FrameReader(lambda: stream.read(zstd.CHUNK_BYTES))
            try:
                self._blobs.add(stream_of(frames.exact_frame(size=size)), content)
            except zstd.DamagedFrameError as error:
                raise TamperedError(f"what was sent as content {content} can't be read: refused") from error

    def _complete(self, image: Image) -> None:
        lost = [digest for digest in image.contents if not self._blobs.has(digest)]
        if lost:
            raise CorruptError(f"{len(lost)} contents of image {image.digest} are missing here: fetch it again")
        store_image(self._blobs, image)

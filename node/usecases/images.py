"""Stores images and packs: the only use case that touches blobs, always in threads."""

import asyncio
from pathlib import Path
from typing import Protocol

from federation.digest import Digest
from federation.image import Image
from federation.transfer.blobs import BatchSink, BlobStore, ContentSource
from federation.transfer.images import load_image, store_image
from federation.transfer.packstore import Pack, PackStore
from federation.transfer.unpack import unpack


class BatchingStore(BlobStore, BatchSink, Protocol):
    """A blob store that takes many contents in one durable step."""


class Images:
    """The images and packs of this node."""

    def __init__(self, blobs: BatchingStore, packs: PackStore) -> None:
        self._blobs = blobs
        self._packs = packs

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
        """The cheapest pack to ``image`` for somebody who has ``base``, made now or earlier."""
        return await asyncio.to_thread(self._packs.get, base, image)

    async def unpack(self, pack: Path, *, expected: Digest, base: Digest | None) -> Image:
        """Store the image in ``pack``, verified against ``expected``.

        Raises:
            TamperedError: the pack is not what it should be; nothing unverified was stored.
        """
        return await asyncio.to_thread(self._unpack, pack, expected, base)

    def _keep(self, image: Image, contents: ContentSource) -> None:
        with self._blobs.batch() as batch:
            for digest in image.contents:
                if not batch.has(digest):
                    with contents.open(digest) as content:
                        batch.add(content, digest)
        store_image(self._blobs, image)

    def _unpack(self, pack: Path, expected: Digest, base: Digest | None) -> Image:
        old = load_image(self._blobs, base) if base else None
        image = unpack(pack, expected=expected, base=old, old=self._blobs if old else None, sink=self._blobs)
        store_image(self._blobs, image)
        return image

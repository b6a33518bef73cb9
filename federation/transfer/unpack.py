"""Taking a pack into a store of contents: all that it brings, or nothing; or, from a bad one, whatever is genuine."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, TamperedError
from federation.files import explained_disk_errors
from federation.image import Image
from federation.transfer.blobs import BatchSink, ContentSink, ContentSource
from federation.transfer.localblobs import LocalBlobs
from federation.transfer.reader import open_pack


def unpack(pack: Path, *, expected: Digest, base: Image | None, old: ContentSource | None, sink: ContentSink) -> Image:
    """Bring the contents of image ``expected`` into ``sink`` by ``pack``; ``old`` has those of ``base``.

    Afterwards ``sink`` has every content of the image, and the index is not among them: that is for the caller to
    keep. After an error ``sink`` is as it was, as far as it can take many contents in one step.

    Raises:
        TamperedError: the pack is not genuine, or rests on another base.
        CorruptError: the old version is damaged: the full pack will do.
        InvalidValueError, OversizedError: the signed index itself is not a safe one.
        DiskFullError: no room.
    """
    with open_pack(pack, expected=expected, base=base) as reader, _batch(sink, pack.parent) as batch:
        for digest, content in reader.contents(old):
            batch.add(content, digest)
        if reader.base is not None and old is not None:
            _add_unchanged(reader.image.contents, old, batch)
        return reader.image


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvage:
    """What a pack gave. ``missing``: contents that it should have brought and did not; ``wrong``: what it got wrong."""

    image: Image
    missing: tuple[Digest, ...]
    wrong: TamperedError | None


def salvage(
    pack: Path, *, expected: Digest, base: Image | None, old: ContentSource | None, sink: ContentSink
) -> Salvage:
    """As ``unpack``, but what is genuine is kept whatever the rest of the pack is.

    Raises:
        TamperedError: its header or index is not the right one: nothing was kept. Others as ``unpack``.
    """
    wrong: TamperedError | None = None
    with open_pack(pack, expected=expected, base=base) as reader, _batch(sink, pack.parent) as batch:
        unchanged = {} if reader.base is None else reader.base.contents
        try:
            for digest, content in reader.contents(old):
                try:
                    batch.add(content, digest)
                except TamperedError as error:
                    wrong = wrong or error
        except TamperedError as error:  # between or behind the contents
            wrong = wrong or error
        if old is not None:
            _add_unchanged([digest for digest in reader.image.contents if digest in unchanged], old, batch)
        missing = tuple(digest for digest in reader.image.contents if not batch.has(digest))
        return Salvage(image=reader.image, missing=missing, wrong=wrong)


def _add_unchanged(contents: Iterable[Digest], old: ContentSource, batch: ContentSink) -> None:
    for digest in contents:
        if not batch.has(digest):
            try:
                with old.open(digest) as content:
                    batch.add(content, digest)
            except AbsentError as error:
                raise CorruptError(f"the old version lacks its content {digest}: take the full pack") from error


def _batch(sink: ContentSink, beside: Path) -> AbstractContextManager[ContentSink]:
    return sink.batch() if isinstance(sink, BatchSink) else _held(sink, beside)


@contextlib.contextmanager
def _held(sink: ContentSink, beside: Path) -> Iterator[ContentSink]:
    """For a sink that takes one at a time: contents are kept ``beside`` until all of them are verified."""
    with (
        explained_disk_errors(beside),
        tempfile.TemporaryDirectory(prefix=".unpacking-", dir=beside) as folder,
    ):
        held = _Held(sink, LocalBlobs(Path(folder)))
        yield held
        held.hand_over()


class _Held:
    def __init__(self, sink: ContentSink, store: LocalBlobs) -> None:
        self._sink = sink
        self._store = store

    def has(self, digest: Digest) -> bool:
        return self._store.has(digest) or self._sink.has(digest)

    def add(self, content: BinaryIO, digest: Digest) -> None:
        self._store.add(content, digest)

    def hand_over(self) -> None:
        for digest in self._store.digests():
            with self._store.open(digest) as content:
                self._sink.add(content, digest)

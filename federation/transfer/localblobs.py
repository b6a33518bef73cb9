"""Contents in a local folder: ``aa/<digest>.zst``, one compressed file each.

Decides how they lie on the disk and that each is whole or not there. Many can be added in one durable step.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from federation import limits
from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, InvalidValueError, TamperedError
from federation.files import explained_disk_errors
from federation.transfer import zstd
from federation.transfer.durable import new_file, sync_all, write_all
from federation.transfer.streams import pieces_of, stream_of, verified

_LEVEL: Final = 3
_SUFFIX: Final = ".zst"
_STAGING: Final = ".adding-"


class LocalBlobs:
    """A blob store in the folder ``root``, which is made when first needed. Safe for threads and processes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, digest: Digest) -> Path:
        """Where the compressed content of ``digest`` lies, or would."""
        return self._root / digest[:2] / f"{digest}{_SUFFIX}"

    def has(self, digest: Digest) -> bool:
        return self.path(digest).exists()

    def open(self, digest: Digest) -> BinaryIO:
        try:
            stored = self.path(digest).open("rb")
        except FileNotFoundError:
            raise AbsentError(f"content {digest} is not stored here") from None
        return stream_of(verified(_unpacked(stored, digest), digest, lambda: _corrupt(digest)))

    def add(self, content: BinaryIO, digest: Digest) -> None:
        with self.batch() as batch:
            batch.add(content, digest)

    @contextlib.contextmanager
    def batch(self) -> "Iterator[_Batch]":
        """A sink whose contents appear here, durable, when the block ends; none of them after an error."""
        with explained_disk_errors(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=_STAGING, dir=self._root) as folder:
                batch = _Batch(self, Path(folder))
                yield batch
                batch.commit(self._root)

    def stored_bytes(self, digest: Digest) -> int:
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            raise AbsentError(f"content {digest} is not stored here") from None

    def remove(self, digest: Digest) -> None:
        self.path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[Digest]:
        for path in self._root.glob(f"[0-9a-f][0-9a-f]/*{_SUFFIX}"):
            with contextlib.suppress(InvalidValueError):  # a stranger's file is not ours to judge
                yield Digest(path.name.removesuffix(_SUFFIX))

    def clean_leftovers(self) -> None:
        """Remove what a killed process left half added; for a start, before anybody adds."""
        for path in self._root.glob(f"{_STAGING}*"):
            shutil.rmtree(path, ignore_errors=True)


class _Batch:
    """Contents written beside their places, to be put there together."""

    def __init__(self, store: LocalBlobs, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._staged: set[Digest] = set()

    def has(self, digest: Digest) -> bool:
        return digest in self._staged or self._store.has(digest)

    def add(self, content: BinaryIO, digest: Digest) -> None:
        if self.has(digest):
            return
        path = self._folder / digest
        try:
            _write_packed(path, content, digest)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._staged.add(digest)

    def commit(self, root: Path) -> None:
        """Synced first, then in its place, then the folders synced: a power cut leaves each whole or absent."""
        sync_all([self._folder / digest for digest in self._staged], root)
        folders = {self._store.path(digest).parent for digest in self._staged}
        for folder in folders:
            folder.mkdir(exist_ok=True)
        for digest in self._staged:
            (self._folder / digest).replace(self._store.path(digest))
        if self._staged:
            sync_all([*folders, root], root)


def _write_packed(path: Path, content: BinaryIO, digest: Digest) -> None:
    def wrong() -> TamperedError:
        return TamperedError(f"what was given as content {digest} is another one; it was not stored")

    descriptor = new_file(path)
    try:
        pieces = verified(pieces_of(content), digest, wrong)
        write_all(descriptor, zstd.compressed_plainly(pieces, level=_LEVEL))
        os.fchmod(descriptor, 0o644)
    finally:
        os.close(descriptor)


def _unpacked(stored: BinaryIO, digest: Digest) -> Iterator[bytes]:
    with stored:
        frames = zstd.FrameReader(lambda: stored.read(zstd.CHUNK_BYTES))
        try:
            yield from frames.frame(most=limits.IMAGE_FILE_BYTES)
        except zstd.DamagedFrameError as error:
            raise _corrupt(digest) from error


def _corrupt(digest: Digest) -> CorruptError:
    return CorruptError(f"the stored content {digest} is damaged: remove it and fetch it again")

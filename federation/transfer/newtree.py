"""Writing a tree into a folder of its own: whole and durable when it is done, gone after any error.

No path of the image can lead through a link: an image holds each parent as a folder, all folders are made here, in a
folder that was not there before, and links come last.
"""

import contextlib
import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from federation.digest import Digest
from federation.errors import CorruptError, ExistsError, LocalError, TamperedError
from federation.files import explained_disk_errors, sync_directory
from federation.image import Entry, Image, Kind
from federation.transfer.durable import new_file, shares_blocks, sync_all, write_all
from federation.transfer.streams import pieces_of, verified


class NewTree:
    """A sink for the contents of ``image`` that puts each at its paths under ``root``."""

    def __init__(self, image: Image, root: Path) -> None:
        self._image = image
        self._root = root
        self._missing: dict[Digest, list[Entry]] = defaultdict(list)
        for entry in image:
            if entry.digest is not None:
                self._missing[entry.digest].append(entry)

    def has(self, digest: Digest) -> bool:
        return digest not in self._missing

    def add(self, content: BinaryIO, digest: Digest) -> None:
        if self.has(digest):
            return

        def wrong() -> TamperedError:
            return TamperedError(f"what was given as the content of {self._missing[digest][0].path!r} is another one")

        with self._first(digest) as descriptor:
            write_all(descriptor, verified(pieces_of(content), digest, wrong))
        self._repeat(digest)

    def take(self, file: BinaryIO, digest: Digest) -> None:
        """As ``add`` from an open file, sharing its blocks where the file system can."""
        with self._first(digest) as descriptor:
            if shares_blocks(file.fileno(), descriptor):
                intact = _digest_of(descriptor) == digest
            else:
                intact = _copy(file, descriptor) == digest
        if not intact:
            path = self._missing[digest][0].path
            raise CorruptError(f"{path!r} of the old version is no longer what was installed: take the full pack")
        self._repeat(digest)

    @contextlib.contextmanager
    def _first(self, digest: Digest) -> Iterator[int]:
        entry = self._missing[digest][0]
        descriptor = new_file(self._root / entry.path)
        try:
            yield descriptor
            os.fchmod(descriptor, entry.kind.mode)
        finally:
            os.close(descriptor)

    def _repeat(self, digest: Digest) -> None:
        """Put the content, now at the first of its paths, at the others too."""
        first, *others = self._missing.pop(digest)
        for entry in others:
            descriptor = new_file(self._root / entry.path)
            try:
                with (self._root / first.path).open("rb") as file:
                    if not shares_blocks(file.fileno(), descriptor):
                        write_all(descriptor, pieces_of(file))
                os.fchmod(descriptor, entry.kind.mode)
            finally:
                os.close(descriptor)

    def make_folders(self) -> None:
        """All folders first, the modes of the image whatever the process's umask."""
        self._root.chmod(Kind.DIRECTORY.mode)
        for entry in self._image:
            if entry.kind is Kind.DIRECTORY:
                self._place(entry).mkdir()
                self._place(entry).chmod(entry.kind.mode)

    def finish(self) -> None:
        """Add the links, and make all of it survive a power cut."""
        if self._missing:
            raise LocalError(f"the tree in {self._root} lacks {len(self._missing)} of its contents")
        for entry in self._image:
            if entry.kind is Kind.LINK:
                self._place(entry).symlink_to(entry.target)
        folders = [entry for entry in self._image if entry.kind is Kind.DIRECTORY]
        files = [entry for entry in self._image if entry.digest is not None]
        sync_all([*map(self._place, files), *map(self._place, folders), self._root], self._root)
        sync_directory(self._root.parent)

    def _place(self, entry: Entry) -> Path:
        return self._root / entry.path


def _digest_of(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(file: BinaryIO, descriptor: int) -> str:
    state = hashlib.sha256()
    for piece in pieces_of(file):
        state.update(piece)
        write_all(descriptor, [piece])
    return state.hexdigest()


@contextlib.contextmanager
def new_tree(image: Image, target: Path) -> Iterator[NewTree]:
    """A tree to fill in the folder ``target``, which this makes.

    Raises:
        ExistsError: ``target`` exists already; it is left alone.
        DiskFullError: no room. After any other error too there is no ``target``.
    """
    with explained_disk_errors(target):
        try:
            target.mkdir()
        except FileExistsError:
            raise ExistsError(f"{target} exists already: a version is unpacked into a folder of its own") from None
        try:
            tree = NewTree(image, target)
            tree.make_folders()
            yield tree
            tree.finish()
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise

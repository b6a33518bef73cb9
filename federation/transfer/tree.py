"""Unpacked trees: reading one as an image, as a source of contents, and writing one out."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, InvalidValueError
from federation.image import Entry, Image, Kind
from federation.transfer.blobs import BatchSink, ContentSink, ContentSource
from federation.transfer.newtree import new_tree
from federation.transfer.streams import pieces_of, stream_of, verified
from federation.transfer.zstd import CHUNK_BYTES

_SMALL_BYTES: Final = 4096
_REPLACED = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO}


def scan_tree(root: Path) -> Image:
    """The image of what stands under ``root``: a file is executable if anybody may execute it.

    Raises:
        InvalidValueError: something there has no place in an image: a socket, device or pipe, a link that leads out,
            a name that is not UTF-8 or not a safe path.
    """
    return Image.of(_scan(root))


def _scan(root: Path) -> Iterator[Entry]:
    folders = [""]
    while folders:
        within = folders.pop()
        with os.scandir(root / within) as places:
            for place in places:
                path = f"{within}{place.name}"
                entry = _entry(place, path)
                yield entry
                if entry.kind is Kind.DIRECTORY:
                    folders.append(f"{path}/")


def _entry(place: os.DirEntry[str], path: str) -> Entry:
    # What the folder itself tells of its entries spares a call for each of them.
    if place.is_file(follow_symlinks=False):
        return _file(place.path, path)
    if place.is_dir(follow_symlinks=False):
        return Entry(path, Kind.DIRECTORY)
    if place.is_symlink():
        return Entry(path, Kind.LINK, target=os.readlink(place.path))  # noqa: PTH115 - a Path would change its spelling
    raise InvalidValueError(f"{path!r} is a socket, a pipe or a device: an image holds files, folders and links")


def _file(place: str, path: str) -> Entry:
    descriptor, status = _opened(place)
    state, size = hashlib.sha256(), 0
    try:
        # Without a stream around it, and with no more room than needed: most files are small, and there are many.
        room = min(max(status.st_size + 1, _SMALL_BYTES), CHUNK_BYTES)
        while piece := os.read(descriptor, room):
            state.update(piece)
            size += len(piece)
    finally:
        os.close(descriptor)
    kind = Kind.EXECUTABLE if status.st_mode & 0o111 else Kind.FILE
    return Entry(path, kind, size, Digest(state.hexdigest()))


def _opened(place: str | Path) -> tuple[int, os.stat_result]:
    """The descriptor of a regular file and of nothing else: no link is followed, no pipe waited for."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(errno.ENXIO, "not a regular file", str(place))
    return descriptor, status


class TreeSource:
    """The contents of ``image`` out of its unpacked tree in the folder ``root``."""

    def __init__(self, root: Path, image: Image) -> None:
        self._root = root
        files = ((entry.digest, entry.path) for entry in reversed(image.entries))
        self._paths = {digest: path for digest, path in files if digest is not None}

    def open(self, digest: Digest) -> BinaryIO:
        file = self.open_unverified(digest)
        return stream_of(verified(_closing(file), digest, lambda: self._altered(digest)))

    def open_unverified(self, digest: Digest) -> BinaryIO:
        """The file that should have the content, for who checks it himself.

        Raises:
            AbsentError: no such content in the image.
            CorruptError: no regular file stands there any more.
        """
        path = self._paths.get(digest)
        if path is None:
            raise AbsentError(f"content {digest} is not part of the version in {self._root}")
        try:
            return os.fdopen(_opened(self._root / path)[0], "rb")
        except OSError as error:
            if error.errno in _REPLACED:
                raise self._altered(digest) from error
            raise

    def _altered(self, digest: Digest) -> CorruptError:
        place = self._root / self._paths[digest]
        return CorruptError(f"{str(place)!r} is no longer what was installed: take the full pack")


def _closing(file: BinaryIO) -> Iterator[bytes]:
    with file:
        yield from pieces_of(file)


def add_tree(root: Path, image: Image, sink: ContentSink) -> None:
    """Put the contents of ``image``, whose tree is in ``root``, into ``sink``.

    Raises:
        CorruptError: the tree is no longer the one that was scanned.
        DiskFullError: no room in ``sink``.
    """
    if isinstance(sink, BatchSink):
        with sink.batch() as batch:
            _add_all(TreeSource(root, image), image, batch)
    else:
        _add_all(TreeSource(root, image), image, sink)


def _add_all(source: ContentSource, image: Image, sink: ContentSink) -> None:
    for digest in image.contents:
        if not sink.has(digest):
            with source.open(digest) as content:
                sink.add(content, digest)


def write_tree(image: Image, source: ContentSource, target: Path) -> None:
    """Write ``image`` with the contents of ``source`` into the folder ``target``, which this makes; durable.

    Raises:
        ExistsError: ``target`` exists already.
        AbsentError, CorruptError: ``source`` lacks a content or keeps it damaged.
        DiskFullError: no room. After any error there is no ``target``.
    """
    with new_tree(image, target) as tree:
        _add_all(source, image, tree)

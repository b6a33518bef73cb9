"""Unpacked trees: reading one as an image, as a source of contents, and writing one out."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, InvalidValueError
from federation.image import Entry, Image, Kind
from federation.transfer.blobs import BatchSink, ContentSink, ContentSource
from federation.transfer.newtree import new_tree
from federation.transfer.streams import pieces_of, stream_of, verified

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
        for place in (root / within).iterdir():
            path = f"{within}{place.name}"
            entry = _entry(place, path)
            yield entry
            if entry.kind is Kind.DIRECTORY:
                folders.append(f"{path}/")


def _entry(place: Path, path: str) -> Entry:
    mode = place.lstat().st_mode
    if stat.S_ISDIR(mode):
        return Entry(path, Kind.DIRECTORY)
    if stat.S_ISLNK(mode):
        return Entry(path, Kind.LINK, target=os.readlink(place))  # noqa: PTH115 - a Path would change its spelling
    if stat.S_ISREG(mode):
        return _file(place, path)
    raise InvalidValueError(f"{path!r} is a socket, a pipe or a device: an image holds files, folders and links")


def _file(place: Path, path: str) -> Entry:
    size = 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for piece in pieces_of(stream):
            size += len(piece)
            yield piece

    with _open_file(place) as stream:
        mode = os.fstat(stream.fileno()).st_mode
        digest = Digest.of_chunks(counted())
    return Entry(path, Kind.EXECUTABLE if mode & 0o111 else Kind.FILE, size, digest)


def _open_file(place: Path) -> BinaryIO:
    """A regular file and nothing else: no link is followed, no pipe waited for."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ENXIO, "not a regular file", str(place))
    return os.fdopen(descriptor, "rb")


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
            return _open_file(self._root / path)
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

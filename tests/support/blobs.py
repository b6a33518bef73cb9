"""A blob store in memory: the fake behind the ports of ``federation.transfer.blobs``."""

import contextlib
import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, TamperedError


class MemoryBlobs:
    """Contents in a dictionary; ``kept`` may be damaged by a test to see who notices."""

    def __init__(self, contents: Iterable[bytes] = ()) -> None:
        self.kept: dict[Digest, bytes] = {Digest.of(content): content for content in contents}

    def has(self, digest: Digest) -> bool:
        return digest in self.kept

    def open(self, digest: Digest) -> BinaryIO:
        try:
            content = self.kept[digest]
        except KeyError:
            raise AbsentError(f"content {digest} is not kept here") from None
        if Digest.of(content) != digest:
            raise CorruptError(f"content {digest} is damaged")
        return io.BytesIO(content)

    def add(self, content: BinaryIO, digest: Digest) -> None:
        if digest in self.kept:
            return
        given = content.read()
        if Digest.of(given) != digest:
            raise TamperedError(f"not the content {digest}")
        self.kept[digest] = given

    def stored_bytes(self, digest: Digest) -> int:
        with self.open(digest) as stream:
            return len(stream.read())

    def remove(self, digest: Digest) -> None:
        self.kept.pop(digest, None)

    def digests(self) -> Iterator[Digest]:
        return iter(list(self.kept))


class MemoryBatchBlobs(MemoryBlobs):
    """The same that takes many contents in one step."""

    @contextlib.contextmanager
    def batch(self) -> Iterator[MemoryBlobs]:
        staged = MemoryBlobs()
        staged.kept = dict(self.kept)
        yield staged
        self.kept = staged.kept

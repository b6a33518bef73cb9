"""Streams of content: from pieces to a file object, and checked against a digest on the way."""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from federation.digest import Digest
from federation.errors import VUpdateError
from federation.transfer.zstd import CHUNK_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def pieces_of(stream: BinaryIO) -> Iterator[bytes]:
    """What is left of ``stream``, in pieces."""
    while piece := stream.read(CHUNK_BYTES):
        yield piece


def verified(pieces: Iterable[bytes], digest: Digest, wrong: Callable[[], VUpdateError]) -> Iterator[bytes]:
    """``pieces``, the last of which is given out only after all of them proved to be the content of ``digest``.

    So nobody holds the whole of a content that is not the right one.
    """
    state = hashlib.sha256()
    held = b""
    for piece in filter(None, pieces):
        if held:
            yield held
        state.update(piece)
        held = piece
    if state.hexdigest() != digest:
        raise wrong()
    if held:
        yield held


class _Pieces(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: "WriteableBuffer", /) -> int:
        view = memoryview(target).cast("B")
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def stream_of(pieces: Iterator[bytes]) -> BinaryIO:
    """A file object that gives ``pieces``; what they raise, its ``read`` raises."""
    return io.BufferedReader(_Pieces(pieces), CHUNK_BYTES)


class Row:
    """Bytes one behind another, taken by count."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def take(self, size: int) -> Iterator[bytes]:
        """The next ``size`` bytes, in pieces; fewer if there are no more."""
        while size and (piece := self._rest or memoryview(next(self._pieces, b""))):
            given, self._rest = piece[:size], piece[size:]
            size -= len(given)
            yield bytes(given)

    def finish(self) -> None:
        """Let the source of the bytes run to its end and say what it has to say."""
        for _ in self._pieces:
            pass

"""The old bytes that a frame is compressed against, read from where the old version lies."""

from typing import BinaryIO

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError
from federation.transfer.blobs import ContentSource
from federation.transfer.plan import Span
from federation.transfer.zstd import CHUNK_BYTES


class Prefixes:
    """Reads prefixes out of ``source``; each old content is checked whole when it is first met.

    Stretches of one content that follow one another, as those for the pieces of a big file do, are read in one pass.
    """

    def __init__(self, source: ContentSource) -> None:
        self._source = source
        self._checked: set[Digest] = set()
        self._walk: _Walk | None = None

    def read(self, spans: tuple[Span, ...]) -> bytearray:
        """The bytes of ``spans``, one behind another.

        Raises:
            CorruptError: an old content is not there, or not what it was.
        """
        prefix = bytearray(sum(span.size for span in spans))
        view = memoryview(prefix)
        for span in spans:
            self._read(span, view[: span.size])
            view = view[span.size :]
        if self._walk is not None and len(spans) == 1:
            self._walk.remember(spans[0], prefix)
        return prefix

    def _read(self, span: Span, target: memoryview) -> None:
        walk = self._walk
        if walk is None or not walk.leads_to(span):
            self.close()
            walk = self._walk = _Walk(span.digest, self._opened(span.digest))
        walk.read(span, target)
        if span.digest not in self._checked:
            walk.finish()
            self._checked.add(span.digest)
            self.close()

    def _opened(self, digest: Digest) -> BinaryIO:
        try:
            return self._source.open(digest)
        except AbsentError as error:
            raise CorruptError(f"the old version lacks its content {digest}: take the full pack") from error

    def close(self) -> None:
        """Let go of the content that was read last."""
        if self._walk is not None:
            self._walk.stream.close()
            self._walk = None


class _Walk:
    """One pass through an old content."""

    def __init__(self, digest: Digest, stream: BinaryIO) -> None:
        self._digest = digest
        self.stream = stream
        self._at = 0
        self._start = 0
        self._held = bytearray()

    def remember(self, span: Span, held: bytearray) -> None:
        """``held`` is what stands at ``span``: the next span may begin within it."""
        self._start, self._held = span.start, held

    def leads_to(self, span: Span) -> bool:
        """Whether ``span`` can be read without going back to the beginning."""
        return span.digest == self._digest and span.start >= (self._start if self._held else self._at)

    def read(self, span: Span, target: memoryview) -> None:
        """Fill ``target`` with ``span``."""
        again = memoryview(self._held)[max(0, span.start - self._start) :][: len(target)]
        target[: len(again)] = again
        self._held = bytearray()
        target = target[len(again) :]
        self._skip(span.start - self._at)
        while target and (piece := self.stream.read(min(len(target), CHUNK_BYTES))):
            target[: len(piece)] = piece
            target = target[len(piece) :]
            self._at += len(piece)
        if target:
            raise self._too_short()

    def _skip(self, count: int) -> None:
        while count > 0 and (piece := self.stream.read(min(count, CHUNK_BYTES))):
            count -= len(piece)
            self._at += len(piece)
        if count > 0:
            raise self._too_short()

    def finish(self) -> None:
        """Read to the end, where what is damaged shows."""
        while self.stream.read(CHUNK_BYTES):
            pass

    def _too_short(self) -> CorruptError:
        return CorruptError(f"the old content {self._digest} is shorter than its index says: take the full pack")

"""The old bytes that a frame is compressed against, read from where the old version lies."""

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError
from federation.transfer.blobs import ContentSource
from federation.transfer.plan import Span
from federation.transfer.zstd import CHUNK_BYTES


class Prefixes:
    """Reads prefixes out of ``source``; each old content is checked whole when it is first met."""

    def __init__(self, source: ContentSource) -> None:
        self._source = source
        self._checked: set[Digest] = set()

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
        return prefix

    def _read(self, span: Span, target: memoryview) -> None:
        try:
            stream = self._source.open(span.digest)
        except AbsentError as error:
            raise CorruptError(f"the old version lacks its content {span.digest}: take the full pack") from error
        with stream:
            before = span.start
            while before and (piece := stream.read(min(before, CHUNK_BYTES))):
                before -= len(piece)
            while target and (piece := stream.read(min(len(target), CHUNK_BYTES))):
                target[: len(piece)] = piece
                target = target[len(piece) :]
            if before or target:
                raise CorruptError(f"the old content {span.digest} is shorter than its index says: take the full pack")
            if span.digest not in self._checked:
                while stream.read(CHUNK_BYTES):
                    pass
                self._checked.add(span.digest)

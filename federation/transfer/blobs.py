"""The ports through which contents come and go, named by their SHA-256; and the local store behind them.

A port says nothing of where contents lie or how they are packed. What belongs to which version, and what may be
removed, is left to others.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, runtime_checkable

from federation.digest import Digest
from federation.transfer.localblobs import LocalBlobs

__all__ = ["BatchSink", "BlobStore", "ContentSink", "ContentSource", "LocalBlobs"]


class ContentSource(Protocol):
    """Where contents come from."""

    def open(self, digest: Digest) -> BinaryIO:
        """The whole content as a stream; the end of a content that is not the right one is never given out.

        Raises:
            AbsentError: no such content here.
            CorruptError: here or from a ``read``: what is kept is not what it should be.
        """
        ...


class ContentSink(Protocol):
    """Where contents go."""

    def has(self, digest: Digest) -> bool:
        """Whether the content is here already."""
        ...

    def add(self, content: BinaryIO, digest: Digest) -> None:
        """Keep ``content``, durable when this returns; ``content`` need not be read if it is here already.

        Raises:
            TamperedError: not the content of ``digest``; nothing is kept.
            DiskFullError: nothing is kept.
        """
        ...


@runtime_checkable
class BatchSink(ContentSink, Protocol):
    """A sink that can take many contents in one durable step."""

    def batch(self) -> AbstractContextManager[ContentSink]:
        """A sink whose contents appear here, durable, when the block ends; none of them after an error."""
        ...


class BlobStore(ContentSource, ContentSink, Protocol):
    """A place that keeps contents."""

    def stored_bytes(self, digest: Digest) -> int:
        """What the content takes up here.

        Raises:
            AbsentError: no such content here.
        """
        ...

    def remove(self, digest: Digest) -> None:
        """Forget the content, if it is here."""
        ...

    def digests(self) -> Iterator[Digest]:
        """All contents kept here, in no order."""
        ...

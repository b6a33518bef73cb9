"""Making packs; the format stands in ``federation.transfer.format``, what goes in and in which order in ``plan``.

Which pack is worth making, and where it is kept, is left to ``packstore``.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from federation.errors import CorruptError
from federation.files import atomic_file
from federation.image import Image
from federation.transfer import zstd
from federation.transfer.blobs import ContentSource
from federation.transfer.format import HEADER_BYTES, Header
from federation.transfer.plan import Content, plan
from federation.transfer.prefixes import Prefixes
from federation.transfer.streams import Row, pieces_of


def _go_on() -> None:
    """Nothing stands against it."""


def make_pack(
    *,
    base: Image | None,
    image: Image,
    source: ContentSource,
    target: Path,
    level: int = 3,
    check: Callable[[], None] = _go_on,
) -> int:
    """Write the pack that brings ``image`` to whoever has ``base`` (nothing if None); how many bytes it has.

    ``source`` has the contents of both images. The same input gives the same bytes. ``check`` is called between
    pieces and ends the work by raising.

    Raises:
        AbsentError: ``source`` lacks a content of ``image``.
        CorruptError: a content in ``source`` is damaged, or ``source`` lacks one of ``base``.
        DiskFullError: ``target`` is as it was.
    """
    with atomic_file(target) as stream:
        stream.write(bytes(HEADER_BYTES))
        index_section = _write(stream, _index_section(base, image, level), check)
        contents_section = _write(stream, _contents_section(base, image, source, level), check)
        header = Header(
            base=None if base is None else base.digest,
            image=image.digest,
            index_bytes=len(image.encoded),
            index_section_bytes=index_section,
            contents_section_bytes=contents_section,
        )
        stream.seek(0)
        stream.write(header.to_bytes())
    return header.pack_bytes


def _write(stream: BinaryIO, pieces: Iterable[bytes], check: Callable[[], None]) -> int:
    written = 0
    for piece in pieces:
        check()
        written += stream.write(piece)
    return written


def _index_section(base: Image | None, image: Image, level: int) -> Iterator[bytes]:
    prefix = b"" if base is None else base.encoded
    size = len(image.encoded)
    bits = zstd.window_bits(len(prefix) + size)
    return zstd.compressed([image.encoded], size=size, bits=bits, level=level, prefix=prefix)


def _contents_section(base: Image | None, image: Image, source: ContentSource, level: int) -> Iterator[bytes]:
    due = plan(base, image)
    row = Row(_row(due.wanted, source))
    with contextlib.closing(Prefixes(source)) as prefixes:
        for frame in due.frames:
            prefix = prefixes.read(frame.prefix)
            pieces = row.take(frame.size)
            yield from zstd.compressed(pieces, size=frame.size, bits=frame.window_bits, level=level, prefix=prefix)
    row.finish()


def _row(wanted: Iterable[Content], source: ContentSource) -> Iterator[bytes]:
    for content in wanted:
        left = content.size
        with source.open(content.digest) as stream:
            for piece in pieces_of(stream):
                left -= len(piece)
                if left < 0:
                    break
                yield piece
        if left:
            raise CorruptError(f"content {content.digest} has not the {content.size} bytes that its image says")

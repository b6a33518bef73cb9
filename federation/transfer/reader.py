"""Reading a pack: every byte is checked before anybody gets it, and none is decoded that is not due.

Decides whether a pack is what it should be; where its contents go is left to ``unpack`` and ``install``. The index is
checked against the digest that the caller knows from a signed manifest, each content against the index.
"""

import contextlib
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from federation.digest import Digest
from federation.errors import TamperedError
from federation.image import Image
from federation.transfer import zstd
from federation.transfer.blobs import ContentSource
from federation.transfer.format import HEADER_BYTES, Header
from federation.transfer.plan import Frame, plan
from federation.transfer.prefixes import Prefixes
from federation.transfer.streams import Row, stream_of, verified


class PackReader:
    """A pack whose header and index proved right.

    Attributes:
        image: the image that the pack brings.
        base: the image that it rests on; None for a full pack.
    """

    def __init__(self, stream: BinaryIO, *, expected: Digest, base: Image | None) -> None:
        self._stream = stream
        header = Header.from_bytes(stream.read(HEADER_BYTES))
        _check_header(header, os.fstat(stream.fileno()).st_size, expected, base)
        self.base = None if header.base is None else base
        self.image = _index(_section(stream, header.index_section_bytes), header, self.base)
        self._contents_bytes = header.contents_section_bytes

    def contents(self, old: ContentSource | None) -> Iterator[tuple[Digest, BinaryIO]]:
        """Each content that the pack brings, once, to be read before the next; ``old`` has the contents of the base.

        Raises:
            TamperedError: here or from a ``read``; names what is wrong.
            CorruptError: an old content is not what it was.
        """
        if self.base is not None and old is None:
            raise TamperedError("the pack rests on an image whose contents are not here: take the full pack")
        due = plan(self.base, self.image)
        frames = _section(self._stream, self._contents_bytes)
        row = Row(_row(due.frames, frames, None if old is None else Prefixes(old)))
        for content in due.wanted:
            wrong = functools.partial(self._wrong, content.digest)
            pieces = verified(row.take(content.size), content.digest, wrong)
            yield content.digest, stream_of(pieces)
            for _ in pieces:  # whoever has this content already need not have read it
                pass
        row.finish()
        _check_end(frames, "contents")

    def _wrong(self, digest: Digest) -> TamperedError:
        path = next((entry.path for entry in self.image if entry.digest == digest), "")
        return TamperedError(f"the pack is not genuine: its content for {path!r} does not match the signed index")


@contextlib.contextmanager
def open_pack(pack: Path, *, expected: Digest, base: Image | None) -> Iterator[PackReader]:
    """The pack in the file ``pack`` for the image ``expected``, to be applied where ``base`` is.

    Raises:
        TamperedError: it is not that pack; names what is wrong.
    """
    with pack.open("rb") as stream:
        yield PackReader(stream, expected=expected, base=base)


def _check_header(header: Header, size: int, expected: Digest, base: Image | None) -> None:
    if header.pack_bytes != size:
        raise TamperedError(f"the pack has {size} bytes, its header says {header.pack_bytes}: it is cut or altered")
    if header.image != expected:
        raise TamperedError(f"the pack brings image {header.image}, asked for was {expected}")
    if header.base is not None and (base is None or header.base != base.digest):
        held = "nothing" if base is None else base.digest
        raise TamperedError(f"the pack rests on image {header.base}, here is {held}: take the full pack")


def _section(stream: BinaryIO, size: int) -> zstd.FrameReader:
    left = size

    def feed() -> bytes:
        nonlocal left
        piece = stream.read(min(left, zstd.CHUNK_BYTES))
        left -= len(piece)
        return piece

    return zstd.FrameReader(feed)


def _index(frames: zstd.FrameReader, header: Header, base: Image | None) -> Image:
    prefix = b"" if base is None else base.encoded
    bits = zstd.window_bits(len(prefix) + header.index_bytes)
    try:
        content = b"".join(frames.exact_frame(size=header.index_bytes, bits=bits, prefix=prefix))
    except zstd.DamagedFrameError as error:
        raise TamperedError("the pack is not genuine: its index can't be read") from error
    if Digest.of(content) != header.image:
        raise TamperedError("the pack is not genuine: its index is not the signed one")
    _check_end(frames, "index")
    return Image.decode(content)


def _row(due: tuple[Frame, ...], frames: zstd.FrameReader, old: Prefixes | None) -> Iterator[bytes]:
    with contextlib.nullcontext() if old is None else contextlib.closing(old):
        yield from _frames(due, frames, old)


def _frames(due: tuple[Frame, ...], frames: zstd.FrameReader, old: Prefixes | None) -> Iterator[bytes]:
    for frame in due:
        prefix = old.read(frame.prefix) if old is not None else b""
        try:
            yield from frames.exact_frame(size=frame.size, bits=frame.window_bits, prefix=prefix)
        except zstd.DamagedFrameError as error:
            raise TamperedError("the pack is not genuine: its contents can't be read") from error


def _check_end(frames: zstd.FrameReader, section: str) -> None:
    if not frames.at_end():
        raise TamperedError(f"the pack is not genuine: bytes follow its {section}")

"""The header of a pack, and the format as a whole.

A *pack* brings one image to a place that has nothing (a full pack) or another image, its base (a delta pack)::

    offset  bytes
         0      8   "vUpdPack"
         8      4   version of the format, 1; numbers are unsigned, big-endian
        12     32   digest of the base's index; zeros in a full pack
        44     32   digest of the image's index
        76      8   bytes of the index
        84      8   bytes of the index section
        92      8   bytes of the contents section
       100          index section, then contents section; nothing follows

Index section: one Zstandard frame, the index of the image; in a delta pack with the index of the base as prefix.
Contents section: the frames of ``federation.transfer.plan`` one behind another; none if there is no byte to bring.
A prefix under eight bytes is left out. A frame states the size of its content and its window is at most the smallest
power of two, from 1 KiB to 128 MiB, that spans prefix and content (without a prefix: to 32 MiB).

Nothing here is signed: the reader knows the digest of the index from a signed manifest, and the index has the digest
of each content. The header only tells early that a pack is another one than was asked for.
"""

import struct
from dataclasses import dataclass
from typing import Final, Self

from federation import limits
from federation.digest import Digest
from federation.errors import TamperedError

_MAGIC: Final = b"vUpdPack"
_VERSION: Final = 1
_LAYOUT: Final = struct.Struct(">8sI32s32sQQQ")
_NO_BASE: Final = bytes(32)

HEADER_BYTES: Final = _LAYOUT.size

BASE_FIELD: Final = "Vupdate-Pack-Base"
"""The HTTP header beside a pack that names the image it rests on; empty for a full pack."""

FULL_BYTES_FIELD: Final = "Vupdate-Full-Bytes"
"""The HTTP header beside a pack that says what the full pack would have had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands before the sections of a pack."""

    base: Digest | None
    image: Digest
    index_bytes: int
    index_section_bytes: int
    contents_section_bytes: int

    @property
    def pack_bytes(self) -> int:
        """The size of the whole pack."""
        return HEADER_BYTES + self.index_section_bytes + self.contents_section_bytes

    def to_bytes(self) -> bytes:
        """The header in its one spelling."""
        base = _NO_BASE if self.base is None else bytes.fromhex(self.base)
        sizes = (self.index_bytes, self.index_section_bytes, self.contents_section_bytes)
        return _LAYOUT.pack(_MAGIC, _VERSION, base, bytes.fromhex(self.image), *sizes)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The header that ``content`` is.

        Raises:
            TamperedError: not a pack of this format, or cut short.
        """
        if len(content) != HEADER_BYTES:
            raise TamperedError("the pack is cut short within its header")
        magic, version, base, image, index, index_section, contents_section = _LAYOUT.unpack(content)
        if magic != _MAGIC or version != _VERSION:
            raise TamperedError("this is no pack of a known format")
        if index > limits.IMAGE_INDEX_BYTES:
            raise TamperedError(f"the pack announces an index of {index} bytes, over {limits.IMAGE_INDEX_BYTES}")
        return cls(
            base=None if base == _NO_BASE else Digest(base.hex()),
            image=Digest(image.hex()),
            index_bytes=index,
            index_section_bytes=index_section,
            contents_section_bytes=contents_section,
        )

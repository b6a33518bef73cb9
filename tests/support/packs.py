"""Packs of small trees for tests: made for real, and altered by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from federation.digest import Digest
from federation.image import Image
from federation.transfer import unpack
from federation.transfer.format import HEADER_BYTES, Header
from federation.transfer.pack import make_pack
from tests.support.blobs import MemoryBlobs
from tests.support.trees import Node, contents_of, file, image_of, noise, program

OLD_TREE = {
    "bin/run": program(b"#!/bin/sh\necho 1\n"),
    "lib/same.bin": file(noise(3000, 7)),
    "lib/one.bin": file(noise(6000, 1)),
    "lib-1.0/gone.bin": file(noise(2000, 2)),
}
NEW_TREE = {
    "bin/run": program(b"#!/bin/sh\necho 2\n"),
    "lib/same.bin": file(noise(3000, 7)),
    "lib/one.bin": file(noise(3000, 1) + b"changed" + noise(6000, 1)[3000:]),
    "lib-1.1/gone.bin": file(noise(2000, 2) + b"more"),
    "lib-1.1/new.bin": file(noise(500, 3)),
}


@dataclass(frozen=True)
class Update:
    """Two images, the contents of the old one, and the pack in the file ``path`` from one to the other."""

    old: Image
    new: Image
    old_contents: tuple[bytes, ...]
    path: Path

    def blobs(self) -> MemoryBlobs:
        """A store that has the old version."""
        return MemoryBlobs(self.old_contents)

    def apply(self, sink: MemoryBlobs) -> Image:
        return unpack(self.path, expected=self.new.digest, base=self.old, old=self.blobs(), sink=sink)

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()

    def altered(self, content: bytes) -> "Update":
        """The same with other bytes for a pack."""
        path = self.path.with_name("altered.pack")
        path.write_bytes(content)
        return replace(self, path=path)

    @property
    def header(self) -> Header:
        return Header.from_bytes(self.content[:HEADER_BYTES])

    def sections(self) -> tuple[bytes, bytes]:
        """The index section and the contents section."""
        body = self.content[HEADER_BYTES:]
        return body[: self.header.index_section_bytes], body[self.header.index_section_bytes :]

    def with_sections(self, index: bytes, contents: bytes, **fields: int) -> "Update":
        """The same with other sections, and a header that fits them."""
        sizes = {"index_section_bytes": len(index), "contents_section_bytes": len(contents)} | fields
        header = replace(self.header, **sizes)  # type: ignore[arg-type]
        return self.altered(header.to_bytes() + index + contents)


def update(
    folder: Path, old: Mapping[str, Node] = OLD_TREE, new: Mapping[str, Node] = NEW_TREE, name: str = "a.pack"
) -> Update:
    """A delta pack from ``old`` to ``new``."""
    path = folder / name
    source = MemoryBlobs(contents_of(old, new))
    make_pack(base=image_of(old), image=image_of(new), source=source, target=path)
    return Update(image_of(old), image_of(new), tuple(contents_of(old)), path)


def has_all(sink: MemoryBlobs, image: Image) -> bool:
    """Whether ``sink`` has the contents of ``image``, each the right one."""
    return all(Digest.of(sink.kept[digest]) == digest for digest in image.contents)

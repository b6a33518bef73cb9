"""A disk that is really full: nothing is half there, and what was there stays."""

import io
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.digest import Digest
from federation.errors import DiskFullError
from federation.limits import MIB
from federation.transfer import LocalBlobs, install_pack, unpack, write_tree
from federation.transfer.pack import make_pack
from tests.support.blobs import MemoryBlobs
from tests.support.trees import file, image_of, noise, snapshot

BIG = [noise(600_000, seed) for seed in range(4)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MIB}", "tmpfs", str(place)]
    found = subprocess.run(mount, capture_output=True, text=True, timeout=10, check=False)
    if found.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {found.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], timeout=10, check=True)


def put(blobs: LocalBlobs, content: bytes) -> Digest:
    blobs.add(io.BytesIO(content), Digest.of(content))
    return Digest.of(content)


def test_a_blob_that_does_not_fit(small_disk: Path) -> None:
    """Is not there; the ones before it are, and when there is room again it can be added."""
    blobs = LocalBlobs(small_disk / "blobs")
    first = put(blobs, BIG[0])
    before = snapshot(small_disk)
    with pytest.raises(DiskFullError):
        put(blobs, BIG[1])
    assert snapshot(small_disk) == before
    blobs.remove(first)
    assert blobs.has(put(blobs, BIG[1]))


def full_pack(folder: Path) -> tuple[Path, Digest]:
    image = image_of({str(number): file(content) for number, content in enumerate(BIG)})
    make_pack(base=None, image=image, source=MemoryBlobs(BIG), target=folder / "a.pack")
    return folder / "a.pack", image.digest


def test_a_version_that_does_not_fit(small_disk: Path, tmp_path: Path) -> None:
    """Neither unpacked for an agent, nor taken into a store, nor written from one, nor packed."""
    pack, digest = full_pack(tmp_path)
    (small_disk / "kept").write_bytes(b"kept")
    blobs = LocalBlobs(small_disk / "blobs")
    put(blobs, b"kept")
    before = snapshot(small_disk)
    image = image_of({str(number): file(content) for number, content in enumerate(BIG)})
    with pytest.raises(DiskFullError):
        install_pack(pack, expected=digest, base=None, base_tree=None, target=small_disk / "new")
    assert snapshot(small_disk) == before
    with pytest.raises(DiskFullError):
        unpack(pack, expected=digest, base=None, old=None, sink=blobs)
    assert snapshot(small_disk) == before
    with pytest.raises(DiskFullError):
        write_tree(image, MemoryBlobs(BIG), small_disk / "new")
    with pytest.raises(DiskFullError):
        make_pack(base=None, image=image, source=MemoryBlobs(BIG), target=small_disk / "b.pack")
    assert snapshot(small_disk) == before

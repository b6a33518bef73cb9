"""Trees on the disk: read as images, written out again, and never through links."""

import errno
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, DiskFullError, ExistsError, InvalidValueError
from federation.image import Kind
from federation.transfer import LocalBlobs, TreeSource, add_tree, durable, scan_tree, write_tree
from tests.support.blobs import MemoryBatchBlobs, MemoryBlobs
from tests.support.trees import FOLDER, Tree, contents_of, file, image_of, link, noise, program, snapshot, trees, write

TREE: Tree = {
    "bin/run": program(b"#!/bin/sh\n"),
    "lib/a": file(b"same"),
    "lib/b": file(b"same"),
    "lib/c": program(b"same"),
    "lib/current": link("./a"),
    "lib/up": link("../bin//run"),
    "empty": FOLDER,
    "é ü": file(b""),
}


@settings(max_examples=50)
@given(trees())
def test_what_is_written_is_what_is_read(tree: Tree) -> None:
    """Any image survives the disk, modes and links and empty folders too."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "tree"
        write_tree(image_of(tree), MemoryBlobs(contents_of(tree)), target)
        assert scan_tree(target) == image_of(tree)


def test_a_tree_is_read_as_its_image(tmp_path: Path) -> None:
    """Whatever made it."""
    assert scan_tree(write(TREE, tmp_path)) == image_of(TREE)


@pytest.mark.parametrize(
    ("mode", "kind"), [(0o600, Kind.FILE), (0o640, Kind.FILE), (0o100644, Kind.FILE), (0o610, Kind.EXECUTABLE)]
)
def test_who_may_execute_does_not_matter(tmp_path: Path, mode: int, kind: Kind) -> None:
    """A file that anybody may execute is executable; other bits are not kept."""
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "a").chmod(mode)
    assert scan_tree(tmp_path).by_path["a"].kind is kind


def pipe(place: Path) -> None:
    os.mkfifo(place)


def listening(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as found:
        found.bind(str(place))


@pytest.mark.parametrize("make", [pipe, listening])
def test_what_is_no_file_is_refused(tmp_path: Path, make: object) -> None:
    """By its name, and without waiting for it."""
    assert callable(make)
    make(tmp_path / "strange")
    with pytest.raises(InvalidValueError, match="strange"):
        scan_tree(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device files")
def test_a_device_is_refused(tmp_path: Path) -> None:
    """It is not opened."""
    os.mknod(tmp_path / "strange", 0o600 | 0o020000, os.makedev(1, 5))
    with pytest.raises(InvalidValueError, match="strange"):
        scan_tree(tmp_path)


@pytest.mark.parametrize("target", ["/etc/passwd", "..", "a/../../b", "../folder/.."])
def test_a_link_that_leads_out_is_refused(tmp_path: Path, target: str) -> None:
    """Even if what it names exists."""
    (tmp_path / "strange").symlink_to(target)
    with pytest.raises(InvalidValueError, match="strange"):
        scan_tree(tmp_path)


def test_links_that_lead_out_together_are_refused(tmp_path: Path) -> None:
    """Each of them looks harmless alone."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "up").symlink_to("../d")
    (tmp_path / "root").symlink_to("d/..")
    (tmp_path / "strange").symlink_to("d/up/../..")
    with pytest.raises(InvalidValueError, match="strange"):
        scan_tree(tmp_path)


@pytest.mark.parametrize("name", [b"not-utf8-\xff", b"back\\slash", b"new\nline"])
def test_a_name_that_is_not_plain_is_refused(tmp_path: Path, name: bytes) -> None:
    """Rather than changed."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
    with pytest.raises(InvalidValueError):
        scan_tree(tmp_path)


def test_a_tree_gives_its_contents(tmp_path: Path) -> None:
    """By digest, and none that it does not have."""
    source = TreeSource(write(TREE, tmp_path), image_of(TREE))
    for content in contents_of(TREE):
        with source.open(Digest.of(content)) as stream:
            assert stream.read() == content
    with pytest.raises(AbsentError):
        source.open(Digest.of(b"never"))


def altered(place: Path) -> None:
    place.write_bytes(b"evil")


def removed(place: Path) -> None:
    place.unlink()


def linked(place: Path) -> None:
    place.rename(place.with_name("moved"))
    place.symlink_to("moved")


def piped(place: Path) -> None:
    place.unlink()
    os.mkfifo(place)


def foldered(place: Path) -> None:
    place.unlink()
    place.mkdir()


@pytest.mark.parametrize("harm", [altered, removed, linked, piped, foldered])
def test_a_file_that_is_no_longer_what_it_was_is_corrupt(tmp_path: Path, harm: object) -> None:
    """Whatever stands there now: it is named, and neither followed nor waited for."""
    image = image_of(TREE)
    write(TREE, tmp_path)
    assert callable(harm)
    harm(tmp_path / "bin/run")
    with pytest.raises(CorruptError, match="bin/run"):
        TreeSource(tmp_path, image).open(Digest.of(b"#!/bin/sh\n")).read()


@pytest.mark.parametrize("sink", [MemoryBlobs(), MemoryBatchBlobs()])
def test_adding_a_tree(tmp_path: Path, sink: MemoryBlobs) -> None:
    """Each distinct content once."""
    add_tree(write(TREE, tmp_path), image_of(TREE), sink)
    assert sink.kept.keys() == image_of(TREE).contents.keys()


def test_adding_a_tree_that_changed_since(tmp_path: Path) -> None:
    """Nothing of it is stored."""
    write(TREE, tmp_path / "tree")
    (tmp_path / "tree/bin/run").write_bytes(b"later")
    blobs = LocalBlobs(tmp_path / "blobs")
    with pytest.raises(CorruptError):
        add_tree(tmp_path / "tree", image_of(TREE), blobs)
    assert list(blobs.digests()) == []


@pytest.fixture
def narrow_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("narrow_umask")
def test_modes_are_those_of_the_image(tmp_path: Path) -> None:
    """Whatever the process's own rules are."""
    write_tree(image_of(TREE), MemoryBlobs(contents_of(TREE)), tmp_path / "t")
    modes = {place: (tmp_path / "t" / place).lstat().st_mode & 0o777 for place in ("", "bin", "bin/run", "lib/a")}
    assert modes == {"": 0o755, "bin": 0o755, "bin/run": 0o755, "lib/a": 0o644}


def test_equal_files_are_files_of_their_own(tmp_path: Path) -> None:
    """A service that writes one of them does not change the others."""
    write_tree(image_of(TREE), MemoryBlobs(contents_of(TREE)), tmp_path / "t")
    assert {path.lstat().st_nlink for path in (tmp_path / "t").rglob("*") if path.is_file()} == {1}


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_left_alone(tmp_path: Path, kind: str) -> None:
    """A tree is written only into a folder that was not there."""
    target = tmp_path / "t"
    if kind == "folder":
        write({"mine": file(b"mine")}, target)
    elif kind == "file":
        target.write_bytes(b"mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        target.symlink_to("elsewhere")
    before = snapshot(tmp_path)
    with pytest.raises(ExistsError):
        write_tree(image_of(TREE), MemoryBlobs(contents_of(TREE)), target)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kept", [None, b"damaged"])
def test_a_content_that_is_not_there_leaves_no_tree(tmp_path: Path, kept: bytes | None) -> None:
    """Absent and corrupt are told apart, and the folder is gone."""
    blobs = MemoryBlobs(contents_of(TREE))
    blobs.remove(Digest.of(b"same"))
    if kept is not None:
        blobs.kept[Digest.of(b"same")] = kept
    with pytest.raises(AbsentError if kept is None else CorruptError):
        write_tree(image_of(TREE), blobs, tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no space left")


@pytest.mark.parametrize("step", ["write_all", "sync_all"])
def test_a_full_disk_leaves_no_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Whether it shows while writing or only while syncing."""
    monkeypatch.setattr(f"federation.transfer.newtree.{step}", no_room)
    with pytest.raises(DiskFullError):
        write_tree(image_of(TREE), MemoryBlobs(contents_of(TREE)), tmp_path / "t")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("files", [3, 100])
def test_few_and_many_files_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    """One by one, or by one call for the file system; one by one where there is no such call."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    paths = [tmp_path / str(number) for number in range(files)]
    for path in paths:
        path.write_bytes(noise(10))
    durable.sync_all(paths, tmp_path)
    assert len(synced) == (files if files <= 32 else 0)
    monkeypatch.setattr(durable, "_sync_file_system", lambda _: False)
    synced.clear()
    durable.sync_all(paths, tmp_path)
    assert len(synced) == files

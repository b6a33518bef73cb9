"""Unpacking beside the running version: the new tree is whole and its own, the old one untouched."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings

from federation.errors import CorruptError, DiskFullError, ExistsError, TamperedError
from federation.image import Kind
from federation.transfer import durable, install_pack, scan_tree
from federation.transfer.pack import make_pack
from tests.support.blobs import MemoryBlobs
from tests.support.packs import NEW_TREE, OLD_TREE, Update, update
from tests.support.trees import Tree, contents_of, file, image_of, link, snapshot, successions, write


@pytest.fixture
def made(tmp_path: Path) -> Update:
    folder = tmp_path / "packs"
    folder.mkdir()
    return update(folder)


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """The folder of versions, with the old one in it."""
    write(OLD_TREE, tmp_path / "versions" / "old")
    return tmp_path / "versions"


def install(made: Update, versions: Path) -> Path:
    target = versions / "new"
    found = install_pack(made.path, expected=made.new.digest, base=made.old, base_tree=versions / "old", target=target)
    assert found == made.new
    return target


def test_an_update_is_unpacked_beside_the_old_version(made: Update, versions: Path) -> None:
    """Which stays as it was."""
    before = snapshot(versions / "old")
    assert scan_tree(install(made, versions)) == made.new
    assert snapshot(versions / "old") == before


@settings(max_examples=40)
@given(successions())
def test_any_update_arrives(tmp_path_factory: pytest.TempPathFactory, pair: tuple[Tree, Tree]) -> None:
    """From any tree to any other."""
    folder = tmp_path_factory.mktemp("update")
    made = update(folder, *pair)
    write(pair[0], folder / "old")
    assert scan_tree(install(made, folder)) == made.new
    shutil.rmtree(folder)


def test_a_full_pack_needs_no_old_version(tmp_path: Path) -> None:
    """For a first install, and where the old version was damaged."""
    image = image_of(NEW_TREE)
    make_pack(base=None, image=image, source=MemoryBlobs(contents_of(NEW_TREE)), target=tmp_path / "full")
    write({"bin/run": file(b"damaged")}, tmp_path / "old")
    for name, base, tree in (("one", None, None), ("two", image_of(OLD_TREE), tmp_path / "old")):
        install_pack(tmp_path / "full", expected=image.digest, base=base, base_tree=tree, target=tmp_path / name)
        assert scan_tree(tmp_path / name) == image


def test_no_file_is_shared_with_the_old_version(made: Update, versions: Path) -> None:
    """A running service that writes into its folder does not change the version kept for the way back."""
    target = install(made, versions)
    (target / "lib/same.bin").write_bytes(b"written by the service")
    assert scan_tree(versions / "old") == made.old
    assert {path.stat().st_nlink for path in versions.rglob("*") if path.is_file()} == {1}


@pytest.mark.parametrize("path", ["lib/same.bin", "lib/one.bin", "lib-1.0/gone.bin"])
@pytest.mark.parametrize("harm", ["altered", "removed", "longer"])
def test_an_altered_old_version_is_told(made: Update, versions: Path, path: str, harm: str) -> None:
    """An unchanged, a changed and a removed file: the caller takes the full pack; there is no target."""
    place = versions / "old" / path
    if harm == "altered":
        place.write_bytes(b"\0" * place.stat().st_size)
    elif harm == "longer":
        place.write_bytes(place.read_bytes() + b"more")
    else:
        place.unlink()
    with pytest.raises(CorruptError, match=path):
        install(made, versions)
    assert [entry.name for entry in versions.iterdir()] == ["old"]


def test_what_the_service_added_is_not_taken_over(made: Update, versions: Path) -> None:
    """Only what the index names is in the new version."""
    write({"lib/cache.bin": file(b"cache"), "extra/link": link("/etc")}, versions / "old")
    assert scan_tree(install(made, versions)) == made.new


def test_an_old_folder_replaced_by_a_link_is_harmless(made: Update, versions: Path) -> None:
    """Old bytes are taken for what they are, wherever they lie; nothing is written there."""
    (versions / "old/lib").rename(versions / "moved")
    (versions / "old/lib").symlink_to("../moved")
    before = snapshot(versions / "moved")
    assert scan_tree(install(made, versions)) == made.new
    assert snapshot(versions / "moved") == before


def test_a_target_that_exists_is_left_alone(made: Update, versions: Path) -> None:
    """Even an empty one."""
    (versions / "new").mkdir()
    with pytest.raises(ExistsError):
        install(made, versions)
    assert list((versions / "new").iterdir()) == []


def test_a_delta_without_the_old_tree_is_refused(made: Update, versions: Path) -> None:
    """With the reason."""
    with pytest.raises(TamperedError, match="full pack"):
        install_pack(made.path, expected=made.new.digest, base=made.old, base_tree=None, target=versions / "new")
    assert not (versions / "new").exists()


def copying(_: int, __: int) -> bool:
    return False


def sharing(source: int, target: int) -> bool:
    """What a file system that can does."""
    os.sendfile(target, source, 0, os.fstat(source).st_size)
    return True


@pytest.mark.parametrize("share", [copying, sharing])
@pytest.mark.parametrize("harm", [False, True])
def test_unchanged_files_are_shared_or_copied(
    made: Update, versions: Path, monkeypatch: pytest.MonkeyPatch, share: Callable[[int, int], bool], harm: bool
) -> None:
    """And checked either way."""
    monkeypatch.setattr("federation.transfer.newtree.shares_blocks", share)
    if harm:
        (versions / "old/lib/same.bin").write_bytes(b"altered")
        with pytest.raises(CorruptError):
            install(made, versions)
        assert not (versions / "new").exists()
    else:
        assert scan_tree(install(made, versions)) == made.new


def test_sharing_blocks_says_whether_it_did(tmp_path: Path) -> None:
    """Where the file system can't, the target stays empty for a copy."""
    (tmp_path / "a").write_bytes(b"content")
    with (tmp_path / "a").open("rb") as source, (tmp_path / "b").open("w+b") as target:
        shared = durable.shares_blocks(source.fileno(), target.fileno())
    assert (tmp_path / "b").read_bytes() == (b"content" if shared else b"")


def test_a_disk_without_room_is_not_taken_for_one_that_cannot_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copying would only fail later."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("fcntl.ioctl", full)
    with pytest.raises(OSError, match="no space"):
        durable.shares_blocks(0, 1)


@pytest.mark.parametrize("step", ["write_all", "sync_all", "shares_blocks"])
def test_a_full_disk_leaves_no_target(made: Update, versions: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """At any step of the unpacking."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(f"federation.transfer.newtree.{step}", full)
    before = snapshot(versions)
    with pytest.raises(DiskFullError):
        install(made, versions)
    assert snapshot(versions) == before


def test_modes_come_from_the_new_index(tmp_path: Path) -> None:
    """A file whose content stayed but which became executable."""
    made = update(tmp_path, {"a": file(b"#!x")}, {"a": OLD_TREE["bin/run"], "b": file(b"#!x")})
    write({"a": file(b"#!x")}, tmp_path / "old")
    target = install(made, tmp_path)
    assert scan_tree(target).by_path["a"].kind is Kind.EXECUTABLE
    assert scan_tree(target).by_path["b"].kind is Kind.FILE

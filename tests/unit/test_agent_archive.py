"""The files of a fault, packed to be sent."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from agent import archive
from agent.archive import packed
from federation import limits


def names(content: bytes | None) -> list[str]:
    assert content is not None
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as found:
        return found.getnames()


def test_all_that_fits_is_in_it(tmp_path: Path) -> None:
    """At its path below the version's tree, with its content."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "core.1").write_bytes(b"core")
    (tmp_path / "deep/heap.txt").write_bytes(b"heap")
    content = packed(tmp_path)
    assert names(content) == ["core.1", "deep/heap.txt"]


def test_what_is_too_large_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest are sent first; a dump that does not shrink below the bound is left out, and no file is cut."""
    monkeypatch.setattr(limits, "FAULT_ARCHIVE_BYTES", 10_000)
    (tmp_path / "dump").write_bytes(os.urandom(20_000))
    assert packed(tmp_path) is None
    (tmp_path / "note").write_bytes(b"small")
    (tmp_path / "zeros").write_bytes(bytes(100_000))
    assert names(packed(tmp_path)) == ["note"]
    (tmp_path / "dump").unlink()
    assert names(packed(tmp_path)) == ["note", "zeros"]


def test_no_more_is_read_than_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dump of many gigabytes is not packed only to see that it does not fit."""
    monkeypatch.setattr(archive, "MOST_UNPACKED_BYTES", 100)
    (tmp_path / "large").write_bytes(bytes(101))
    assert packed(tmp_path) is None


def test_nothing_gives_no_archive(tmp_path: Path) -> None:
    """Neither does a folder that is not there."""
    assert packed(tmp_path) is None
    assert packed(tmp_path / "absent") is None

"""The files that belong to a fault."""

from pathlib import Path

import pytest

from agent import evidence
from agent.evidence import Evidence, gather


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "version"
    (tree / "deep").mkdir(parents=True)
    for name in ("core.12", "core-of-image", "deep/heap.hprof", "notes.txt"):
        (tree / name).write_text(name)
    return tree


def test_what_matches_is_moved_and_nothing_else(tree: Path, tmp_path: Path) -> None:
    """Core and heap dumps go to the fault, at their paths; files of the image and all others stay."""
    found = gather(tree, ["core*", "*.hprof"], {"core-of-image"}, tmp_path / "files")
    assert found == Evidence(moved=("core.12", "deep/heap.hprof"))
    assert (tmp_path / "files/deep/heap.hprof").read_text() == "deep/heap.hprof"
    assert sorted(path.name for path in tree.rglob("*") if path.is_file()) == ["core-of-image", "notes.txt"]
    assert gather(tree, ["core*"], {"core-of-image"}, tmp_path / "files") == Evidence()


def test_a_pattern_with_a_slash_means_the_whole_path(tree: Path, tmp_path: Path) -> None:
    """`deep/*` takes what lies there only."""
    assert gather(tree, ["deep/*"], (), tmp_path / "files").moved == ("deep/heap.hprof",)


def test_links_are_not_followed(tree: Path, tmp_path: Path) -> None:
    """A link that bears a matching name, or leads out of the tree, brings nothing in."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "core.1").write_text("of somebody else")
    (tree / "core.link").symlink_to(secret / "core.1")
    (tree / "out").symlink_to(secret)
    assert gather(tree, ["core*", "out/*"], {"core-of-image"}, tmp_path / "files").moved == ("core.12",)
    assert (secret / "core.1").exists()


def test_too_much_is_left_and_named(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files over the bounds stay where they are, and are told."""
    monkeypatch.setattr(evidence, "MOST_BYTES", 10)
    found = gather(tree, ["core*", "*.hprof"], {"core-of-image"}, tmp_path / "files")
    assert found == Evidence(moved=("core.12",), left=("deep/heap.hprof",))
    assert (tree / "deep/heap.hprof").exists()

"""The tree of a version that is installed once more, and what a kill in between leaves."""

from pathlib import Path

from agent import slots
from agent.home import Home, Unit
from federation.digest import Digest
from federation.image import Entry, Image, Kind
from federation.names import ServiceKey
from federation.versions import ClientVersion

VERSION = ClientVersion("acme-1.0.0")
IMAGE = Image.of([Entry("app", Kind.FILE, 3, Digest.of(b"new"))])


def staged(tmp_path: Path) -> Unit:
    """The version is there with a damaged tree, and whole in the staging folder."""
    unit = Home(tmp_path).unit(ServiceKey("web"))
    for tree, content in ((unit.version(VERSION), b"old"), (unit.staging, b"new")):
        tree.mkdir(parents=True)
        (tree / "app").write_bytes(content)
    return unit


def test_the_new_tree_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """And nothing of the old one is left."""
    unit = staged(tmp_path)
    slots.adopt(unit, VERSION, IMAGE)
    assert (unit.version(VERSION) / "app").read_bytes() == b"new"
    slots.restore(unit, VERSION)
    assert sorted(path.name for path in unit.root.iterdir()) == ["indexes", "versions"]
    assert [path.name for path in unit.versions.iterdir()] == [VERSION]


def test_a_kill_between_the_two_renames_leaves_the_old_tree(tmp_path: Path) -> None:
    """The next agent finds the version where it was, so that the service runs."""
    unit = staged(tmp_path)
    unit.version(VERSION).rename(unit.root / f".replaced-{VERSION}")
    slots.restore(unit, VERSION)
    assert (unit.version(VERSION) / "app").read_bytes() == b"old"
    slots.restore(unit, VERSION)
    slots.adopt(unit, VERSION, IMAGE)
    assert (unit.version(VERSION) / "app").read_bytes() == b"new"

"""Files of an installed version that are no longer as they were signed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.intact import damaged
from federation.digest import Digest
from federation.image import Entry, Image, Kind

APP = b"print('hello')\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A version as it is installed, with a data folder and what the service wrote beside it."""
    tree, data = tmp_path / "version", tmp_path / "data"
    (tree / "bin").mkdir(parents=True)
    data.mkdir()
    (tree / "app.py").write_bytes(APP)
    (tree / "bin/run").write_bytes(APP)
    (tree / "bin/run").chmod(0o755)
    (tree / "now").symlink_to("app.py")
    (tree / "uploads").symlink_to("../data")
    (tree / "written-by-the-service").write_text("x")
    return tree


IMAGE = Image.of(
    [
        Entry("app.py", Kind.FILE, len(APP), Digest.of(APP)),
        Entry("bin/run", Kind.EXECUTABLE, len(APP), Digest.of(APP)),
        Entry("now", Kind.LINK, target="app.py"),
        Entry("uploads", Kind.DIRECTORY),
    ]
)


def test_what_is_as_signed_is_not_named(tree: Path) -> None:
    """Nor is what the service wrote itself, nor a data folder."""
    assert damaged(tree, IMAGE, 20) == ()


def _flip(tree: Path) -> None:
    (tree / "app.py").write_bytes(APP[:-2] + b"!\n")


def _longer(tree: Path) -> None:
    (tree / "app.py").write_bytes(APP + APP)


def _gone(tree: Path) -> None:
    (tree / "app.py").unlink()


def _pipe(tree: Path) -> None:
    (tree / "app.py").unlink()
    os.mkfifo(tree / "app.py")


def _linked(tree: Path) -> None:
    (tree / "app.py").rename(tree / "other.py")
    (tree / "app.py").symlink_to("other.py")


def _mode(tree: Path) -> None:
    (tree / "app.py").chmod(0o755)


def _folder(tree: Path) -> None:
    (tree / "app.py").unlink()
    (tree / "app.py").mkdir()


@pytest.mark.parametrize("harm", [_flip, _longer, _gone, _pipe, _linked, _mode, _folder])
def test_each_way_to_be_other_than_signed_is_found(tree: Path, harm: Callable[[Path], None]) -> None:
    """One changed byte of the same length too; a pipe in a file's place holds nobody up."""
    harm(tree)
    assert damaged(tree, IMAGE, 20) == ("app.py",)


def test_a_link_that_leads_elsewhere_is_found(tree: Path) -> None:
    """Its target is part of what was signed."""
    (tree / "now").unlink()
    (tree / "now").symlink_to("bin/run")
    assert damaged(tree, IMAGE, 20) == ("now",)


def test_no_more_are_named_than_asked_for(tree: Path) -> None:
    """A wiped disk does not fill a report."""
    assert len(damaged(tree / "nowhere", IMAGE, 2)) == 2

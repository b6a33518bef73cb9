"""What a killed program's builds left is cleared away: their processes and folders, and nobody else's."""

import os
import subprocess
from pathlib import Path

import pytest

from build import controlgroups
from build.bounds import Bounds
from build.leftovers import sweep
from build.process import MARK


def sleeper(mark: Path) -> subprocess.Popen[bytes]:
    """A process of a build in ``mark``, in a session of its own."""
    env = {"PATH": os.environ["PATH"], MARK: str(mark)}
    return subprocess.Popen(["sleep", "60"], env=env, start_new_session=True)


def test_processes_and_folders_of_this_work_folder_only(tmp_path: Path) -> None:
    """Another node's build beside it, whose folder's name begins alike, lives on; so does what is kept."""
    work, other = tmp_path / "work", tmp_path / "work-of-another"
    for path in (work / "shop-acme-1.0.0/sources", work / "fetching", other / "till-acme-1.0.0"):
        path.mkdir(parents=True)
    (work / "stray").write_text("x")
    (work / "link").symlink_to(other)
    ours, theirs = sleeper(work / "shop-acme-1.0.0/sources"), sleeper(other / "till-acme-1.0.0")
    try:
        assert sweep(work, keep={"fetching"}) == (1, 3)
        assert ours.wait(timeout=10) == -9
        assert theirs.poll() is None
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()
    assert [path.name for path in work.iterdir()] == ["fetching"]
    assert (other / "till-acme-1.0.0").is_dir()


def test_a_node_that_never_built_has_nothing_to_clear(tmp_path: Path) -> None:
    """The folder is not even there."""
    assert sweep(tmp_path / "work", keep=()) == (0, 0)


def test_abandoned_control_groups_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of a program that is gone; not those of one that runs, those in use, and those just made."""
    monkeypatch.setattr(controlgroups, "_parents", lambda *_: {"pids": tmp_path, "cpu": tmp_path})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    gone = subprocess.Popen(["true"])
    gone.wait()
    for name in (f"{gone.pid}-abandoned", f"{gone.pid}-used", f"{gone.pid}-fresh", f"{os.getpid()}-running"):
        (tmp_path / f"vupdate-build-{name}").mkdir()
    (tmp_path / "something-else").mkdir()
    (tmp_path / f"vupdate-build-{gone.pid}-used" / "inner").mkdir()
    for name in ("abandoned", "used"):
        os.utime(tmp_path / f"vupdate-build-{gone.pid}-{name}", (0, 0))
    assert controlgroups.remove_abandoned() == 1
    left = {path.name.rpartition("-")[2] for path in tmp_path.iterdir()}
    assert left == {"used", "fresh", "running", "else"}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_an_abandoned_group_of_the_kernel_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one, such as a killed node leaves."""
    groups = controlgroups.make_groups(Bounds())
    if not groups.folders:
        pytest.skip("no control groups here")
    monkeypatch.setattr(controlgroups, "_FRESH_SECONDS", -1.0)
    try:
        controlgroups.remove_abandoned()
        assert all(folder.exists() for folder in groups.folders)
        monkeypatch.setattr(controlgroups, "_NAME", f"vupdate-build-{os.getpid()}-")
        assert controlgroups.remove_abandoned() >= len(set(groups.folders))
        assert not any(folder.exists() for folder in groups.folders)
    finally:
        controlgroups.remove_groups(groups)

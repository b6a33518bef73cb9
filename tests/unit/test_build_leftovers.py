"""What a killed program's builds left is cleared away: their processes and folders, and nobody else's."""

import os
import subprocess
from pathlib import Path

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

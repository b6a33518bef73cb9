"""Files are the old or the new, never a mixture, whatever comes between."""

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from federation.errors import DiskFullError
from federation.files import atomic_file, explained_disk_errors, write_atomic
from tests.support.limited import files_up_to


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    return path


def only(target: Path, content: bytes) -> None:
    """``target`` holds ``content`` and stands alone: nothing temporary is left beside it."""
    assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]


def test_a_file_is_replaced_as_a_whole(target: Path) -> None:
    """And nothing is left beside it."""
    write_atomic(target, b"new")
    only(target, b"new")


def test_a_file_and_its_folders_are_made(tmp_path: Path) -> None:
    """Where there were none."""
    target = tmp_path / "a" / "b" / "file"
    write_atomic(target, b"new")
    only(target, b"new")


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_mode_is_the_one_asked_for(target: Path, mode: int, umask: int) -> None:
    """Whatever the umask, and whatever mode the old one had."""
    target.chmod(0o666)
    before = os.umask(umask)
    try:
        write_atomic(target, b"new", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_a_secret_is_never_readable_by_others_while_it_is_written(tmp_path: Path) -> None:
    """The temporary file is the owner's alone from the start."""
    before = os.umask(0)
    try:
        with atomic_file(tmp_path / "secret", mode=0o644) as stream:
            assert stat.S_IMODE(os.fstat(stream.fileno()).st_mode) == 0o600
    finally:
        os.umask(before)


class Interruption(BaseException):
    """Neither Exception nor caught by anybody."""


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, Interruption])
def test_an_error_while_writing_leaves_the_old_content(target: Path, error: type[BaseException]) -> None:
    """Also one that ends the program."""

    def write() -> None:
        with atomic_file(target) as stream:
            stream.write(b"half of the new")
            stream.flush()
            raise error

    with pytest.raises(error):
        write()
    only(target, b"old")


def test_a_reader_sees_the_old_content_until_the_end(target: Path) -> None:
    """And an open old file stays readable after."""
    with target.open("rb") as reader:
        with atomic_file(target) as stream:
            stream.write(b"new")
            stream.flush()
            assert target.read_bytes() == b"old"
        assert reader.read() == b"old"
    only(target, b"new")


def test_a_killed_writer_leaves_the_old_content(target: Path) -> None:
    """kill -9 in the middle: the content is the old one, whole."""
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from federation.files import atomic_file
        with atomic_file(Path(sys.argv[1])) as stream:
            stream.write(b"half of the new")
            stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", program, str(target)], cwd=root, env={"PYTHONPATH": str(root)}, check=False, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"


def test_no_room_is_told_as_such_and_changes_nothing(target: Path) -> None:
    """By a real refusal of the kernel."""
    with pytest.raises(DiskFullError, match="free some space") as caught, files_up_to(64 * 1024):
        write_atomic(target, b"x" * 200_000)
    assert caught.value.code == "disk-full"
    assert isinstance(caught.value.__cause__, OSError)
    only(target, b"old")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("call", ["fsync", "fchmod"])
def test_no_room_at_the_last_moment_changes_nothing(
    target: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    """File systems that allocate late say so only when the file is synced."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(DiskFullError):
        write_atomic(target, b"new")
    monkeypatch.undo()
    only(target, b"old")


def test_other_errors_of_the_disk_are_not_called_full(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing disk is another story."""

    def refuse(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output error") as caught:
        write_atomic(target, b"new")
    assert not isinstance(caught.value, DiskFullError)
    monkeypatch.undo()
    only(target, b"old")


def test_the_file_and_its_folder_are_synced_in_this_order(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content before rename, rename before its folder: what a power cut needs."""
    events: list[str] = []
    sync, rename = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        events.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def renamed(self: Path, other: Path) -> Path:
        events.append("rename")
        return rename(self, other)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_atomic(target, b"new")
    assert events == ["file", "rename", "folder"]


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    """The error is told, and nothing is left behind."""
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_atomic(tmp_path / "folder", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    """Else a link placed there would let others choose what is overwritten."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "link").symlink_to(victim)
    write_atomic(tmp_path / "link", b"new")
    assert victim.read_bytes() == b"mine"
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "😀" * 63])
def test_the_longest_names_work(tmp_path: Path, name: str) -> None:
    """The temporary name beside it is shorter."""
    write_atomic(tmp_path / name, b"new")
    assert (tmp_path / name).read_bytes() == b"new"


def test_only_errors_of_the_disk_are_explained() -> None:
    """Others pass as they are."""
    with pytest.raises(ValueError, match="mine"), explained_disk_errors(Path("x")):
        raise ValueError("mine")

"""Has the kernel hold a build to its bounds, by a control group of its own, where this process may make one.

That is for root: of cgroup v1 each controller that is mounted, of v2 below the nearest group whose children have their
processes counted. Another user's sandboxed builds are held by ``RLIMIT_NPROC``, which does not bind root. Sources: the
kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

import contextlib
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from build.bounds import Bounds
from federation.clock import SystemClock

_NAME: Final = "vupdate-build-"
_FRESH_SECONDS: Final = 60.0
_LEAVE_SECONDS: Final = 10.0
_LEAVE_LOOK_SECONDS: Final = 0.05
_MARGIN: Final = 1.1
"""The kernel's bound of memory is a little above the watch's, which can say what happened."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The control groups of one build; none where there can be none."""

    folders: tuple[Path, ...] = ()

    @property
    def joins(self) -> list[str]:
        """The files that a process writes its pid to, to be held by them."""
        return [os.fspath(folder / "cgroup.procs") for folder in self.folders]

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether the kernel has killed something in them for its memory."""
        return self._ever("oom_kill", "memory.events", "memory.oom_control")

    @property
    def ran_out_of_processes(self) -> bool:
        """Whether the kernel has refused them another process."""
        return self._ever("max", "pids.events")

    def _ever(self, event: str, *files: str) -> bool:
        return any(_number(folder / file, event) > 0 for folder in self.folders for file in files)


def _number(file: Path, name: str) -> int:
    with contextlib.suppress(OSError, ValueError):
        for line in file.read_text().splitlines():
            if line.startswith(f"{name} "):
                return int(line.split()[1])
    return 0


def _settings(bounds: Bounds) -> dict[str, dict[str, str]]:
    """What to write into a group, by the controller of v1 (``v2`` for all of that)."""
    memory, processes = str(int(bounds.memory_bytes * _MARGIN)), str(bounds.processes)
    return {
        "pids": {"pids.max": processes},
        "memory": {"memory.limit_in_bytes": memory},
        # A build leaves the processor to the node and to services whenever they want it.
        "cpu": {"cpu.shares": "128"},
        "v2": {"pids.max": processes, "memory.max": memory, "cpu.weight": "20"},
    }


def _parents(mountinfo: str, cgroup: str) -> dict[str, Path]:
    """The groups in which to make one, by controller (proc_pid_mountinfo(5), cgroups(7))."""
    found: dict[str, Path] = {}
    own = {name: path for line in cgroup.splitlines() for _, name, path in [line.split(":", 2)]}
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        _, _, _, root, mount = before.split()[:5]
        kind, options = after.split()[0], after.split()[-1].split(",")
        if kind == "cgroup2" and (parent := _with_pids(Path(mount), own.get("", "/"))) is not None:
            found["v2"] = parent
        elif kind == "cgroup":
            here = next((path for names, path in own.items() if names and set(names.split(",")) <= set(options)), "/")
            place = Path(mount, here.removeprefix(root).lstrip("/"))
            found |= {name: place for name in ("pids", "memory", "cpu") if name in options}
    return found


def _with_pids(mount: Path, own: str) -> Path | None:
    """The nearest group from ``own`` upwards whose children have their processes counted."""
    place = mount / own.lstrip("/")
    while place.is_relative_to(mount):
        with contextlib.suppress(OSError):
            if "pids" in (place / "cgroup.subtree_control").read_text().split():
                return place
        place = place.parent
    return None


def _make(name: str, parents: Mapping[str, Path], bounds: Bounds) -> Iterator[Path]:
    for controller, parent in parents.items():
        folder = parent / name
        with contextlib.suppress(OSError):
            folder.mkdir()
            yield folder
            for file, value in _settings(bounds)[controller].items():
                # A controller that is not there has no files; another value than the kernel's own is not vital.
                with contextlib.suppress(OSError):
                    (folder / file).write_text(value)


def make_groups(bounds: Bounds) -> Groups:
    """New groups that hold whoever joins them to ``bounds``. Blocking."""
    if os.geteuid() != 0:
        return Groups()
    try:
        parents = _parents(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())
    except OSError:
        return Groups()
    return Groups(tuple(_make(f"{_NAME}{os.getpid()}-{uuid.uuid4().hex[:12]}", parents, bounds)))


def remove_abandoned() -> int:
    """Remove the empty groups that killed programs left; how many there were. Blocking."""
    if os.geteuid() != 0:
        return 0
    try:
        parents = _parents(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())
    except OSError:
        return 0
    return sum(_removed(folder) for parent in set(parents.values()) for folder in parent.glob(f"{_NAME}*"))


def _removed(folder: Path) -> bool:
    maker = folder.name.removeprefix(_NAME).partition("-")[0]
    try:
        # One just made, perhaps from another process namespace, is about to be joined.
        if Path("/proc", maker).exists() or SystemClock().now().timestamp() - folder.stat().st_mtime < _FRESH_SECONDS:
            return False
        folder.rmdir()
    except OSError:
        return False
    return True


def remove_groups(groups: Groups) -> None:
    """Remove ``groups`` once their last process is gone; gives up after some seconds. Blocking."""
    deadline = time.monotonic() + _LEAVE_SECONDS
    left = set(groups.folders)
    while left and time.monotonic() < deadline:
        for folder in list(left):
            with contextlib.suppress(OSError):
                folder.rmdir()
            if not folder.exists():
                left.discard(folder)
        if left:
            time.sleep(_LEAVE_LOOK_SECONDS)

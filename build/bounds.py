"""What a build may use at most, and a watch that says when it uses more.

The watch reads the process table and the build's folder. A build that starts processes or fills memory without end is
stopped within moments, not before the first byte too many; what it can reach meanwhile is for the sandbox to bound.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.limits import GIB, MIB

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_BLOCK_BYTES: Final = 512
_LOOK_SECONDS: Final = 0.1
_DISK_LOOK_SECONDS: Final = 1.0
_DISK_SHARE: Final = 10
"""A look at the disk takes at most this part of the time."""


def _most_of_the_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES * 3 // 4


def _told(size: int) -> str:
    return f"{size / MIB:.0f} MiB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of one build. ``free_bytes``: what it leaves free on the disk of its folder.

    ``disk_bytes`` and ``files`` are those of all folders that it may write; ``seconds`` are for all its commands.
    """

    memory_bytes: int = _most_of_the_memory()
    processes: int = 2000
    disk_bytes: int = 20 * GIB
    files: int = 2_000_000
    free_bytes: int = 256 * MIB
    seconds: float = 3 * 3600.0

    def too_much_memory(self, used: int | None = None) -> str:
        """What to say of a build that used more memory than it may."""
        much = "too much memory" if used is None else f"{_told(used)} of memory"
        return f"it used {much}, allowed are {_told(self.memory_bytes)}"

    @property
    def too_many_processes(self) -> str:
        """What to say of a build that had more processes at once than it may."""
        return f"it had too many processes at once, allowed are fewer than {self.processes}"


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    resident_bytes: int


def _processes() -> dict[int, _Process]:
    """All living processes (proc_pid_stat(5))."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = Path(entry.path, "stat").read_bytes().rpartition(b")")[2].split()
                if fields[0] not in (b"Z", b"X"):
                    found[int(entry.name)] = _Process(int(fields[1]), int(fields[21]) * _PAGE_BYTES)
    return found


def _below(leader: int, processes: dict[int, _Process]) -> set[int]:
    """``leader`` and all that it started."""
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    found, waiting = set[int](), [leader]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found & processes.keys()


def _proportional_bytes(pid: int, resident: int) -> int:
    """The memory of ``pid`` with each shared page counted in parts (proc_pid_smaps_rollup, ``Pss``)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return resident


def processes_problem(leader: int, bounds: Bounds) -> str:
    """Which bound the processes below ``leader`` are over, in a sentence; empty: none. Blocking."""
    processes = _processes()
    below = _below(leader, processes)
    # At the bound the kernel may hold it, so that it never gets above.
    if len(below) >= bounds.processes:
        return bounds.too_many_processes
    resident = {pid: processes[pid].resident_bytes for pid in below}
    # Resident pages count again for each process that shares them; only where that matters is it worth the exact sum.
    if sum(resident.values()) > bounds.memory_bytes:
        used = sum(_proportional_bytes(pid, size) for pid, size in resident.items())
        if used > bounds.memory_bytes:
            return bounds.too_much_memory(used)
    return ""


@dataclass(frozen=True, slots=True)
class Room:
    """What lies in some folders: entries, and bytes on the disk."""

    entries: int
    size_bytes: int


def room_of(folders: Iterable[Path], bounds: Bounds) -> Room:
    """What lies in ``folders``; counted no further than shortly over ``bounds``. Blocking."""
    entries, size, waiting = 0, 0, [os.fspath(folder) for folder in folders]
    while waiting and entries <= bounds.files and size <= bounds.disk_bytes:
        # A folder may go while it is looked at, and a build may make one that can't be read.
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as found:
            for entry in found:
                entries += 1
                with contextlib.suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return Room(entries, size)


def disk_problem(folders: Sequence[Path], bounds: Bounds) -> str:
    """Which bound ``folders`` are over, in a sentence; empty: none. Blocking."""
    free = os.statvfs(folders[0])
    if free.f_bavail * free.f_frsize < bounds.free_bytes:
        return f"it left less than {_told(bounds.free_bytes)} free on the disk"
    room = room_of(folders, bounds)
    if room.entries > bounds.files:
        return f"it made more than {bounds.files} files"
    return f"it wrote more than {_told(bounds.disk_bytes)} to the disk" if room.size_bytes > bounds.disk_bytes else ""


async def over_bounds(leader: int, folders: Sequence[Path], bounds: Bounds) -> str:
    """Wait until the processes below ``leader``, or ``folders``, are over ``bounds``; which, in a sentence."""
    async with asyncio.TaskGroup() as group:
        looks = [
            group.create_task(_until_problem(lambda: processes_problem(leader, bounds), _LOOK_SECONDS)),
            group.create_task(_until_problem(lambda: disk_problem(folders, bounds), _DISK_LOOK_SECONDS)),
        ]
        done, rest = await asyncio.wait(looks, return_when=asyncio.FIRST_COMPLETED)
        for look in rest:
            look.cancel()
    return next(iter(done)).result()


async def _until_problem(look: Callable[[], str], pause_seconds: float) -> str:
    while True:
        began = time.monotonic()
        if problem := await asyncio.to_thread(look):
            return problem
        await asyncio.sleep(max(pause_seconds, (time.monotonic() - began) * _DISK_SHARE))

"""The control group of one run (cgroup v2): all that a service starts is in it, whatever it does to its environment.

Nothing but the standard library: the shim loads this. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

_KILL_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 0.02
_MICROSECONDS = 1_000_000


def join(group: Path) -> None:
    """Take the calling process into ``group``, and so all its children to come.

    Raises:
        OSError: the kernel refuses.
    """
    (group / "cgroup.procs").write_text("0")


def members(group: Path) -> list[int]:
    """The pids of all processes in ``group``; none where there is no such group."""
    with contextlib.suppress(OSError, ValueError):
        return [int(pid) for pid in (group / "cgroup.procs").read_text().split()]
    return []


def kill(group: Path) -> None:
    """Send SIGKILL to all in ``group``: in one step, no child born meanwhile escapes (Linux 5.14)."""
    with contextlib.suppress(FileNotFoundError):
        # Not created where it is missing: a control group holds only the kernel's files.
        descriptor = os.open(group / "cgroup.kill", os.O_WRONLY)
        try:
            os.write(descriptor, b"1")
        finally:
            os.close(descriptor)
        return
    for pid in members(group):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end(group: Path) -> bool:
    """Kill all in ``group`` and remove it; whether it is gone. Gives up after some seconds."""
    deadline = time.monotonic() + _KILL_SECONDS
    while True:
        with contextlib.suppress(FileNotFoundError, OSError):
            group.rmdir()
        if not group.exists():
            return True
        if time.monotonic() >= deadline:
            return False
        with contextlib.suppress(OSError):
            kill(group)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _fields(file: Path) -> dict[str, int]:
    """A file of lines ``name number``; empty where it can't be read."""
    with contextlib.suppress(OSError, ValueError):
        pairs = (line.split() for line in file.read_text().splitlines())
        return {name: int(number) for name, number in pairs}
    return {}


def cpu_seconds(group: Path) -> float | None:
    """The processor time of all that was ever in ``group``; ``None``: not known."""
    used = _fields(group / "cpu.stat").get("usage_usec")
    return None if used is None else used / _MICROSECONDS


def memory_bytes(group: Path) -> int | None:
    """What ``group`` holds and can't give back without swap; ``None``: its memory is not counted.

    Not ``memory.current``: files that were read stay in memory for as long as nobody else needs it.
    """
    found = _fields(group / "memory.stat")
    return found["anon"] + found.get("shmem", 0) if "anon" in found else None

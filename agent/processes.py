"""What the process table says: who lives, since when, and who bears a mark in its environment.

A process is named by its pid and its start time, so that a reused pid is never taken for it. Nothing but the standard
library: the shim loads this.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_KILL_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 0.02


def boot_id() -> str:
    """The name of this start of the machine: pids and start times mean nothing across it."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def oom_kills() -> int | None:
    """How many processes of this host the kernel has killed for lack of memory since its start; ``None``: not known."""
    with contextlib.suppress(OSError, ValueError):
        for line in (_PROC / "vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return None


def _stat(pid: int | str) -> list[str] | None:
    """The fields of proc_pid_stat(5) from the third on; the second may hold anything."""
    try:
        return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def start_time(pid: int) -> int | None:
    """Clock ticks from the machine's start to that of ``pid``; ``None``: no such process, or only its remains."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


class Cost(NamedTuple):
    """What a process uses, in the kernel's units; ``children_ticks`` is the time of those it has waited for."""

    own_ticks: int
    children_ticks: int
    resident_pages: int


def cost(pid: int) -> Cost | None:
    """What ``pid`` uses; ``None``: no such process."""
    fields = _stat(pid)
    if fields is None:
        return None
    user, system, children_user, children_system = map(int, fields[11:15])
    return Cost(user + system, children_user + children_system, int(fields[21]))


def bury(pid: int, started: int) -> None:
    """Take away what remains of our child ``pid``, if it is one and has ended."""
    fields = _stat(pid)
    if fields is not None and fields[0] == "Z" and int(fields[1]) == os.getpid() and int(fields[19]) == started:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def is_alive(pid: int, started: int) -> bool:
    """Whether the process that had ``pid`` when it started at ``started`` still runs."""
    return start_time(pid) == started


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())


def descendants(root: int) -> list[int]:
    """All living processes below ``root``."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        fields = _stat(pid)
        if fields is not None and fields[0] not in "ZX":
            children.setdefault(int(fields[1]), []).append(pid)
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def marked(mark: str, unless: str | None = None) -> list[int]:
    """The living processes that were started with ``mark`` (``NAME=value``) in their environment, not ``unless``."""
    found = []
    for pid in _pids():
        with contextlib.suppress(OSError):
            environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
            if mark.encode() in environment and (unless is None or unless.encode() not in environment):
                found.append(pid)
    return found


def kill_marked(mark: str, unless: str | None = None) -> int:
    """Kill every process marked so, and return how many there were; gives up after some seconds."""
    killed: set[int] = set()
    deadline = time.monotonic() + _KILL_SECONDS
    while (pids := marked(mark, unless)) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed.update(pids)
        time.sleep(_LOOK_AGAIN_SECONDS)
    return len(killed)

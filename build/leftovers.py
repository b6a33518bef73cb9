"""Ends what builds left when the program that ran them was killed: processes, control groups, folders. Blocking.

A sandboxed build dies with the program that started it. Others, and ``git``, go on; they are found by their mark.
"""

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from build.controlgroups import remove_abandoned
from build.process import MARK, kill_while


def sweep(work: Path, *, keep: Collection[str]) -> tuple[int, int]:
    """Kill the processes of builds in ``work``, remove what is there but ``keep``; how many of each there were.

    Nothing may be building there: whoever calls this has made sure of it.
    """
    killed = kill_while(lambda: _marked(work))
    remove_abandoned()
    left = [path for path in work.glob("*") if path.name not in keep]
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(killed), len(left)


def _marked(work: Path) -> set[int]:
    """The processes of builds somewhere below ``work``."""
    beginning = os.fsencode(f"{MARK}={work}/")
    return {int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit() and _has(entry.name, beginning)}


def _has(pid: str, beginning: bytes) -> bool:
    with contextlib.suppress(OSError):
        return any(one.startswith(beginning) for one in Path("/proc", pid, "environ").read_bytes().split(b"\0"))
    return False

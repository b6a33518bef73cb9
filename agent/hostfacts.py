"""Reads what a host is like at this moment, for a fault report. What can't be read is not known. Blocking."""

import contextlib
import os
from pathlib import Path
from typing import Final

import psutil

from agent.runrecord import RunRecord
from federation.circumstances import HostFacts

_THOUSANDTHS: Final = 1000


def oom_kills_during(run: RunRecord) -> int | None:
    """How many processes the kernel killed for lack of memory while ``run`` lived, of whoever they were."""
    end = run.ended
    if end is None or run.oom_kills is None or end.oom_kills is None:
        return None
    return max(0, end.oom_kills - run.oom_kills)


def look(folder: Path, run: RunRecord) -> HostFacts:
    """The host now, with the file system that ``folder`` is on."""
    memory_bytes = memory_free_bytes = disk_bytes = disk_free_bytes = load = None
    with contextlib.suppress(OSError):
        memory = psutil.virtual_memory()
        memory_bytes, memory_free_bytes = memory.total, memory.available
    with contextlib.suppress(OSError):
        disk = os.statvfs(folder)
        # What a service without root's rights can use.
        disk_bytes, disk_free_bytes = disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize
    with contextlib.suppress(OSError):
        load = round(os.getloadavg()[0] * _THOUSANDTHS)
    return HostFacts(
        memory_bytes=memory_bytes,
        memory_free_bytes=memory_free_bytes,
        disk_bytes=disk_bytes,
        disk_free_bytes=disk_free_bytes,
        oom_kills=oom_kills_during(run),
        processors=os.cpu_count(),
        load=load,
    )

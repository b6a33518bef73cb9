"""What the process tree of a run uses: memory and processor time. Blocking.

From its control group, where the kernel counts that; else from the process table.
"""

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent import controlgroup, processes

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_KIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """``cpu_seconds``: all that the tree has used so far, its dead included; it grows only."""

    memory_bytes: int
    cpu_seconds: float


def _proportional_bytes(pid: int) -> int | None:
    """The memory of ``pid`` with each shared page counted in parts (proc_pid_smaps_rollup, ``Pss``)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * _KIB
    return None


def measure(shim: int, *, memory_bound: int | None, group: Path | None = None) -> Usage:
    """What all descendants of ``shim`` use; ``group``: the control group that they are in."""
    if group is None or not controlgroup.members(group):
        return _by_processes(shim, memory_bound)
    cpu, memory = controlgroup.cpu_seconds(group), controlgroup.memory_bytes(group)
    if cpu is not None and memory is not None:
        return Usage(memory_bytes=memory, cpu_seconds=cpu)
    counted = _by_processes(shim, memory_bound)
    return counted if cpu is None else replace(counted, cpu_seconds=cpu)


def _by_processes(shim: int, memory_bound: int | None) -> Usage:
    """What the process table says of all descendants of ``shim``.

    Memory is the sum of what each has resident. That counts shared pages again for each process, so a sum over
    ``memory_bound`` is taken again by the proportional sizes, which cost the kernel a walk through the page tables.
    """
    tree = processes.descendants(shim)
    costs = {pid: cost for pid in tree if (cost := processes.cost(pid)) is not None}
    ticks = sum(cost.own_ticks + cost.children_ticks for cost in costs.values())
    resident = sum(cost.resident_pages for cost in costs.values()) * _PAGE_BYTES
    if memory_bound is not None and resident > memory_bound:
        parts = {pid: _proportional_bytes(pid) for pid in costs}
        resident = sum(costs[pid].resident_pages * _PAGE_BYTES if part is None else part for pid, part in parts.items())
    # The shim buries orphans: what they used is in its children's time. What it used itself is not the service's.
    above = processes.cost(shim)
    return Usage(memory_bytes=resident, cpu_seconds=(ticks + (0 if above is None else above.children_ticks)) / _TICKS)

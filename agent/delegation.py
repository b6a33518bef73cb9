"""The part of the control groups that is this agent's to divide: given by systemd (``Delegate=``) or a container.

Without it nothing is made: the tree belongs to whoever manages the host (systemd, CGROUP_DELEGATION). An agent started
by hand, and one on a host with cgroup v1, measures and kills by the process table alone.
"""

import contextlib
import functools
import hashlib
import os
import re
from pathlib import Path
from typing import Final

AGENT_GROUP: Final = "agent"
"""Where systemd puts the agent in its own unit's group (``DelegateSubgroup=``, systemd 254), next to the services."""

_DELEGATED: Final = ("trusted.delegate", "user.delegate")
_DIGEST_LETTERS: Final = 8


def _mount(mountinfo: str) -> Path | None:
    """Where the whole cgroup v2 tree is mounted (proc_pid_mountinfo(5))."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if after.startswith("cgroup2 ") and len(fields) > 4 and fields[3] == "/":
            return Path(fields[4])
    return None


def _own(cgroup: str) -> str | None:
    """The path of a process in the cgroup v2 tree (cgroups(7), /proc/pid/cgroup)."""
    return next((line[3:] for line in cgroup.splitlines() if line.startswith("0::/")), None)


def _is_ours(group: Path, path: str) -> bool:
    """Whether the manager of ``group`` has left it to us."""
    if path == "/":
        # The root of a container's own tree; the host's true root has no such file.
        return (group / "cgroup.events").exists()
    for name in _DELEGATED:
        with contextlib.suppress(OSError):
            if os.getxattr(group, name) == b"1":
                return True
    # What is not root's was given to a user; systemd does so for a unit with User=.
    return os.geteuid() != 0 and group.stat().st_uid == os.geteuid()


def find_part(proc: Path = Path("/proc/self")) -> Path | None:
    """The group below which this process may make its own; ``None``: it may not."""
    try:
        mount, path = _mount((proc / "mountinfo").read_text()), _own((proc / "cgroup").read_text())
        if mount is None or path is None:
            return None
        if path.endswith(f"/{AGENT_GROUP}"):
            path = path.removesuffix(f"/{AGENT_GROUP}") or "/"
        group = mount / path.lstrip("/")
        return group if _is_ours(group, path) and os.access(group, os.W_OK) else None
    except OSError:
        return None


def count_memory(part: Path) -> None:
    """Have the kernel count the memory of the groups to come, where no process is in ``part`` itself.

    Only then: once it is so, nothing can be started in ``part`` any more; systemd before 254 starts the agent there.
    """
    with contextlib.suppress(OSError):
        if not (part / "cgroup.procs").read_text().strip():
            (part / "cgroup.subtree_control").write_text("+memory")


@functools.cache
def _part() -> Path | None:
    part = find_part()
    if part is not None:
        count_memory(part)
    return part


def _prefix(unit: Path) -> str:
    # The service's name for whoever looks at the tree, the digest because two agents may share a container.
    digest = hashlib.sha256(str(unit).encode()).hexdigest()[:_DIGEST_LETTERS]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', unit.name)}-{digest}"


def make_group(unit: Path, run: str) -> Path | None:
    """A new group for a run of the service in the folder ``unit``; ``None``: there can be none here."""
    part = _part()
    if part is None:
        return None
    group = part / f"{_prefix(unit)}-{run}"
    try:
        group.mkdir(exist_ok=True)
    except OSError:
        return None
    return group


def groups_of(unit: Path) -> list[Path]:
    """The groups of all runs of the service in the folder ``unit`` that are still there."""
    part = _part()
    return [] if part is None else sorted(part.glob(f"{_prefix(unit)}-*"))

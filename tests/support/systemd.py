"""A systemd of one's own as the first process of a namespace, over a copy-on-write view of this machine; root only."""

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_SYSTEMD: Final = Path("/lib/systemd/systemd")
_BOOT_SECONDS: Final = 60.0
_RUN_SECONDS: Final = 60.0
# What would touch the machine or needs one of its own.
_MASKED: Final = (
    "dbus.service",
    "dbus.socket",
    "modprobe@.service",
    "systemd-binfmt.service",
    "systemd-modules-load.service",
    "systemd-networkd.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-resolved.service",
    "systemd-sysctl.service",
    "systemd-udev-trigger.service",
    "systemd-udevd.service",
    "systemd-update-utmp.service",
    "tmp.mount",
)
# $1: a folder for the root; $2: the units to mask; the rest: folders shared with this machine.
_BOOT: Final = r"""
set -e
root=$1/root masked=$2; shift 2
mount --make-rprivate /
mkdir -p "$root" && mount -t tmpfs tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/new"
new=$root/new
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$new"
mount -t proc proc "$new/proc"
mount --rbind /dev "$new/dev"
mount -t sysfs sysfs "$new/sys"
mount -t cgroup2 none "$new/sys/fs/cgroup"
mount -t tmpfs tmpfs "$new/run"
for shared; do
    mkdir -p "$new$shared"
    # In the copy only: a service's user may pass through where Python is.
    above=$(dirname "$shared")
    while [ "$above" != / ]; do chmod o+x "$new$above"; above=$(dirname "$above"); done
    mount --bind "$shared" "$new$shared"
done
rm -rf "$new"/etc/systemd/system/*.wants
for unit in $masked; do ln -sf /dev/null "$new/etc/systemd/system/$unit"; done
cd "$new" && pivot_root . mnt && umount -l /mnt
exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=basic.target --log-target=console --show-status=0
"""


def missing() -> str:
    """Why no systemd can be started here; empty: it can."""
    if os.geteuid() != 0:
        return "only root starts a systemd"
    if not _SYSTEMD.exists() or shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return "needs systemd, unshare and nsenter"
    if "cgroup2" not in Path("/proc/filesystems").read_text():
        return "the kernel has no cgroup v2"
    return ""


@dataclass(frozen=True, slots=True)
class Systemd:
    """A running systemd: its first process as seen from here."""

    pid: int

    def path(self, inside: str) -> Path:
        """The file ``inside`` its root, as seen from here."""
        return Path(f"/proc/{self.pid}/root{inside}")

    async def ran(self, *arguments: str) -> tuple[int, str]:
        """Status and output of a program inside."""
        process = await asyncio.create_subprocess_exec(
            *("nsenter", "--target", str(self.pid), "--mount", "--pid", "--cgroup", "--uts", "--ipc", "--"),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(_RUN_SECONDS):
                out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, out.decode(errors="replace").strip()

    async def systemctl(self, *arguments: str) -> str:
        """What ``systemctl`` says; it has to succeed."""
        status, said = await self.ran("systemctl", *arguments)
        assert status == 0, f"systemctl {' '.join(arguments)}: {said}"
        return said

    async def shows(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return await self.systemctl("show", unit, f"--property={name}", "--value")


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


async def _first_process(process: asyncio.subprocess.Process) -> int:
    """The pid of the systemd below ``process``, once it answers."""
    while True:
        assert process.returncode is None, "systemd ended at its start"
        for pid in _children(process.pid):
            found = Systemd(pid)
            if found.path("/run/systemd/private").exists():
                status, _ = await found.ran("systemctl", "is-active", "basic.target")
                if status == 0:
                    return pid
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def systemd(folder: Path) -> AsyncIterator[Systemd]:
    """A systemd that has reached ``basic.target``; ``folder`` and what Python needs are the machine's own there.

    The network is this machine's. All that runs in it ends with the block.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shared = sorted({str(folder), str(ROOT), sys.prefix, sys.base_prefix} - {"/usr"})
    with (folder / "systemd.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"),
            *("sh", "-c", _BOOT, "boot", str(folder), " ".join(_MASKED), *shared),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        async with asyncio.timeout(_BOOT_SECONDS):
            pid = await _first_process(process)
        yield Systemd(pid)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()

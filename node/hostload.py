"""How loaded this machine is, for the decision whether it builds for a peer."""

import os
from pathlib import Path

import psutil

from node.model.orders import Load


def present_load(folder: Path) -> Load:
    """The load of this machine now; ``folder``: on the disk that builds fill. Blocking."""
    while not folder.exists():
        folder = folder.parent
    disk = os.statvfs(folder)
    return Load(
        load=os.getloadavg()[0],
        cpus=os.cpu_count() or 1,
        free_memory_bytes=psutil.virtual_memory().available,
        free_disk_bytes=disk.f_bavail * disk.f_frsize,
    )

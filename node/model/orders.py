"""Decides whether this node takes on a build for a peer. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from federation.identity import NodeId
from federation.limits import GIB, MIB
from federation.link.builds import BuildOrder
from federation.names import NodeName

LEAST_MEMORY_BYTES: Final = 512 * MIB
LEAST_DISK_BYTES: Final = 2 * GIB
MOST_LOAD: Final = 1.5
"""Runnable processes for each processor, above which no build of a peer is begun unless the operator says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A peer that has builds run here."""

    id: NodeId
    name: NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much of this machine is used: the load over one minute, and what is free."""

    load: float
    cpus: int
    free_memory_bytes: int
    free_disk_bytes: int


def pressure(load: Load, most_load: float = MOST_LOAD) -> str:
    """What this machine has too little of for another build, in a sentence; empty: nothing.

    ``most_load``: of runnable processes for each processor.
    """
    if load.load > most_load * load.cpus:
        return f"its processors are busy: a load of {load.load:.1f} on {load.cpus}"
    if load.free_memory_bytes < LEAST_MEMORY_BYTES:
        return f"it has {load.free_memory_bytes // MIB} MiB of memory left"
    if load.free_disk_bytes < LEAST_DISK_BYTES:
        return f"it has {load.free_disk_bytes // MIB} MiB left on the disk"
    return ""


def forbidden_source(order: BuildOrder, allowed: Collection[str]) -> str:
    """The first URL in ``order`` that begins with none of ``allowed``; empty: there is none.

    A builder fetches with its own view of the network: it lends that, and nothing else of its own. So a URL must begin
    as its operator said, and holds no credentials and no way out of a path that was allowed.
    """
    for source in order.sources:
        parts = urlsplit(source.url)
        climbs = ".." in parts.path.split("/") or "%" in parts.path
        if climbs or parts.username or parts.password or not source.url.startswith(tuple(allowed)):
            return source.url
    return ""

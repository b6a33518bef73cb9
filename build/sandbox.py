"""Closes the commands of a build in by bubblewrap (bwrap(1)): own users, mounts, processes, network.

A build sees the system's programs and libraries, read only, and its own folders, at the same places on every node, so
that no path of a node gets into what it makes. It has no privileges and can't get any; all its processes end with it.
What it may use up is bounded by ``bounds``. A recipe that asks for the network and may have it gets one of its own,
with a way out by ``slirp``; where that can't be, the host's, with its loopback.
"""

import asyncio
import os
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from build.errors import SandboxError
from build.process import MARK, HeldUpError, ProcessTimeoutError, run_process
from build.slirp import RESOLVER, not_installed, uplink
from build.walls import Call, Rooms

SOURCES: Final = Path("/build")
_HOME: Final = Path("/home/build")
_TEMPORARY: Final = Path("/tmp")  # noqa: S108 - inside, it is the build's own
_CACHE: Final = Path("/cache")
_USER: Final = "1000"
_TRY_SECONDS: Final = 20.0
_SYSTEM: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# What programs look up of the system; no file that holds passwords or tells of its users.
_SETTINGS: Final = (
    "/etc/alternatives", "/etc/ca-certificates", "/etc/ca-certificates.conf", "/etc/fonts", "/etc/java*",
    "/etc/ld.so.*", "/etc/localtime", "/etc/maven", "/etc/mime.types", "/etc/pki", "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf", "/etc/xml",
)  # fmt: skip
_RESOLVERS: Final = "/etc/resolv.conf"
_NETWORK_SETTINGS: Final = ("/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols")
_HIDDEN: Final = frozenset(
    {"acpi", "asound", "config.gz", "kallsyms", "kcore", "key-users", "keys", "kmsg", "kpagecount", "kpageflags",
     "latency_stats", "sched_debug", "scsi", "slabinfo", "sysrq-trigger", "timer_list", "vmallocinfo"}
)  # fmt: skip
_SHARED_MEMORY: Final = "shm"
_FILES: Final = {
    "passwd": "root:x:0:0::/:/bin/false\nbuild:x:1000:1000::/home/build:/bin/sh\n",
    "group": "root:x:0:\nbuild:x:1000:\n",
}
# Set inside, it counts the processes of this build only. It does not bind root, whom control groups bind.
# The number of processes is -u to bash and -p to dash, which has no -u.
_LIMIT: Final = 'ulimit -u "$1" 2>/dev/null || ulimit -p "$1"; shift; exec "$@"'
_SHELTER: Final = (
    "--die-with-parent", "--new-session", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
    "--unshare-cgroup-try", "--disable-userns", "--cap-drop", "ALL", "--hostname", "build",
    "--uid", _USER, "--gid", _USER,
)  # fmt: skip


async def unavailable() -> str:
    """Why no sandbox can be made here; empty: it can."""
    if shutil.which("bwrap") is None:
        return "the program 'bwrap' is not installed: install bubblewrap"
    process = await asyncio.create_subprocess_exec(
        "bwrap", *_SHELTER, "--unshare-net", *_system(), *_kernel(), "--dev", "/dev", "/bin/true",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(_TRY_SECONDS):
            _, said = await process.communicate()
    except TimeoutError:
        return "bwrap does not end"
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    told = said.decode(errors="replace").strip()[:200]
    return "" if process.returncode == 0 else f"bwrap makes no namespaces here: {told}"


async def unconnected() -> str:
    """Why no sandbox can have a network of its own here; empty: each can."""
    if problem := not_installed():
        return problem
    words = ("bwrap", *_SHELTER, "--unshare-net", *_system(), *_kernel(), "--dev", "/dev", "/bin/true")
    mark, said = f"trial-{uuid.uuid4().hex}", list[str]()
    try:
        async with uplink(mark) as line:
            call = line.around(Call(words=words, folder=Path("/"), env={"PATH": "/usr/bin:/bin"}))
            ended = await run_process(
                call.words,
                folder=call.folder,
                env=call.env,
                mark=mark,
                timeout_seconds=_TRY_SECONDS,
                log=said.append,
                companion=line,
            )
    except (HeldUpError, ProcessTimeoutError, OSError) as error:
        return f"no network can be made for a sandbox here: {error}"
    told = " ".join(said)[:200]
    return "" if ended.status == 0 else f"no network can be made for a sandbox here: {told}"


def _resolvers() -> str:
    """The host's ``resolv.conf`` (resolv.conf(5)) with the one name server of a network of its own."""
    words = ("search ", "domain ", "options ")
    try:
        kept = [line for line in Path(_RESOLVERS).read_text().splitlines() if line.startswith(words)]
    except OSError:
        kept = []
    return "\n".join([f"nameserver {RESOLVER}", *kept, ""])


def _system() -> list[str]:
    """The system's programs and libraries: whole in /usr, or beside it on older systems."""
    words = ["--ro-bind", "/usr", "/usr"]
    for name in map(Path, _SYSTEM):
        if name.is_symlink():
            words += ["--symlink", os.fspath(name.readlink()), os.fspath(name)]
        elif name.is_dir():
            words += ["--ro-bind", os.fspath(name), os.fspath(name)]
    return words


def _kernel() -> list[str]:
    """What the kernel tells of the build's own processes, and what it tells of itself, which can only be read.

    A build of a node that runs as root is root's to the kernel, without privileges but as the owner of what root owns:
    settings such as ``/proc/sys/kernel/core_pattern`` could be written. Some of it is nobody's business at all.
    """
    words = ["--proc", "/proc"]
    for entry in sorted(Path("/proc").iterdir()):
        if entry.name.isdigit() or entry.is_symlink():
            continue
        hidden = entry.name in _HIDDEN
        if hidden and entry.is_dir():
            words += ["--tmpfs", os.fspath(entry), "--remount-ro", os.fspath(entry)]
        else:
            words += ["--ro-bind", os.devnull if hidden else os.fspath(entry), os.fspath(entry)]
    return words


def _read_only(paths: Sequence[str]) -> list[str]:
    """Whatever of ``paths``, which may be globs, is there."""
    return [
        word
        for pattern in paths
        for path in sorted(Path("/").glob(pattern.lstrip("/")))
        for word in ("--ro-bind", str(path), str(path))
    ]


def own_tools() -> tuple[Path, ...]:
    """The Python that runs this process: a recipe that asks for ``python3`` finds one on every node."""
    return tuple(dict.fromkeys(Path(prefix) for prefix in (sys.base_prefix, sys.prefix) if prefix != "/usr"))


def named_by(host: Mapping[str, str], names: frozenset[str]) -> list[Path]:
    """The files and folders that the variables ``names`` name: certificates, package folders, settings."""
    words = [word.removeprefix("file://") for name in names & host.keys() for word in host[name].split()]
    return sorted({Path(word) for word in words if word.startswith("/") and Path(word).exists()})


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The sandbox of one build.

    ``own_network``: whether ``network`` is one of its own rather than the host's. ``read_only``: what else its commands
    may read, at the places where it is here: tools, and the repositories that its checkouts borrow from. ``own``: a
    folder for the few files that stand in for the host's.
    """

    rooms: Rooms
    own: Path
    network: bool
    own_network: bool
    processes: int
    read_only: tuple[Path, ...] = ()

    told = "sandbox"

    def __post_init__(self) -> None:
        for path in self.read_only:
            # What holds the build's folder holds the node's, or may.
            if self.own.resolve().is_relative_to(path.resolve()):
                raise SandboxError(f"a build may not read {path}: the node's own folders are below it")
        # On the disk, where it counts with all else that the build writes.
        (self.own / _SHARED_MEMORY).mkdir(parents=True, exist_ok=True)
        for name, content in _FILES.items():
            (self.own / name).write_text(content)
        (self.own / "resolv.conf").write_text(_resolvers())

    @cached_property
    def _places(self) -> tuple[tuple[Path, Path], ...]:
        rooms = self.rooms
        return (
            (rooms.sources, SOURCES), (rooms.home, _HOME), (rooms.temporary, _TEMPORARY), (rooms.cache, _CACHE)
        )  # fmt: skip

    def seen(self, path: Path) -> Path:
        """``path`` in the sandbox."""
        for outside, inside in self._places:
            if path.is_relative_to(outside):
                return inside / path.relative_to(outside)
        return path

    def search_path(self, path: str) -> str:
        """Of the folders in ``path``, those that are in the sandbox."""
        readable = (Path("/usr"), *map(Path, _SYSTEM), *self.read_only)
        return ":".join(one for one in path.split(":") if any(Path(one).is_relative_to(root) for root in readable))

    @cached_property
    def _mounts(self) -> list[str]:
        words = [*_system(), *_read_only(_SETTINGS), *self._network_settings()]
        for name in _FILES:
            words += ["--ro-bind", os.fspath(self.own / name), f"/etc/{name}"]
        words += [*_kernel(), "--dev", "/dev", "--bind", os.fspath(self.own / _SHARED_MEMORY), "/dev/shm"]  # noqa: S108
        words += ["--remount-ro", "/dev", "--dir", "/run"]
        for outside, inside in self._places:
            words += ["--bind", os.fspath(outside), os.fspath(inside)]
        for path in self.read_only:
            words += ["--ro-bind", os.fspath(path), os.fspath(path)]
        # What is not a mount of its own is an empty folder that nothing can be written to.
        return [*words, "--remount-ro", "/"]

    def _network_settings(self) -> list[str]:
        if not self.network:
            return []
        if self.own_network:
            return [*_read_only(_NETWORK_SETTINGS), "--ro-bind", os.fspath(self.own / "resolv.conf"), _RESOLVERS]
        return _read_only((_RESOLVERS, *_NETWORK_SETTINGS))

    def call(self, call: Call) -> Call:
        """``call`` in the sandbox; what bwrap itself is started with can be seen there too."""
        network = () if self.network and not self.own_network else ("--unshare-net",)
        inside = os.fspath(self.seen(call.folder))
        limit = ("/bin/sh", "-c", _LIMIT, "sh", str(self.processes))
        return Call(
            words=("bwrap", *_SHELTER, *network, *self._mounts, "--chdir", inside, "--", *limit, *call.words),
            folder=Path("/"),
            env={name: value for name, value in call.env.items() if name != MARK},
            wired=self.network and self.own_network,
        )

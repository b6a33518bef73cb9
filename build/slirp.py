"""Gives one sandboxed command a network of its own, with a way out by slirp4netns(1), but none to the host's loopback.

bwrap makes the namespaces and holds the command back until the network is there. slirp4netns stays outside, beside it;
it ends with the command, and with this process, however that ends: it waits for a pipe that nobody else holds.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from build import loopback
from build.process import LIMITED, MARK, Descriptor, pipe
from build.walls import Call

PROGRAM: Final = "slirp4netns"
RESOLVER: Final = "10.0.2.3"
"""Where a name server answers in such a network: it asks the host's."""

CONNECT_SECONDS: Final = 20.0
_KILL_SECONDS: Final = 10.0
_INFO_BYTES: Final = 64 * 1024
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Each connection has buffers of some hundred KiB, which only a control group would count.
_FEWER: Final = 'ulimit -n 1024 2>/dev/null; exec "$@"'
_OWNER: Final = 0xB701
"""``NS_GET_USERNS`` (ioctl_ns(2)): the user namespace that owns a namespace."""


class _NoWayError(Exception):
    """No network could be made, for the reason that the message says."""


@dataclass(frozen=True, kw_only=True)
class Uplink:
    """The way out of one command.

    ``mark``: what its processes are found by after a kill of this one. ``joins``: as ``uplink``. bwrap writes to
    ``tells`` what is read from ``told``, and begins once ``held`` has what is written to ``lets``. ``running``: what
    ends with it.
    """

    mark: str
    joins: Sequence[str]
    told: asyncio.StreamReader
    tells: Descriptor
    held: Descriptor
    lets: Descriptor
    running: contextlib.AsyncExitStack

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What bwrap has to inherit."""
        return (self.tells.number, self.held.number)

    def around(self, call: Call) -> Call:
        """``call``, a call of bwrap, such that it waits for ``connect``."""
        program, *rest = call.words
        told = ("--info-fd", str(self.tells.number), "--block-fd", str(self.held.number))
        return Call(words=(program, *told, *rest), folder=call.folder, env=call.env)

    async def connect(self) -> str:
        """Make the network for what was started, and let it begin; why that can't be done, in a sentence; empty: done.

        What has ended by itself needs none.
        """
        self.tells.close()
        self.held.close()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._make()
        except TimeoutError:
            return f"it was not there after {CONNECT_SECONDS:.0f} seconds"
        except _NoWayError as error:
            return str(error)
        except (OSError, ValueError, KeyError) as error:
            return f"it could not be made: {error}"
        # It may have ended by itself, and said why.
        with contextlib.suppress(BrokenPipeError):
            os.write(self.lets.number, b"1")
        return ""

    async def _make(self) -> None:
        info = b""
        while piece := await self.told.read(_INFO_BYTES):
            info += piece
        if info:
            with _namespaces(int(json.loads(info)["child-pid"])) as (users, network):
                await self._close_loopback(users, network)
                await self._open_way(users, network)

    async def _close_loopback(self, users: int, network: int) -> None:
        words = [sys.executable, "-I", "-S", os.fspath(Path(loopback.__file__)), str(users), str(network)]
        async with self._started(words, (users, network)) as (process, said):
            last = await said.read(_INFO_BYTES)
            if await process.wait() != 0:
                raise _NoWayError(f"the host's loopback can't be kept from it: {_last_line(last)}")

    async def _open_way(self, users: int, network: int) -> None:
        ready, tells = await self.running.enter_async_context(pipe())
        ends, ended = map(Descriptor, os.pipe())
        self.running.callback(ended.close)
        with contextlib.closing(ends), contextlib.closing(tells):
            words = [
                *_alone(), PROGRAM, *_shelter(),
                "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-seccomp",
                f"--ready-fd={tells.number}", f"--exit-fd={ends.number}", "--netns-type=path",
                f"--userns-path=/proc/self/fd/{users}", f"/proc/self/fd/{network}", "tap0",
            ]  # fmt: skip
            inherited = (tells.number, ends.number, users, network)
            _, said = await self.running.enter_async_context(self._started(words, inherited))
        if not await ready.read(1):
            raise _NoWayError(f"{PROGRAM} can't make it: {_last_line(await said.read(_INFO_BYTES))}")

    @contextlib.asynccontextmanager
    async def _started(
        self, words: Sequence[str], descriptors: tuple[int, ...]
    ) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
        """A program within the build's bounds, with what it says of errors; killed at the end of the block."""
        async with pipe() as (said, says):
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", LIMITED, "sh", *self.joins, "--", "/bin/sh", "-c", _FEWER, "sh", *words,
                env={"PATH": _PATH, "LC_ALL": "C", MARK: f"{self.mark}/network"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=says.number,
                pass_fds=descriptors,
                start_new_session=True,
            )  # fmt: skip
            says.close()
            try:
                yield process, said
            finally:
                if process.returncode is None:
                    process.kill()
                    async with asyncio.timeout(_KILL_SECONDS):
                        await asyncio.shield(process.wait())


@contextlib.asynccontextmanager
async def uplink(mark: str, joins: Sequence[str] = ()) -> AsyncIterator[Uplink]:
    """A way out for one command that is marked by ``mark``; gone with the block.

    ``joins``: the control groups that hold the command, as files to write a process id to.
    """
    async with contextlib.AsyncExitStack() as running:
        told, tells = await running.enter_async_context(pipe())
        held, lets = map(Descriptor, os.pipe())
        running.callback(held.close)
        running.callback(lets.close)
        yield Uplink(mark=mark, joins=joins, told=told, tells=tells, held=held, lets=lets, running=running)


@contextlib.contextmanager
def _namespaces(pid: int) -> Iterator[tuple[int, int]]:
    """Descriptors of the network namespace of ``pid``, and, before it, of the user namespace that owns that.

    The owner is not the one that ``pid`` is in by now: bwrap has left it for one without any rights.
    """
    network = Descriptor(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC))
    with contextlib.closing(network):
        users = Descriptor(fcntl.ioctl(network.number, _OWNER))
        with contextlib.closing(users):
            yield users.number, network.number


def _shelter() -> tuple[str, ...]:
    # Another user's slirp4netns would have to be root in the build's user namespace for it, where nobody is.
    return ("--enable-sandbox",) if os.geteuid() == 0 else ()


def _alone() -> tuple[str, ...]:
    """What cuts slirp4netns off from the host's mounts before it makes its sandbox.

    By itself it only makes the root private: as it puts that away, what is mounted below any shared mount, such as the
    namespaces of ``ip netns`` in /run/netns, would be unmounted on the host too (mount_namespaces(7)).
    """
    return ("unshare", "--mount", "--propagation", "private") if os.geteuid() == 0 else ()


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"


def not_installed() -> str:
    """That the program is missing, and what to install; empty: it is there."""
    return "" if shutil.which(PROGRAM, path=_PATH) else f"the program '{PROGRAM}' is not installed: install {PROGRAM}"

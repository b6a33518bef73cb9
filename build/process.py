"""Runs one program to its end and leaves nothing of it behind.

The program gets a session of its own, a bounded number of open files and file size, and no core dump. Whatever it
started is found by that session and by a mark in the environment, also when it forked twice or made a session of its
own, and is killed: at the end, at a time-out, at a cancel. A process that erases its own environment and session can
hide; against hostile programs a sandbox is needed.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from build.guard import Guard
from build.output import Output
from federation.limits import IMAGE_FILE_BYTES

MARK: Final = "VUPDATE_BUILD_ROOT"
"""The variable by which a build's processes are found; its value is a folder that no other build has."""

OPEN_FILES: Final = 4096
KILL_SECONDS: Final = 10.0
DRAIN_SECONDS: Final = 5.0
_PIECE_BYTES: Final = 64 * 1024

LIMITED: Final = (
    'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done 2>/dev/null; shift; '
    f'ulimit -c 0; ulimit -f {IMAGE_FILE_BYTES // 512} 2>/dev/null; ulimit -n {OPEN_FILES} 2>/dev/null; exec "$@"'
)
"""Limits set by a shell, which joins the control groups named before ``--``.

Between fork and exec of a program with threads, Python code may hang.
"""

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended: its status (negative: by that signal), the last of its output, leftovers killed."""

    status: int
    tail: str
    leftovers: int


class Companion(Protocol):
    """What a program waits for before it begins. ``descriptors``: those that it inherits for that."""

    @property
    def descriptors(self) -> tuple[int, ...]: ...

    async def connect(self) -> str:
        """Let the program begin, once it has been started; why it can't, in a sentence; empty: it can."""
        ...


class HeldUpError(Exception):
    """The program was not let begin, for the reason that its companion gave, and was killed."""


class OverBoundsError(Exception):
    """The program used more than it may, as the message says, and was killed with all that it started."""


class ProcessTimeoutError(Exception):
    """The program did not end in time, and was killed with all that it started."""


async def run_process(
    words: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    mark: str,
    timeout_seconds: float,
    log: Log,
    guard: Guard | None = None,
    companion: Companion | None = None,
) -> Ended:
    """Run ``words`` in ``folder`` with the environment ``env`` and nothing else.

    ``mark``: the value of ``MARK`` that it is found by, where that is in ``env``. ``companion``: what it waits for.

    Raises:
        ProcessTimeoutError: not done after ``timeout_seconds``.
        OverBoundsError: ``guard`` found that it used too much.
        OSError: the program could not be started.
        HeldUpError: ``companion`` did not let it begin.
    """
    output = Output()
    async with pipe() as (reader, writer):
        inherited = () if companion is None else companion.descriptors
        process = await _start(words, folder=folder, env=env, writer=writer, guard=guard, inherited=inherited)
        writer.close()
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(_pump(reader, output, log))
            in_time, problem = True, ""
            try:
                held_up = "" if companion is None else await companion.connect()
                if not held_up:
                    in_time, problem = await _ends_within(process, timeout_seconds, guard)
            finally:
                leftovers = await asyncio.shield(_end(process, mark))
            await _drained(pump)
    if held_up:
        raise HeldUpError(held_up)
    # What the kernel refused counts where the program could not do without.
    if guard is not None and process.returncode and (problem := problem or guard.kernels_word):
        raise OverBoundsError(problem)
    if not in_time:
        raise ProcessTimeoutError
    return Ended(status=process.returncode or 0, tail=output.tail, leftovers=leftovers)


class Descriptor:
    """A file descriptor that is closed once, by whoever is first."""

    def __init__(self, number: int) -> None:
        self.number = number

    def close(self) -> None:
        number, self.number = self.number, -1
        if number >= 0:
            os.close(number)


@contextlib.asynccontextmanager
async def pipe() -> AsyncIterator[tuple[asyncio.StreamReader, Descriptor]]:
    """A pipe of our own: asyncio's waits for every holder of the other end before it reports the program's end."""
    read_end, write_end = os.pipe()
    writer = Descriptor(write_end)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
    )
    try:
        yield reader, writer
    finally:
        transport.close()
        writer.close()


async def _start(
    words: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    writer: Descriptor,
    guard: Guard | None,
    inherited: tuple[int, ...],
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", LIMITED, "sh", *(() if guard is None else guard.groups.joins), "--", *words,
        cwd=folder,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=writer.number,
        stderr=writer.number,
        pass_fds=inherited,
        start_new_session=True,
    )  # fmt: skip


async def _ends_within(
    process: asyncio.subprocess.Process, timeout_seconds: float, guard: Guard | None
) -> tuple[bool, str]:
    """Whether it ended in time, and the reason to stop it that ``guard`` found before."""
    async with asyncio.TaskGroup() as group:
        ended = group.create_task(process.wait())
        watching = group.create_task(_never() if guard is None else guard.problem(process.pid))
        done, late = await asyncio.wait({ended, watching}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
    return bool(done), watching.result() if watching in done else ""


async def _never() -> str:
    await asyncio.Event().wait()
    return ""


async def _end(process: asyncio.subprocess.Process, mark: str) -> int:
    leftovers = await asyncio.to_thread(kill_all, process.pid, mark)
    async with asyncio.timeout(KILL_SECONDS):
        await process.wait()
    return leftovers


async def _pump(reader: asyncio.StreamReader, output: Output, log: Log) -> None:
    while piece := await reader.read(_PIECE_BYTES):
        for line in output.feed(piece):
            log(line)
    for line in output.finish():
        log(line)


async def _drained(pump: asyncio.Task[None]) -> None:
    """Wait for the rest of the output; not for ever, should something that hides still hold the pipe."""
    _, late = await asyncio.wait({pump}, timeout=DRAIN_SECONDS)
    for task in late:
        task.cancel()


def kill_all(leader: int, mark: str) -> int:
    """Kill the session of ``leader`` and every process marked by ``mark``; blocks; return how many were alive."""
    return len(kill_while(lambda: _alive(leader, mark)) - {leader})


def kill_while(find: Callable[[], set[int]]) -> set[int]:
    """Kill the processes that ``find`` finds until it finds none, or for some seconds; blocks; those that were found.

    It is asked again and again, as what it found may have started more.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + KILL_SECONDS
    while (found := find()) and time.monotonic() < deadline:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed |= found
        time.sleep(0.002)
    return killed


def _alive(leader: int, mark: str) -> set[int]:
    wanted = f"{MARK}={mark}".encode()
    own = os.getpid()
    pids = (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit())
    return {pid for pid in pids if pid != own and _belongs(pid, leader, wanted)}


def _belongs(pid: int, leader: int, wanted: bytes) -> bool:
    folder = Path("/proc", str(pid))
    try:
        state, _, _, session = (folder / "stat").read_bytes().rpartition(b")")[2].split()[:4]
        if state in (b"Z", b"X"):
            return False
        return int(session) == leader or wanted in (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return False

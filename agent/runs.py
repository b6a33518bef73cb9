"""Runs of one service: starts them under a shim, finds again one that outlived the agent, sees when they end.

The shim's lock says whether there is a run at all, its record says which; a pidfd names the shim without a race. What
an end means, and what follows, is for others.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent import controlgroup, history, plan, processes, shim
from agent.delegation import groups_of, make_group
from agent.errors import ShimError, StartFailedError
from agent.home import Unit
from agent.logs import keep_form, keep_here
from agent.recordfile import RecordFile
from agent.runrecord import RunRecord, last_run, read_run
from agent.threads import unbroken
from federation.files import explained_disk_errors
from federation.service import Run as RunSettings
from federation.versions import ClientVersion

UNIT_MARK: Final = "VUPDATE_UNIT"
"""In the environment of all that runs for a service: the folder of its unit, by which strays are found."""

RUN_MARK: Final = "VUPDATE_RUN"
"""In the environment of all that belongs to one run: its id."""

_READY_SECONDS: Final = 15.0
_RECORD_LOOKS: Final = 100
_RECORD_LOOK_SECONDS: Final = 0.1
_STOP_MARGIN_SECONDS: Final = 15.0
_KILL_SECONDS: Final = 5.0
_FD_ABOVE: Final = 10
_READY_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to run."""

    run: str
    version: ClientVersion
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    settings: RunSettings


class LiveRun:
    """A run whose shim is named by a pidfd of ours."""

    def __init__(self, record: RunRecord, pidfd: int, record_file: RecordFile) -> None:
        self.record = record
        self._pidfd = pidfd
        self._file = record_file
        self._dead = asyncio.Event()
        asyncio.get_running_loop().add_reader(pidfd, self._on_end)

    def _on_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        self._dead.set()

    @property
    def is_over(self) -> bool:
        """Whether its end was seen."""
        return self._dead.is_set()

    async def ended_within(self, seconds: float) -> bool:
        """Whether it ends within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._dead.wait()
        except TimeoutError:
            return False
        return True

    async def ended(self) -> RunRecord:
        """Wait, without limit, for the end, and return the record of it."""
        await self._dead.wait()
        last = read_run(self._file)
        return last if last is not None and last.run == self.record.run else self.record

    @property
    def shim(self) -> int:
        """The pid of its shim, above all that belongs to the run."""
        return self.record.shim.pid

    def send(self, number: signal.Signals) -> None:
        """Send the shim a signal: ``SIGTERM``: stop the service; ``shim.FAULT_SIGNAL``: stop it as a fault."""
        if not self._dead.is_set():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def close(self) -> None:
        """Forget the run; it goes on."""
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1


@contextlib.contextmanager
def _lock(unit: Unit) -> Iterator[int | None]:
    """The unit's lock, taken; ``None``: a shim holds it."""
    unit.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(unit.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor if _took(descriptor) else None
    finally:
        os.close(descriptor)


def _took(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spec(unit: Unit, order: Order, group: Path | None) -> bytes:
    logs = unit.logs / order.run
    logs.mkdir(parents=True, exist_ok=True)
    keep_form(logs, order.settings.logs.format)
    if not order.settings.logs.upload:
        keep_here(logs)
    return json.dumps(
        {
            "run": order.run,
            "version": order.version,
            "record": str(unit.run_record),
            "logs": str(logs),
            "max_file_bytes": order.settings.logs.max_file_bytes,
            "files": order.settings.logs.files,
            "argv": order.argv,
            "env": {**order.env, UNIT_MARK: str(unit.root), RUN_MARK: order.run},
            "cwd": str(order.cwd),
            "stop_signal": int(signal.Signals[f"SIG{order.settings.stop.signal}"]),
            "grace_seconds": order.settings.stop.grace_seconds,
            "core_dump": order.settings.limits.core_dump,
            "group": "" if group is None else str(group),
        }
    ).encode()


def _out_of_the_way(descriptor: int) -> int:
    """A copy with a number that can't collide with those the shim expects."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FD_ABOVE)


def _spawn(spec: bytes, lock: int, ready: int) -> int:
    """Start a shim; its pid. The lock goes over to it even if we die in this very moment."""
    with contextlib.ExitStack() as closing:
        memory = os.memfd_create("spec", os.MFD_CLOEXEC)
        closing.callback(os.close, memory)
        os.write(memory, spec)
        os.lseek(memory, 0, os.SEEK_SET)
        moved = [_out_of_the_way(descriptor) for descriptor in (memory, lock, ready)]
        for descriptor in moved:
            closing.callback(os.close, descriptor)
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", str(Path(shim.__file__).resolve())],
            {"LANG": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, moved[0], 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, moved[1], shim.LOCK_FD),
                (os.POSIX_SPAWN_DUP2, moved[2], shim.READY_FD),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, shim.FAULT_SIGNAL],
        )


def _wait_ready(descriptor: int) -> str:
    """What the shim says of the start; blocking."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return os.read(descriptor, _READY_BYTES).decode("utf-8", "replace") if poll.poll(_READY_SECONDS * 1000) else ""


def _launch(spec: bytes, lock: int) -> str:
    """Start a shim and wait for what it says of the start; if that is not "ok", it is buried before this returns."""
    with contextlib.ExitStack() as closing:
        ready, ready_write = os.pipe2(os.O_CLOEXEC)
        closing.callback(os.close, ready)
        try:
            pid = _spawn(spec, lock, ready_write)
        finally:
            os.close(ready_write)
        said = _wait_ready(ready)
        if said != "ok":
            if not said:
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return said


class Runs:
    """The runs of one unit, of which at most one lives."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._file = RecordFile(unit.run_record)

    def last(self) -> RunRecord | None:
        """The record of the last run, whether it still runs or not."""
        return last_run(self._unit)

    def last_number(self) -> int:
        """The number of the last run; 0: there was none."""
        last = self.last()
        return 0 if last is None else plan.run_number(last.run)

    async def attach(self) -> LiveRun | None:
        """The run that lives now, if there is one.

        Raises:
            ShimError: there is one, but it doesn't say which.
        """
        for _ in range(_RECORD_LOOKS):
            with _lock(self._unit) as lock:
                if lock is not None:
                    self._bury_last()
                    return None
            if found := self._attached():
                return found
            # Only where the agent was killed in the moment between starting a shim and the shim's first words.
            await asyncio.sleep(_RECORD_LOOK_SECONDS)
        raise ShimError(f"{self._unit.key}: a shim runs that does not say what it runs; look at {self._unit.lock}")

    def _bury_last(self) -> None:
        """A run that ended while nobody watched it leaves its shim's remains."""
        last = self.last()
        if last is not None and last.boot == processes.boot_id():
            processes.bury(last.shim.pid, last.shim.start)

    def _attached(self) -> LiveRun | None:
        record = self.last()
        if record is None or record.boot != processes.boot_id():
            return None
        try:
            pidfd = os.pidfd_open(record.shim.pid)
        except ProcessLookupError:
            return None
        # Compared after the opening: from then on the pid can't be another's unseen.
        if record.shim.alive:
            return LiveRun(record, pidfd, self._file)
        os.close(pidfd)
        return None

    async def start(self, order: Order) -> LiveRun:
        """Start a run where none is; strays of an earlier one are killed first.

        Raises:
            StartFailedError: the command can't be started.
            ShimError: the shim can't, or another runs.
            DiskFullError: no room for its records.
        """
        record = await unbroken(self._start, order)
        # Not yet buried, so its pid is still its own even if it has ended.
        return LiveRun(record, os.pidfd_open(record.shim.pid), self._file)

    def _start(self, order: Order) -> RunRecord:
        if (last := self.last()) is not None:
            processes.kill_marked(f"{RUN_MARK}={last.run}")
            self._end_groups(None)
            history.remember(self._unit, last)
        with explained_disk_errors(self._unit.root), _lock(self._unit) as lock:
            if lock is None:
                raise ShimError(f"{self._unit.key} already runs")
            self._file.prepare()
            said = _launch(_spec(self._unit, order, make_group(self._unit.root, order.run)), lock)
        record = self.last()
        if not said or record is None or record.run != order.run:
            raise ShimError(f"{self._unit.key}: the shim could not start; is the disk full or the memory low?")
        if said != "ok":
            raise StartFailedError(f"{order.version} can't be started: {said}")
        return record

    async def stop(self) -> None:
        """Stop what runs by its signal, after its grace by force, and kill all that is left of it.

        Raises:
            ShimError: something can't be killed.
        """
        async with attached(self) as live:
            if live is not None:
                await end(live)
        await self.clear(None)

    async def clear(self, live: LiveRun | None) -> None:
        """Kill all that runs for this unit, except ``live``."""
        spared = None if live is None else f"{RUN_MARK}={live.record.run}"
        await unbroken(processes.kill_marked, f"{UNIT_MARK}={self._unit.root}", spared)
        await unbroken(self._end_groups, live)

    def _end_groups(self, spared: LiveRun | None) -> None:
        """Kill what no mark shows any more: a process may change its environment, but not leave its control group."""
        kept = None if spared is None else spared.record.control_group
        for group in groups_of(self._unit.root):
            if group != kept:
                controlgroup.end(group)


async def end(live: LiveRun, first: signal.Signals = signal.SIGTERM) -> None:
    """Have the shim of ``live`` stop it, and wait until it has ended; a shim that does not do so is killed.

    Raises:
        ShimError: it can't be killed.
    """
    live.send(first)
    for patience in (live.record.grace_seconds + _STOP_MARGIN_SECONDS, _KILL_SECONDS):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await live.ended()
                return
        live.send(signal.SIGKILL)
    raise ShimError(f"the shim of {live.record.version} (pid {live.record.shim.pid}) can't be killed")


@contextlib.asynccontextmanager
async def attached(runs: Runs) -> AsyncIterator[LiveRun | None]:
    """The run that lives now, if any, forgotten at the end of the block."""
    live = await runs.attach()
    try:
        yield live
    finally:
        if live is not None:
            live.close()

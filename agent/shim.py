"""The shim: the small process under which one run of a service lives.

It starts the service in a session of its own, owns its output and its exit status, and outlives the agent. Told to end
(SIGTERM), it asks the service to stop by the service's own signal, waits for its grace, then kills the whole tree; told
by SIGUSR1 it does the same, but the end counts as a fault, and leaves a core where the recipe asks for that.
When it is killed itself, the kernel kills the service. What to run and what an end means is for the agent to decide.

Run by its path with ``python -I -S``: it loads nothing but the standard library and its four neighbours, so it starts
in some 30 ms, stays small, and nothing lying in the service's folder can be loaded in its place.
Descriptors at the start: 0 what to run (JSON, see ``runs``), 3 a lock held for as long as the shim lives, 4 tells the
agent when the service is started ("ok", or why not).
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from agent import controlgroup
from agent.processes import boot_id, descendants, oom_kills, start_time
from agent.recordfile import RecordFile
from agent.shimlog import LineLog

LOCK_FD: Final = 3
READY_FD: Final = 4
FAULT_SIGNAL: Final = signal.SIGUSR1
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_READ_BYTES: Final = 256 * 1024
_KILL_SECONDS: Final = 10.0
_DRAIN_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.05
_START_FAILED: Final = 127


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _signal_name(number: int) -> str:
    """The name without ``SIG``; a real-time signal has only its number."""
    try:
        return signal.Signals(number).name[3:]
    except ValueError:
        return str(number)


def _read_all(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, _READ_BYTES):
        parts.append(part)
    return b"".join(parts)


class Shim:
    """One run of one service."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._record = RecordFile(Path(spec["record"]))
        self._log = LineLog(Path(spec["logs"]), max_file_bytes=spec["max_file_bytes"], files=spec["files"])
        self._group = Path(spec["group"]) if spec["group"] else None
        self._service = 0
        self._status: int | None = None
        self._stop_asked = False
        self._as_fault = False
        self._stop_deadline = 0.0
        self._streams: dict[int, bytes] = {}
        self._poll = select.poll()
        self._wake = -1

    def run(self) -> None:
        """Start the service, stay until it has ended, and say how."""
        self._listen()
        error = self._start()
        with contextlib.suppress(BrokenPipeError):
            # The agent may have died meanwhile; the service stays for the next one.
            os.write(READY_FD, (error or "ok").encode())
        os.close(READY_FD)
        while self._status is None or self._lingering():
            self._wait(self._timeout())
            self._push_stop()
        self._kill_tree()
        if self._group is not None:
            controlgroup.end(self._group)
        self._drain()
        self._log.end()
        self._write_end(error)

    # How it begins

    def _listen(self) -> None:
        """Signals become bytes in a pipe, so that one poll waits for everything."""
        self._wake, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._poll.register(self._wake, select.POLLIN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(FAULT_SIGNAL, self._on_fault)
        for number in (signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)

    def _on_stop(self, *_: object) -> None:
        self._stop_asked = True

    def _on_fault(self, *_: object) -> None:
        # Asked for a planned stop already, it stays one.
        self._as_fault = not self._stop_asked
        self._stop_asked = True

    def _start(self) -> str:
        """Start the service; what went wrong, or nothing."""
        pipes = {name: os.pipe2(os.O_CLOEXEC) for name in ("out", "err", "go", "failed")}
        shim = os.getpid()
        self._service = os.fork()
        if self._service == 0:
            self._become_service(pipes, shim)
        for name, mine in (("out", 0), ("err", 0), ("go", 1), ("failed", 0)):
            os.close(pipes[name][1 - mine])
        # Written before the service runs: whoever finds the service running finds it named.
        self._write_start(shim)
        os.write(pipes["go"][1], b"g")
        os.close(pipes["go"][1])
        error = _read_all(pipes["failed"][0]).decode("utf-8", "replace")
        os.close(pipes["failed"][0])
        for name, letter in (("out", b"o"), ("err", b"e")):
            os.set_blocking(pipes[name][0], False)
            self._streams[pipes[name][0]] = letter
            self._poll.register(pipes[name][0], select.POLLIN)
        return error

    def _become_service(self, pipes: dict[str, tuple[int, int]], shim: int) -> NoReturn:
        """In the new process: wait for leave, then become the service."""
        try:
            os.setsid()
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.close(pipes["go"][1])
            if os.getppid() != shim or os.read(pipes["go"][0], 1) != b"g":
                os._exit(_START_FAILED)
            if self._group is not None:
                # Where the kernel refuses, the process table serves.
                with contextlib.suppress(OSError):
                    controlgroup.join(self._group)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, FAULT_SIGNAL, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            os.dup2(pipes["out"][1], 1)
            os.dup2(pipes["err"][1], 2)
            most = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (most if self._spec["core_dump"] else 0, most))
            os.chdir(self._spec["cwd"])
            os.execvpe(self._spec["argv"][0], self._spec["argv"], self._spec["env"])  # noqa: S606 - its purpose
        except OSError as error:
            os.write(pipes["failed"][1], f"{self._spec['argv'][0]}: {error.strerror or error}".encode())
        finally:
            os._exit(_START_FAILED)

    # While it lives

    def _wait(self, seconds: float | None) -> None:
        for descriptor, _ in self._poll.poll(None if seconds is None else seconds * 1000):
            if descriptor == self._wake:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, _READ_BYTES)
                self._reap()
            else:
                self._take(descriptor)

    def _take(self, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if chunk:
            self._log.feed(self._streams[descriptor], chunk)
        else:
            self._poll.unregister(descriptor)
            del self._streams[descriptor]
            os.close(descriptor)

    def _reap(self) -> None:
        """Bury the dead: the service, and those of its descendants whose parents left them."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._service:
                    self._status = os.waitstatus_to_exitcode(status)

    # How it ends

    def _push_stop(self) -> None:
        """Ask once by the service's signal; after the grace, kill."""
        if not self._stop_asked:
            return
        if not self._stop_deadline:
            self._stop_deadline = time.monotonic() + self._spec["grace_seconds"]
            # To all of the tree: a child in a session of its own would else use up the grace unasked.
            for pid in descendants(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, self._first_signal(pid))
        elif time.monotonic() >= self._stop_deadline:
            self._kill_tree()

    def _first_signal(self, pid: int) -> int:
        """The service's own stop signal; a service at fault leaves its core first where the recipe asks for that."""
        wants_core = self._as_fault and self._spec["core_dump"] and pid == self._service
        return signal.SIGABRT if wants_core else int(self._spec["stop_signal"])

    def _timeout(self) -> float | None:
        if not self._stop_asked:
            return None
        return max(0.0, self._stop_deadline - time.monotonic()) if self._stop_deadline else 0.0

    def _lingering(self) -> bool:
        """Whether children of a service that was asked to stop still have time to end by themselves."""
        in_time = bool(self._stop_deadline) and time.monotonic() < self._stop_deadline
        return in_time and bool(descendants(os.getpid()))

    def _kill_tree(self) -> None:
        """Kill all descendants, again until none is left: one may be born while others die."""
        deadline = time.monotonic() + _KILL_SECONDS
        self._reap()
        while (alive := descendants(os.getpid())) and time.monotonic() < deadline:
            for pid in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._wait(_POLL_SECONDS)
        self._reap()

    def _drain(self) -> None:
        """Read what the pipes still hold."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while self._streams and time.monotonic() < deadline:
            self._wait(_POLL_SECONDS)

    # What it leaves behind

    def _process(self, pid: int) -> dict[str, int]:
        return {"pid": pid, "start": start_time(pid) or 0}

    def _write_start(self, shim: int) -> None:
        self._told = {
            "run": self._spec["run"],
            "version": self._spec["version"],
            "boot": boot_id(),
            "shim": self._process(shim),
            "service": self._process(self._service),
            "started": _now(),
            "grace_seconds": self._spec["grace_seconds"],
            "oom_kills": oom_kills(),
            "group": self._spec["group"],
        }
        self._record.write(json.dumps(self._told).encode())

    def _write_end(self, error: str) -> None:
        status = self._status
        end = {
            "at": _now(),
            "status": status if status is not None and status >= 0 else None,
            "signal": _signal_name(-status) if status is not None and status < 0 else None,
            "stopped": self._stop_asked and not self._as_fault,
            "error": error,
            "lost_lines": self._log.lost_lines,
            "oom_kills": oom_kills(),
        }
        self._record.write(json.dumps({**self._told, "ended": end}).encode())


def main() -> None:
    """Run the service described on descriptor 0."""
    os.set_inheritable(LOCK_FD, False)
    os.set_inheritable(READY_FD, False)
    spec = json.loads(_read_all(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    Shim(spec).run()


if __name__ == "__main__":
    main()

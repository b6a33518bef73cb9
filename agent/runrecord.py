"""What a shim writes of its run, and whether the run it tells of still lives."""

from dataclasses import dataclass
from pathlib import Path

from agent import processes
from agent.home import Unit
from agent.recordfile import RecordFile
from federation import codec
from federation.codec import Moment
from federation.errors import InvalidValueError
from federation.versions import ClientVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process by its pid and its start time in clock ticks."""

    pid: int
    start: int

    @property
    def alive(self) -> bool:
        return processes.is_alive(self.pid, self.start)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a run ended. ``stopped``: the shim was asked to; ``error``: why it never began.

    ``oom_kills``: the host's count of processes killed for lack of memory, as ``RunRecord``'s is at the start.
    """

    at: Moment
    status: int | None
    signal: str | None
    stopped: bool
    error: str
    lost_lines: int = 0
    oom_kills: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What the shim wrote of a run. Without ``ended`` and with a dead shim, nobody saw its end.

    ``group``: the control group that all of the run is in; empty: it has none of its own.
    """

    run: str
    version: ClientVersion
    boot: str
    shim: Process
    service: Process
    started: Moment
    grace_seconds: float
    ended: End | None = None
    oom_kills: int | None = None
    group: str = ""

    @property
    def alive(self) -> bool:
        """Whether its shim lives, and so it."""
        return self.ended is None and self.boot == processes.boot_id() and self.shim.alive

    @property
    def control_group(self) -> Path | None:
        """The control group that all of the run is in, if it has one of its own."""
        return Path(self.group) if self.group else None


def read_run(file: RecordFile) -> RunRecord | None:
    """The run that ``file`` tells of; ``None``: of none that can be understood."""
    content = file.read()
    if content is None:
        return None
    try:
        return codec.decode(content, RunRecord)
    except InvalidValueError:
        return None


def last_run(unit: Unit) -> RunRecord | None:
    """The last run of ``unit``, whether it still lives or not."""
    return read_run(RecordFile(unit.run_record))

"""What is kept of earlier runs of a service: how each went, and its log files; the oldest give way.

Keeping it is a courtesy: where the disk has no room for it, the next run starts all the same.
"""

import contextlib
import shutil
from dataclasses import dataclass, replace
from typing import Final

from agent import logs
from agent.home import Unit
from agent.runrecord import RunRecord, last_run
from federation import codec, limits
from federation.run import RunHistory, RunSummary

KEPT_RUNS: Final = 200
KEPT_LOGS: Final = 30
_SUFFIX: Final = ".json"


def remember(unit: Unit, run: RunRecord) -> None:
    """Keep how ``run`` went, and forget what is too old. Blocking."""
    with contextlib.suppress(OSError):
        unit.history.mkdir(parents=True, exist_ok=True)
        (unit.history / f"{run.run}{_SUFFIX}").write_bytes(codec.encode(run))
    for path in sorted(unit.history.glob(f"*{_SUFFIX}"))[:-KEPT_RUNS]:
        path.unlink(missing_ok=True)
    for run_id in logs.runs(unit.logs)[:-KEPT_LOGS]:
        shutil.rmtree(unit.logs / run_id, ignore_errors=True)


def earlier_runs(unit: Unit) -> list[RunRecord]:
    """The runs before the last one, oldest first; what can't be read is left out. Blocking."""
    found = []
    for path in sorted(unit.history.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(OSError, ValueError):
            found.append(codec.decode(path.read_bytes(), RunRecord))
    return found


def summary(record: RunRecord) -> RunSummary:
    """What a node is told of a run."""
    end = record.ended
    known = RunSummary(run=record.run, version=record.version, started=record.started, alive=record.alive)
    if end is None:
        return known
    return replace(
        known,
        ended=end.at,
        status=end.status,
        signal=end.signal,
        stopped=end.stopped,
        error=end.error[: limits.RUN_ERROR],
        lost_lines=end.lost_lines,
    )


@dataclass(frozen=True, slots=True)
class RunsMark:
    """Differs as soon as there is something new to tell of the runs of a unit; cheap to look at."""

    last: RunRecord | None
    alive: bool
    kept: int


def runs_mark(unit: Unit) -> RunsMark:
    """As it is now. Blocking."""
    last = last_run(unit)
    try:
        kept = unit.history.stat().st_mtime_ns
    except FileNotFoundError:
        kept = 0
    return RunsMark(last, last is not None and last.alive, kept)


def history_of(unit: Unit) -> RunHistory:
    """The newest runs of ``unit``, the last one too. Blocking."""
    last = last_run(unit)
    before = [one for one in earlier_runs(unit) if last is None or one.run != last.run]
    runs = [*before, *([] if last is None else [last])][-limits.RUNS_TOLD :]
    return RunHistory(service=unit.key, runs=tuple(summary(one) for one in runs))

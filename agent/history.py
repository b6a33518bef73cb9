"""What is kept of earlier runs of a service: how each went, and its log files; the oldest give way.

Keeping it is a courtesy: where the disk has no room for it, the next run starts all the same.
"""

import contextlib
import shutil
from typing import Final

from agent import logs
from agent.home import Unit
from agent.runrecord import RunRecord
from federation import codec

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

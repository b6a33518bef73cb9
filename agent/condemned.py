"""Which run the agent itself decided to stop as a fault, and why: written before the stop, read when its end counts.

So an agent that dies in between leaves a fault, not a mystery: the next one finishes the stop and tells its reason.
"""

from dataclasses import dataclass

import structlog

from agent.home import Unit
from federation import codec
from federation.errors import DiskFullError, InvalidValueError
from federation.fault import Reason
from federation.files import write_atomic

_log = structlog.get_logger("agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condemned:
    """A run and why it was stopped, in a sentence."""

    run: str
    reason: Reason
    problem: str


def condemn(unit: Unit, condemned: Condemned) -> None:
    """Keep it. Without room on the disk the run is stopped all the same, and counts as a fault by its end alone."""
    try:
        write_atomic(unit.condemned, codec.encode(condemned))
    except (OSError, DiskFullError) as error:
        _log.warning("reason of a stop not kept", service=unit.key, run=condemned.run, error=str(error))


def condemned_run(unit: Unit, run: str) -> Condemned | None:
    """Why the agent stopped ``run`` as a fault; ``None``: it did not."""
    try:
        found = codec.decode(unit.condemned.read_bytes(), Condemned)
    except (OSError, InvalidValueError):
        return None
    return found if found.run == run else None

"""What an agent reports of each service it looks after: what is true there, not what was ordered."""

import enum
from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.codec import Moment
from federation.errors import InvalidValueError
from federation.names import ServiceKey
from federation.versions import ClientVersion

PROBLEM_CHARS: Final = 1000


class Phase(enum.Enum):
    """Where a service stands on its instance."""

    DOWNLOADING = "downloading"
    INSTALLING = "installing"
    STARTING = "starting"
    PROBATION = "probation"
    RUNNING = "running"
    PUTTING_BACK = "putting-back"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What the last update cost: bytes received, and what the whole image would have cost."""

    version: ClientVersion
    base: ClientVersion | None
    moved_bytes: int
    full_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """One service on one instance. ``failed`` names a desired version that was tried and put back, ``error`` why.

    ``halted``: an operator stopped it; ``held``: an operator lets no update begin.
    """

    key: ServiceKey
    phase: Phase
    since: Moment
    desired: ClientVersion | None = None
    running: ClientVersion | None = None
    committed: ClientVersion | None = None
    failed: ClientVersion | None = None
    error: str = ""
    failures: int = 0
    last_exit: str = ""
    moved: Moved | None = None
    halted: bool = False
    held: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.failures <= limits.COUNT:
            raise InvalidValueError("the number of failures is out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceState:
    """All services of one instance at one moment. ``revision``: the assignment's that the agent holds.

    ``problem``: why it refused what its node said last; nothing where it did not. ``fixed``: the services that the
    agent's own file allows, whatever the node says; ``None``: it allows all.
    """

    at: Moment
    revision: int
    services: tuple[ServiceState, ...]
    problem: str = ""
    fixed: tuple[ServiceKey, ...] | None = None

    def __post_init__(self) -> None:
        if self.fixed is not None and len(self.fixed) > limits.FIXED_SERVICES:
            raise InvalidValueError(f"an agent's file allows at most {limits.FIXED_SERVICES} services")
        if len(self.problem) > PROBLEM_CHARS:
            raise InvalidValueError(f"the problem of an instance has at most {PROBLEM_CHARS} characters")

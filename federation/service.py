"""How a service is installed and run: the part of a recipe that travels inside an image, as ``vupdate.toml``.

Values only; ``servicefile`` reads them. Times in seconds, sizes in bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from federation.names import ServiceKey, ServiceName

FILE_NAME: Final = "vupdate.toml"
"""The path of the service file in the root of each image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run to its end. Fails on a status other than ``exit_status``, or when it takes too long."""

    run: tuple[str, ...]
    dir: str = "."
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = 600.0
    exit_status: int = 0
    output_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """Commands around the switch to a new version."""

    before_stop: tuple[Command, ...] = ()
    after_switch: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """How a service is asked to end: a signal's name without ``SIG``, then time before it is killed."""

    signal: str = "TERM"
    grace_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """What follows an unexpected end."""

    policy: Literal["always", "on-failure", "never"] = "always"
    backoff_min_seconds: float = 1.0
    backoff_max_seconds: float = 300.0
    reset_after_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """Bounds of the whole process tree; ``None``: no bound. ``cpu_percent`` counts one core as 100."""

    memory_bytes: int | None = None
    cpu_percent: float | None = None
    cpu_window_seconds: float = 30.0
    core_dump: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How to see that a service works; one of ``http``, ``tcp``, ``command``, ``log``, or none: it runs.

    ``log``: a pattern of the line that it writes once it is ready; from then on it is well as long as it runs.
    """

    http: str | None = None
    tcp: str | None = None
    command: tuple[str, ...] | None = None
    log: str | None = None
    interval_seconds: float = 5.0
    timeout_seconds: float = 2.0
    healthy_for_seconds: float = 20.0
    deadline_seconds: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """How output is kept on the instance and whether it goes to the node."""

    format: str = "auto"
    upload: bool = True
    max_file_bytes: int = 10_000_000
    files: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Which files belong to a fault report, and how many reports stay on the instance."""

    files: tuple[str, ...] = ()
    keep: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a service is started, watched and stopped. Macros in ``command`` and ``env`` are expanded by the agent.

    ``after``: the services of the same instance that it is started and updated after.
    """

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stop: Stop = Stop()
    restart: Restart = Restart()
    limits: RunLimits = RunLimits()
    health: Health = Health()
    logs: Logs = Logs()
    faults: Faults = Faults()
    data: tuple[str, ...] = ()
    after: tuple[ServiceKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What an agent needs to know of a service. ``expand``: image paths whose macros a client build fills in."""

    name: ServiceName
    run: Run
    install: Install = Install()
    expand: tuple[str, ...] = ()

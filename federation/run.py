"""Runs of a service, as an agent tells its node of them."""

from dataclasses import dataclass

from federation import limits
from federation.codec import Moment
from federation.errors import InvalidValueError, OversizedError
from federation.names import ServiceKey
from federation.versions import ClientVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run, from the start of its process to the end of it.

    ``run`` names it in the logs. While it is ``alive`` nothing else is known of its end; a run that is not, and has no
    ``ended``, ended unseen: with its host, say. ``stopped``: it ended because it was asked to. ``error``: why it never
    began. ``lost_lines``: what it wrote faster than it could be kept.
    """

    run: str
    version: ClientVersion
    started: Moment
    alive: bool = False
    ended: Moment | None = None
    status: int | None = None
    signal: str | None = None
    stopped: bool = False
    error: str = ""
    lost_lines: int = 0

    def __post_init__(self) -> None:
        texts = ((self.run, limits.RUN_CHARS), (self.signal or "", limits.SIGNAL_CHARS), (self.error, limits.RUN_ERROR))
        if any(len(text) > most for text, most in texts):
            raise OversizedError("what is told of a run is too long")
        if not 0 <= self.lost_lines <= limits.SERIAL:
            raise InvalidValueError(f"{self.lost_lines} is not a number of lost lines")
        if self.status is not None and abs(self.status) > limits.EXIT_STATUS:
            raise InvalidValueError("an exit status is a number of 32 bits")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHistory:
    """The newest runs of one service on one instance, oldest first, the present one too."""

    service: ServiceKey
    runs: tuple[RunSummary, ...]

    def __post_init__(self) -> None:
        if len(self.runs) > limits.RUNS_TOLD:
            raise OversizedError(f"at most {limits.RUNS_TOLD} runs of a service are told")

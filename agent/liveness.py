"""Decides when a service that should be running is no longer well: never ready, or failing again and again. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from federation.service import Health

FAILURES: Final = 3
"""As many checks in a row have to fail: one slow answer is no reason to stop what people work with."""

FAILING_SECONDS: Final = 2.0
"""For as long, too: where checks follow each other fast, three of them are one short stall."""

_LEAST_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Liveness:
    """What the checks of one run said since it is watched. Times are seconds of one monotonic clock."""

    health: Health
    begun: float
    is_ready: bool = False
    failures: int = 0
    failing_since: float = 0.0
    problem: str = ""

    def seen(self, problem: str, now: float) -> "Liveness":
        """After a check that ended at ``now``; ``problem`` is empty when it passed."""
        if not problem:
            return replace(self, is_ready=True, failures=0, problem="")
        since = self.failing_since if self.failures else now
        return replace(self, failures=self.failures + 1, failing_since=since, problem=problem)

    def verdict(self, now: float) -> str:
        """Why it has to be stopped, in a sentence; empty: it may go on."""
        if self.is_ready:
            over = self.failures >= FAILURES and now - self.failing_since >= FAILING_SECONDS
            return f"{self.failures} checks in a row failed: {self.problem}" if over else ""
        waited = now - self.begun
        over = bool(self.problem) and waited >= self.health.deadline_seconds
        return f"not ready after {waited:.0f} s: {self.problem}" if over else ""

    @property
    def next_check_seconds(self) -> float:
        """How long until the next check: short until it is ready, so that it is soon seen."""
        interval = self.health.interval_seconds
        return interval if self.is_ready else min(interval, _LEAST_SECONDS)

"""Decides when a new version has proved itself: healthy for long enough without a break, before its deadline. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from federation.service import Health

_LEAST_WAIT_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Probation:
    """A probation under way. Times are seconds of one monotonic clock."""

    health: Health
    begun: float
    healthy_since: float | None = None
    problem: str = "no check has passed yet"

    def seen(self, now: float, problem: str) -> "Probation":
        """After a check at ``now``; ``problem`` is empty when it passed."""
        if problem:
            return replace(self, healthy_since=None, problem=problem)
        return replace(self, healthy_since=now if self.healthy_since is None else self.healthy_since, problem="")

    def has_passed(self, now: float) -> bool:
        """Whether it was healthy for long enough."""
        return self.healthy_since is not None and now - self.healthy_since >= self.health.healthy_for_seconds

    def is_over(self, now: float) -> bool:
        """Whether its time is up."""
        return now - self.begun >= self.health.deadline_seconds

    def next_check(self, now: float) -> float:
        """Seconds until the next check: at the interval, but no later than the moment that can decide."""
        ends = [self.health.interval_seconds, self.begun + self.health.deadline_seconds - now]
        if self.healthy_since is not None:
            ends.append(self.healthy_since + self.health.healthy_for_seconds - now)
        return max(_LEAST_WAIT_SECONDS, min(ends))

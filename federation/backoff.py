"""Decides how long to wait before trying again: exponential with full jitter, so that a crowd does not come at once.

Pure: the caller counts the attempts, sleeps, and says what a success is.
"""

import random
from dataclasses import dataclass

from federation.errors import InvalidValueError

_MOST_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of up to ``first`` seconds at first, doubling up to ``most`` seconds."""

    first: float
    most: float
    rng: random.Random

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.most:
            raise InvalidValueError("a back-off starts above zero and does not end below its start")

    def ceiling(self, attempt: int) -> float:
        """The longest wait after failure number ``attempt``, counted from 0."""
        return min(self.most, self.first * 2.0 ** min(max(attempt, 0), _MOST_DOUBLINGS))

    def delay(self, attempt: int) -> float:
        """Seconds to wait after failure number ``attempt``, counted from 0: even chances from 0 to the ceiling."""
        return self.rng.uniform(0.0, self.ceiling(attempt))

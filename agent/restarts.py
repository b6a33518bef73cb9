"""Decides what follows the unexpected end of a service: whether it is started again, and after how long. Pure."""

import random
from dataclasses import dataclass
from typing import Final

from federation.service import Restart

_MOST_DOUBLINGS: Final = 32
_LEAST_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``failures`` in a row so far, whether this end is one, and seconds to wait; ``None``: it stays stopped."""

    failures: int
    is_fault: bool
    delay_seconds: float | None


def delay(policy: Restart, failures: int, rng: random.Random) -> float:
    """Seconds to wait after the ``failures``-th end in a row: doubling up to the bound, half of it by chance.

    It is never zero and never without end: no spinning, no giving up.
    """
    ceiling = policy.backoff_min_seconds * 2.0 ** min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return min(ceiling, policy.backoff_max_seconds) * rng.uniform(_LEAST_SHARE, 1.0)


def after_end(policy: Restart, *, failures: int, uptime_seconds: float, clean: bool, rng: random.Random) -> Verdict:
    """What follows an end that nobody asked for. ``clean``: with exit status 0."""
    if clean and policy.policy != "always":
        return Verdict(failures=0, is_fault=False, delay_seconds=None)
    count = 1 if uptime_seconds >= policy.reset_after_seconds else failures + 1
    wait = None if policy.policy == "never" else delay(policy, count, rng)
    return Verdict(failures=count, is_fault=True, delay_seconds=wait)

"""What follows the unexpected end of a service."""

import random

from hypothesis import given
from hypothesis import strategies as st

from agent import restarts
from federation.service import Restart

ALWAYS = Restart(policy="always", backoff_min_seconds=1, backoff_max_seconds=60, reset_after_seconds=600)


def verdict(policy: Restart, failures: int = 0, uptime: float = 1.0, *, clean: bool = False) -> restarts.Verdict:
    return restarts.after_end(policy, failures=failures, uptime_seconds=uptime, clean=clean, rng=random.Random(1))


@given(failures=st.integers(0, 10_000), seed=st.integers())
def test_it_never_spins_and_never_gives_up(failures: int, seed: int) -> None:
    """However often a service ended, it is started again after a wait within the bounds."""
    wait = restarts.delay(ALWAYS, failures, random.Random(seed))
    assert 0.5 <= wait <= 60


def test_the_wait_grows() -> None:
    """Each end in a row about doubles the wait, up to the bound."""

    class Most(random.Random):
        def uniform(self, _a: float, b: float) -> float:
            return b

    waits = [restarts.delay(ALWAYS, failures, Most()) for failures in range(1, 9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_healthy_stretch_resets() -> None:
    """After a long run the next end counts as the first."""
    assert verdict(ALWAYS, failures=7, uptime=599).failures == 8
    assert verdict(ALWAYS, failures=7, uptime=600).failures == 1


def test_policies() -> None:
    """A service that may end stays ended; one that must not is started again; each failure is a fault."""
    on_failure, never = Restart(policy="on-failure"), Restart(policy="never")
    assert verdict(on_failure, clean=True) == restarts.Verdict(failures=0, is_fault=False, delay_seconds=None)
    assert verdict(never, clean=True).is_fault is False
    assert verdict(never).delay_seconds is None
    assert verdict(never).is_fault
    assert verdict(on_failure).delay_seconds is not None
    assert verdict(ALWAYS, clean=True).is_fault

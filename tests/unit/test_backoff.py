"""Waiting between attempts."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.backoff import Backoff
from federation.errors import InvalidValueError


@given(st.integers(-5, 10**9), st.integers(0, 2**32))
def test_a_delay_stays_between_zero_and_its_ceiling(attempt: int, seed: int) -> None:
    """However many attempts failed, the wait is bounded and no number overflows."""
    backoff = Backoff(0.2, 60.0, random.Random(seed))
    assert 0.0 <= backoff.delay(attempt) <= backoff.ceiling(attempt) <= 60.0


def test_the_ceiling_doubles_up_to_its_bound() -> None:
    """The longest wait doubles with each failure until it meets the bound."""
    backoff = Backoff(1.0, 10.0, random.Random(1))
    assert [backoff.ceiling(attempt) for attempt in range(6)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_the_jitter_is_full() -> None:
    """Waits after the same failure spread over the whole range, so that a crowd does not come back together."""
    backoff = Backoff(1.0, 8.0, random.Random(7))
    delays = [backoff.delay(3) for _ in range(400)]
    assert min(delays) < 0.8
    assert max(delays) > 7.2


@pytest.mark.parametrize(("first", "most"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0)])
def test_a_backoff_that_could_spin_is_refused(first: float, most: float) -> None:
    """A wait that starts at zero or shrinks can't be made."""
    with pytest.raises(InvalidValueError):
        Backoff(first, most, random.Random(1))

"""How often something may happen: a bucket of turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.allowance import Allowance
from federation.errors import InvalidValueError


def test_all_turns_may_be_used_at_once_and_come_back_evenly() -> None:
    """Ten at once, then one every two minutes."""
    allowance = Allowance(10, 1200.0)
    assert [allowance.take(5.0) for _ in range(11)] == [True] * 10 + [False]
    assert not allowance.take(124.0)
    assert allowance.take(125.5)
    assert not allowance.take(126.0)


@given(st.integers(1, 20), st.floats(1, 1000), st.lists(st.floats(0, 50), max_size=60))
def test_no_stretch_of_time_holds_more_than_its_turns(most: int, seconds: float, steps: list[float]) -> None:
    """At most the full bucket and what flowed into it meanwhile, however the requests come."""
    allowance, at, taken = Allowance(most, seconds), 1000.0, 0
    for step in steps:
        at += step
        taken += allowance.take(at)
    assert taken <= most + (at - 1000.0) * most / seconds + 1e-6


def test_time_that_seems_to_go_back_gives_nothing() -> None:
    """Then nothing flows in, and nothing is lost either."""
    allowance = Allowance(1, 10.0)
    assert allowance.take(100.0)
    assert not allowance.take(50.0)
    assert not allowance.take(101.0)
    assert allowance.take(110.1)


@pytest.mark.parametrize(("most", "seconds"), [(0, 1.0), (1, 0.0), (1, -1.0)])
def test_an_allowance_that_can_never_be_used_is_refused(most: int, seconds: float) -> None:
    """It would be a mistake of ours."""
    with pytest.raises(InvalidValueError):
        Allowance(most, seconds)

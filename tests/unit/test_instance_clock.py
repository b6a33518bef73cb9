"""What a node makes of the time that a host tells."""

from dataclasses import replace
from datetime import timedelta

import pytest

from federation.state import InstanceState
from tests.support.clock import FIXED_START
from tests.support.graphql_answer_values import HOST


@pytest.mark.parametrize(("ahead", "told"), [(0, 0), (20, 0), (-20, 0), (90, 90), (-4000, -4000)])
def test_a_wrong_clock_is_told_and_a_delay_is_not(ahead: int, told: float) -> None:
    """A word is some time on its way; half a minute and more is a clock that is wrong."""
    state = InstanceState(at=FIXED_START + timedelta(seconds=ahead), revision=1, services=())
    assert replace(HOST, seen=FIXED_START, state=state).clock_ahead_seconds == told


def test_who_said_nothing_has_no_clock() -> None:
    """An agent that was enrolled and never spoke is not behind."""
    assert replace(HOST, seen=None, state=None).clock_ahead_seconds == 0

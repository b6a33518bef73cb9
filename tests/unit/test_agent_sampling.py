"""Which of many crashes are reported in full."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.sampling import Burst
from tests.support.clock import FIXED_START


@given(st.lists(st.integers(0, 200), max_size=200))
def test_every_crash_is_told_of_once(gaps: list[int]) -> None:
    """Whatever the times between them, the reports' numbers and what is still untold are all crashes together."""
    burst, at, told = Burst(), FIXED_START, 0
    for number, gap in enumerate(gaps):
        at += timedelta(seconds=gap / 10)
        burst = burst.after(str(number), "acme-1.0.0", at)
        if burst.is_full:
            told += burst.untold
            burst = burst.told
    assert told + burst.untold == len(gaps)


@given(st.integers(60, 10_000), st.integers(1, 50))
def test_crashes_that_come_slowly_are_each_reported(gap_seconds: int, count: int) -> None:
    """With a minute and more between them none is only counted."""
    burst = Burst()
    for number in range(count):
        burst = burst.after(str(number), "acme-1.0.0", FIXED_START + timedelta(seconds=number * gap_seconds))
        assert burst.is_full


def test_what_is_news_is_reported_in_full() -> None:
    """The first crash of another version, and one that seems to come before the last: the clock was set."""
    burst = Burst()
    for number in range(7):
        burst = burst.after(str(number), "acme-1.0.0", FIXED_START)
    assert not burst.is_full
    assert burst.after("7", "acme-1.0.1", FIXED_START).is_full, "another version's crash is news"
    assert burst.after("7", "acme-1.0.0", FIXED_START - timedelta(hours=1)).is_full

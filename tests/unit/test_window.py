"""Time windows of a link: what they spell, when they are open, and when the next one opens."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import InvalidValueError
from node.model.window import Window, Windows


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_window_that_crosses_midnight_belongs_to_the_day_it_opens_on() -> None:
    """Friday's window is open on Saturday morning; Saturday's evening is closed."""
    windows = Windows.parse("Mon-Fri 22:00-05:00 Europe/Berlin")
    assert windows.opens(utc("2026-03-06T21:00")) is None  # Friday 22:00 in Berlin
    assert windows.opens(utc("2026-03-07T03:59")) is None  # Saturday 04:59
    assert windows.opens(utc("2026-03-07T04:00")) == utc("2026-03-09T21:00")  # Saturday 05:00 → Monday 22:00
    assert windows.opens(utc("2026-03-07T22:00")) == utc("2026-03-09T21:00")


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-03-28T12:00", "2026-03-29T01:30"),  # 02:30 is skipped that Sunday: the clocks show 03:30
        ("2026-03-29T12:00", "2026-03-30T00:30"),
        ("2026-10-24T12:00", "2026-10-25T00:30"),  # 02:30 comes twice: the first one counts
        ("2026-10-25T12:00", "2026-10-26T01:30"),
    ],
)
def test_a_window_moves_with_daylight_saving(now: str, opens: str) -> None:
    """It opens at the same time by the clock on the wall."""
    assert Windows.parse("daily 02:30-04:30 Europe/Berlin").opens(utc(now)) == utc(opens)


def test_a_window_inside_the_skipped_hour_does_not_open_that_day() -> None:
    """Sundays from 02:00 to 03:00: on the day of the change the next one is a week later."""
    windows = Windows.parse("Sun 02:00-03:00 Europe/Berlin")
    assert windows.opens(utc("2026-03-28T12:00")) == utc("2026-04-05T00:00")


def test_several_windows_are_open_when_one_is() -> None:
    """The next opening is the first of all."""
    windows = Windows.parse(" Mon-Fri  22:00-05:00 ;Sat,Sun 00:00-24:00; Wed 12:00-13:00 Asia/Tokyo;")
    assert windows.text == "Mon-Fri 22:00-05:00; Sat,Sun 00:00-24:00; Wed 12:00-13:00 Asia/Tokyo"
    assert windows.opens(utc("2026-03-08T23:59")) is None
    assert windows.opens(utc("2026-03-04T03:30")) is None  # Wednesday 12:30 in Tokyo, and Tuesday's night in UTC
    assert windows.opens(utc("2026-03-09T00:00")) == utc("2026-03-09T22:00")


def test_no_window_is_always_open() -> None:
    """Nothing given, nothing held."""
    assert Windows.parse("  ").opens(utc("2026-03-09T00:00")) is None
    assert Windows.parse("").text == ""


@pytest.mark.parametrize(
    "text",
    [
        "Mon",
        "Mon 22:00",
        "Mon 25:00-26:00",
        "Mon 22:60-23:00",
        "Mon 24:00-05:00",
        "Mon 10:00-10:00",
        "Mon 10:00-24:01",
        "Someday 10:00-12:00",
        "Mon-Tue-Wed 10:00-12:00",
        "Mon, 10:00-12:00",
        "Mon 10:00-12:00 Nowhere/Atall",
        "Mon 10:00-12:00 ../../etc/passwd",
        "Mon 10:00-12:00 /etc/localtime",
        ";",
        "; ".join(["Mon 10:00-12:00"] * 17),
        "Mon 10:00-12:00 " + "A" * 400,
        "Mon 1०:00-12:00",
    ],
)
def test_what_is_no_window_is_refused_with_an_example(text: str) -> None:
    """A mistake is told when it is made, and not found out when nothing updates."""
    with pytest.raises(InvalidValueError):
        Windows.parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_window_or_refused(text: str) -> None:
    """And what was read is read again as the same."""
    try:
        windows = Windows.parse(text)
    except InvalidValueError:
        return
    assert Windows.parse(windows.text) == windows


WINDOWS = st.lists(
    st.builds(
        Window,
        days=st.frozensets(st.integers(0, 6), min_size=1),
        opens_minute=st.integers(0, 719).map(lambda half: half * 2),
        closes_minute=st.integers(0, 719).map(lambda half: half * 2 + 1),
        zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    ),
    min_size=1,
    max_size=3,
).map(lambda found: Windows(text="given", windows=tuple(found)))


@given(WINDOWS, st.integers(0, 366 * 24 * 3600).map(lambda seconds: utc("2026-01-01") + timedelta(seconds=seconds)))
def test_the_next_opening_is_open_and_nothing_before_it_is(windows: Windows, now: datetime) -> None:
    """Whatever the zone and the season."""
    opens = windows.opens(now)
    if opens is None:
        return
    assert opens > now
    assert windows.opens(opens) is None
    step = (opens - now) / 50
    assert all(windows.opens(now + step * number) == opens for number in range(50))
    assert windows.opens(opens - timedelta(seconds=1)) == opens or opens - timedelta(seconds=1) < now

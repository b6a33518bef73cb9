"""Times and sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import InvalidValueError
from federation.units import read_bytes, read_seconds, read_span, write_bytes, write_seconds, write_span


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10m", 600), ("0.3s", 0.3), ("300ms", 0.3), ("1h30m", 5400), ("2d", 172800), ("0s", 0), ("1.5h", 5400)],
)
def test_times_are_read(text: str, seconds: float) -> None:
    """A number with a unit is a time, and several of them add up."""
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "10 m", "m", "-1s", "1e3s", "10x", "10mm ", "1..2s", "١s", "9" * 20 + "s"])
def test_other_times_are_refused(text: str) -> None:
    """What is no time is refused with an example of one."""
    with pytest.raises(InvalidValueError, match="such as"):
        read_seconds(text)


@given(st.integers(0, 10**12).map(lambda micro: micro / 1_000_000))
def test_times_come_back(seconds: float) -> None:
    """Each time is read back as it was written."""
    assert read_seconds(write_seconds(seconds)) == pytest.approx(seconds, abs=1e-6)


@given(st.integers(1, 10**9))
def test_whole_seconds_come_back_exactly(seconds: int) -> None:
    """Whole seconds lose nothing."""
    assert read_seconds(write_seconds(float(seconds))) == seconds


def test_times_are_written_short() -> None:
    """The largest fitting unit is used."""
    assert [write_seconds(value) for value in (600.0, 1.5, 0.3, 0.0, 86400.0)] == ["10m", "1500ms", "300ms", "0s", "1d"]


def test_spans() -> None:
    """A span has two times, or one that stands for both; not a longer one first."""
    assert read_span("1s..5m") == (1, 300)
    assert read_span("5s") == (5, 5)
    assert read_span(write_span(1.0, 300.0)) == (1, 300)
    with pytest.raises(InvalidValueError, match="ends before it begins"):
        read_span("5m..1s")


@pytest.mark.parametrize(
    ("text", "size"), [("512MB", 512_000_000), ("1.5GiB", 1_610_612_736), ("10 KB", 10_000), ("7B", 7), ("1kB", 1000)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    """MB counts in thousands, MiB in 1024s."""
    assert read_bytes(text) == size


@pytest.mark.parametrize("text", ["", "512", "512mb", "-1MB", "MB", "1.5B", "1,5MB", "1 000MB"])
def test_other_sizes_are_refused(text: str) -> None:
    """What is no size is refused."""
    with pytest.raises(InvalidValueError, match=r"such as|whole number"):
        read_bytes(text)


@given(st.integers(0, 2**50))
def test_sizes_come_back(size: int) -> None:
    """Each size is read back as it was written."""
    assert read_bytes(write_bytes(size)) == size

"""Whether a run keeps within the limits of its recipe."""

from hypothesis import given
from hypothesis import strategies as st

from agent.bounds import Bounds, Sample
from federation.service import RunLimits

MIB = 1024 * 1024


def seen(bounds: Bounds, *samples: tuple[float, int, float]) -> Bounds:
    for at, memory, cpu in samples:
        bounds = bounds.seen(Sample(at=at, memory_bytes=memory, cpu_seconds=cpu))
    return bounds


def test_memory_counts_at_once() -> None:
    """One measurement over the memory bound is enough, and the sentence names both numbers."""
    bounds = seen(Bounds(limits=RunLimits(memory_bytes=100 * MIB)), (0.0, 101 * MIB, 0.0))
    assert bounds.problem == "used 101.0 MiB of memory, allowed are 100.0 MiB"


def test_memory_at_the_bound_is_allowed() -> None:
    """The bound itself may be used."""
    assert not seen(Bounds(limits=RunLimits(memory_bytes=100 * MIB)), (0.0, 100 * MIB, 0.0)).problem


def test_a_burst_within_the_window_is_allowed() -> None:
    """Processor time counts as a mean over the whole window, so a short burst is no fault."""
    bounds = Bounds(limits=RunLimits(cpu_percent=50, cpu_window_seconds=30))
    assert not seen(bounds, (0.0, 0, 0.0), (5.0, 0, 5.0), (29.0, 0, 5.0), (31.0, 0, 5.1)).problem


def test_a_full_window_over_the_bound_is_told() -> None:
    """A mean over the bound for a whole window is told with both numbers."""
    bounds = Bounds(limits=RunLimits(cpu_percent=50, cpu_window_seconds=30))
    bounds = seen(bounds, *((float(at), 0, at * 0.9) for at in range(0, 31, 5)))
    assert bounds.problem == "used 90 % of a core over 30 s, allowed are 50 %"


def test_an_old_burst_is_forgotten() -> None:
    """What was used before the window does not count."""
    bounds = Bounds(limits=RunLimits(cpu_percent=50, cpu_window_seconds=30))
    bounds = seen(bounds, (0.0, 0, 0.0), (10.0, 0, 10.0), *((10.0 + at, 0, 10.0) for at in range(5, 65, 5)))
    assert not bounds.problem


def test_without_limits_there_is_nothing_to_measure() -> None:
    """A recipe without limits costs no measurements."""
    assert Bounds(limits=RunLimits()).is_empty
    assert not Bounds(limits=RunLimits(cpu_percent=10)).is_empty


@given(
    steps=st.lists(st.tuples(st.floats(0.1, 10), st.floats(0, 1)), min_size=1, max_size=60),
    percent=st.floats(1, 100),
)
def test_within_the_share_at_each_step_is_never_a_fault(steps: list[tuple[float, float]], percent: float) -> None:
    """A service that keeps to its share between any two measurements is never stopped, and few samples are kept."""
    bounds = Bounds(limits=RunLimits(cpu_percent=percent, cpu_window_seconds=20))
    at, cpu = 0.0, 0.0
    for seconds, share in steps:
        at, cpu = at + seconds, cpu + seconds * share * percent / 100 * 0.999
        bounds = bounds.seen(Sample(at=at, memory_bytes=0, cpu_seconds=cpu))
        assert not bounds.problem
        assert all(one.at > at - 20 for one in bounds.samples[1:])

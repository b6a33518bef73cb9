"""When a new version has proved itself."""

from hypothesis import given
from hypothesis import strategies as st

from agent.probation import Probation
from federation.service import Health

HEALTH = Health(interval_seconds=5, healthy_for_seconds=20, deadline_seconds=120)


def begun() -> Probation:
    return Probation(health=HEALTH, begun=0.0)


def test_it_passes_after_a_stretch_without_a_break() -> None:
    """Health that lasts passes; a break begins the stretch anew."""
    probation = begun().seen(1, "refused").seen(2, "").seen(10, "")
    assert not probation.has_passed(21)
    assert probation.has_passed(22)
    broken = probation.seen(21, "timed out").seen(25, "")
    assert not broken.has_passed(44)
    assert broken.has_passed(45)


def test_the_deadline_ends_it() -> None:
    """Past the deadline it is over, and the last problem is told."""
    probation = begun().seen(100, "answered 500")
    assert not probation.is_over(119)
    assert probation.is_over(120)
    assert probation.problem == "answered 500"


@given(steps=st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=60))
def test_the_next_check_is_at_the_deciding_moment(steps: list[tuple[float, bool]]) -> None:
    """It never waits past the moment that passes it or the deadline, nor longer than the interval, nor not at all."""
    now, probation = 0.0, begun()
    for late, well in steps:
        probation = probation.seen(now, "" if well else "bad")
        wait = probation.next_check(now)
        assert 0 < wait <= 5
        if probation.healthy_since is not None and not probation.has_passed(now):
            assert now + wait <= probation.healthy_since + 20 + 0.02
        now += wait + late

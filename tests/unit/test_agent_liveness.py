"""When a service that runs counts as no longer well."""

from agent.liveness import FAILURES, Liveness
from federation.service import Health

HEALTH = Health(http="http://127.0.0.1:1/", interval_seconds=5, healthy_for_seconds=1, deadline_seconds=60)


def seen(*problems: str) -> Liveness:
    state = Liveness(health=HEALTH, begun=100.0)
    for number, problem in enumerate(problems):
        state = state.seen(problem, 100.0 + number)
    return state


def test_a_service_that_was_ready_falls_by_checks_in_a_row() -> None:
    """One failed check is borne, as many as the bound in a row are not, and the last reason is told."""
    assert not seen("", *["slow"] * (FAILURES - 1)).verdict(101.0)
    assert seen("", *["slow"] * FAILURES).verdict(103.0) == f"{FAILURES} checks in a row failed: slow"


def test_checks_that_follow_each_other_fast_are_one_stall() -> None:
    """Where a recipe asks for a check every tenth of a second, three of them are no reason yet."""
    state = Liveness(health=HEALTH, begun=100.0).seen("", 100.0)
    for now in (100.1, 100.2, 100.3, 100.4):
        state = state.seen("slow", now)
        assert not state.verdict(now)
    assert state.seen("slow", 102.1).verdict(102.1)


def test_a_good_check_forgets_the_failed_ones() -> None:
    """Failures count in a row only."""
    assert not seen("", "slow", "slow", "", "slow", "slow").verdict(1e9)


def test_before_it_is_ready_it_has_until_its_deadline() -> None:
    """A slow start is no fault before the deadline of the recipe; after it, it is."""
    starting = seen(*["refused"] * 50)
    assert not starting.verdict(159.0)
    assert starting.verdict(160.0) == "not ready after 60 s: refused"


def test_before_it_is_ready_it_is_looked_at_more_often() -> None:
    """That a service is ready is seen within a second, whatever its interval."""
    assert seen("refused").next_check_seconds == 1.0
    assert seen("").next_check_seconds == HEALTH.interval_seconds

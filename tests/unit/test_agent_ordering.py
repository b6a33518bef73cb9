"""Which services wait for which others."""

from datetime import UTC, datetime

import pytest

from agent.ordering import waits_for
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from federation.versions import ClientVersion

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WEB, DB, CACHE = ServiceKey("web"), ServiceKey("db"), ServiceKey("cache:blue")
NEW, OLD = ClientVersion("acme-1.0.1"), ClientVersion("acme-1.0.0")


def state(phase: Phase, **changes: object) -> ServiceState:
    fields: dict[str, object] = {"key": DB, "phase": phase, "since": NOW, "desired": NEW}
    return ServiceState(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        state(Phase.STOPPED),
        state(Phase.DOWNLOADING),
        state(Phase.STARTING),
        state(Phase.PROBATION, running=NEW),
        state(Phase.RUNNING, running=OLD),
    ],
)
def test_what_is_on_its_way_is_waited_for(other: ServiceState) -> None:
    """A service that is being installed, started, proved, or about to be updated comes first."""
    assert waits_for(WEB, [DB], {DB: other}, {}) == (DB,)


@pytest.mark.parametrize(
    "other",
    [
        state(Phase.RUNNING, running=NEW),
        state(Phase.RUNNING, running=OLD, failed=NEW),
        state(Phase.RUNNING, running=OLD, held=True),
        state(Phase.STOPPED, halted=True),
        state(Phase.FAILED, failures=3),
        state(Phase.RUNNING, running=OLD, desired=None),
    ],
)
def test_what_has_come_to_its_end_holds_nobody(other: ServiceState) -> None:
    """What runs, was given up, stopped or held by an operator, or loops in crashes, is not waited for."""
    assert waits_for(WEB, [DB], {DB: other}, {}) == ()


def test_what_is_not_here_holds_nobody() -> None:
    """A service that does not run on this instance is not waited for."""
    assert waits_for(WEB, [DB, CACHE], {CACHE: state(Phase.STARTING)}, {}) == (CACHE,)


def test_circles_do_not_wait() -> None:
    """Of services that wait for each other, directly or by others, one goes on."""
    states = {DB: state(Phase.STARTING), CACHE: state(Phase.STARTING)}
    assert waits_for(WEB, [DB], states, {DB: (CACHE,), CACHE: (WEB,)}) == ()
    assert waits_for(WEB, [DB], states, {DB: (CACHE,)}) == (DB,)

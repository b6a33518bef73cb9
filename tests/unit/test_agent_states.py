"""The state that is told is the true one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.plan import Record, Slot, Step
from agent.states import CLEAN_EXIT, describe
from federation.digest import Digest
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from federation.versions import ClientVersion
from tests.support.clock import FIXED_START

OLD, NEW = ClientVersion("acme-1.0.0"), ClientVersion("acme-1.0.1")


def slot(version: ClientVersion) -> Slot:
    return Slot(version=version, image=Digest.of(b"i"), manifest=Digest.of(b"m"))


def told(record: Record, running: ClientVersion | None = None) -> ServiceState:
    since = None if running is None else FIXED_START + timedelta(seconds=9)
    return describe(ServiceKey("web"), record, ordered=slot(NEW), running=running, run_since=since)


RECORD = Record(committed=slot(OLD), target=slot(NEW), since=FIXED_START)


@pytest.mark.parametrize(
    ("step", "phase"),
    [
        (Step.DOWNLOAD, Phase.DOWNLOADING),
        (Step.STAGE, Phase.INSTALLING),
        (Step.STOP, Phase.INSTALLING),
        (Step.START, Phase.STARTING),
        (Step.PROBATION, Phase.PROBATION),
        (Step.BACK_STOP, Phase.PUTTING_BACK),
        (Step.BACK_CLEAN, Phase.PUTTING_BACK),
        (Step.LEAVE_STOP, Phase.STOPPED),
    ],
)
def test_phases_of_an_update(step: Step, phase: Phase) -> None:
    """Each step has its phase, and only the commit changes what is committed."""
    state = told(replace(RECORD, step=step))
    assert (state.phase, state.committed, state.desired, state.running) == (phase, OLD, NEW, None)


def test_a_failed_update_shows_the_old_version_running() -> None:
    """After a way back the old version runs, and the state says which one failed and why."""
    state = told(replace(RECORD, step=Step.REST, failed=NEW, error="exit status 3"), OLD)
    assert (state.phase, state.running, state.failed, state.error) == (Phase.RUNNING, OLD, NEW, "exit status 3")
    assert state.since == FIXED_START + timedelta(seconds=9)


def test_a_service_is_running_once_it_is_ready() -> None:
    """A committed version that was started again counts as starting until it answers its check."""
    record = replace(RECORD, step=Step.REST)
    state = describe(ServiceKey("web"), record, ordered=None, running=OLD, run_since=FIXED_START, ready=False)
    assert (state.phase, state.running, state.desired) == (Phase.STARTING, OLD, None)


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"committed": None, "failed": NEW}, Phase.FAILED),
        ({"committed": None}, Phase.STOPPED),
        ({"failures": 2}, Phase.FAILED),
        ({"last_exit": CLEAN_EXIT}, Phase.STOPPED),
        ({}, Phase.STARTING),
    ],
)
def test_nothing_is_said_to_run_that_does_not(changes: dict[str, object], phase: Phase) -> None:
    """Without a process the phase is never running."""
    assert told(replace(RECORD, step=Step.REST, **changes)).phase is phase  # type: ignore[arg-type]

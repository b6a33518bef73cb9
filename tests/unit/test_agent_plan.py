"""The transition table of an update."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import plan
from agent.errors import CommandFailedError, RestartedError
from agent.plan import OLD_RUNS, Outcome, Record, Slot, Step
from federation import codec
from federation.digest import Digest
from federation.errors import DiskFullError, InvalidValueError, TamperedError, UnreachableError
from federation.state import Moved
from federation.versions import ClientVersion

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def slot(build: int) -> Slot:
    digest = Digest.of(str(build).encode())
    return Slot(version=ClientVersion(f"acme-1.0.{build}"), image=digest, manifest=digest)


ONE = slot(1)


def begun(committed: Slot | None = None) -> Record:
    found = plan.begin(Record(committed=committed), slot(2), NOW)
    assert found is not None
    return found


def at(step: Step, committed: Slot | None = ONE) -> Record:
    return replace(begun(committed), step=step)


def test_the_way_of_a_good_version() -> None:
    """A version whose every step is done passes each of them in order and is committed."""
    record, passed = begun(slot(1)), []
    while record.step is not Step.REST:
        passed.append(record.step.value)
        record = plan.after(record, Outcome.DONE, "", NOW)
    assert passed == [
        "download", "stage", "before-stop", "stop", "switch", "after-switch", "start", "probation", "commit",
    ]  # fmt: skip
    assert (record.committed, record.previous, record.target) == (slot(2), slot(1), None)
    assert record.failed is None


def test_the_commit_is_one_record() -> None:
    """The new version is the committed one from the record that ends its probation, not before."""
    before = at(Step.PROBATION)
    after = plan.after(before, Outcome.DONE, "", NOW)
    assert (before.committed, after.committed, after.step) == (slot(1), slot(2), Step.COMMIT)


@pytest.mark.parametrize("step", [Step.STOP, Step.SWITCH, Step.AFTER_SWITCH, Step.START, Step.PROBATION])
@pytest.mark.parametrize("outcome", [Outcome.UNFIT, Outcome.TROUBLE])
def test_a_failure_after_the_stop_puts_the_old_version_back(step: Step, outcome: Outcome) -> None:
    """From the stop on, any failure leads by stop and switch back to the old version, and says why."""
    record = plan.after(at(step), outcome, "why", NOW)
    passed = [record.step]
    while record.step is not Step.REST:
        record = plan.after(record, Outcome.DONE, "", NOW)
        passed.append(record.step)
    assert passed == [Step.BACK_STOP, Step.BACK_SWITCH, Step.BACK_CLEAN, Step.REST]
    assert (record.committed, record.target, record.error) == (slot(1), None, "why")
    assert record.failed == (slot(2).version if outcome is Outcome.UNFIT else None)


@pytest.mark.parametrize("step", [Step.DOWNLOAD, Step.STAGE, Step.BEFORE_STOP])
def test_trouble_before_any_change_is_tried_again(step: Step) -> None:
    """A full disk or an absent node costs nothing: the same step waits, and the version has not failed."""
    record = plan.after(at(step), Outcome.TROUBLE, "the disk is full", NOW)
    assert (record.step, record.failed, record.error) == (step, None, "the disk is full")
    assert plan.after(record, Outcome.DONE, "", NOW).error == ""


@pytest.mark.parametrize("step", [Step.DOWNLOAD, Step.STAGE, Step.BEFORE_STOP])
def test_an_unfit_version_is_dropped_without_a_stop(step: Step) -> None:
    """A version that can't be installed goes away while the old one runs on."""
    record = plan.after(at(step), Outcome.UNFIT, "no service file", NOW)
    assert (record.step, record.failed) == (Step.BACK_CLEAN, slot(2).version)
    assert record.step in OLD_RUNS


@pytest.mark.parametrize("step", [Step.BACK_STOP, Step.BACK_SWITCH, Step.BACK_CLEAN, Step.LEAVE_STOP, Step.COMMIT])
@pytest.mark.parametrize("outcome", [Outcome.UNFIT, Outcome.TROUBLE, Outcome.RESTARTED])
def test_the_way_back_is_never_given_up(step: Step, outcome: Outcome) -> None:
    """Putting back, leaving and cleaning are tried until they are done."""
    assert plan.after(at(step), outcome, "x", NOW).step is step


def test_a_restarted_machine_starts_the_new_version_again() -> None:
    """A probation cut off by the machine's own restart begins anew: it is nobody's failure."""
    record = plan.after(at(Step.PROBATION), Outcome.RESTARTED, "restarted", NOW)
    assert (record.step, record.failed) == (Step.START, None)


def test_a_failed_version_is_not_tried_again() -> None:
    """Only after another version was ordered is a failed one begun again."""
    failed = Record(committed=slot(1), failed=slot(2).version)
    assert plan.begin(failed, slot(2), NOW) is None
    other = plan.begin(failed, slot(3), NOW)
    assert other is not None
    assert other.failed is None
    back = plan.begin(failed, slot(1), NOW)
    assert back is not None
    assert (back.step, back.failed) == (Step.REST, None)
    assert plan.begin(back, slot(2), NOW) is not None


def test_nothing_is_begun_when_all_is_as_ordered() -> None:
    """The committed version is left alone."""
    assert plan.begin(Record(committed=slot(1)), slot(1), NOW) is None


def test_a_service_that_is_no_longer_ordered_leaves() -> None:
    """Without an order the service is stopped and its versions go."""
    record = plan.begin(Record(committed=slot(1), previous=slot(2)), None, NOW)
    assert record is not None
    record = plan.after(record, Outcome.DONE, "", NOW)
    assert (record.step, record.committed, record.previous) == (Step.LEAVE_CLEAN, None, None)


@pytest.mark.parametrize("step", list(Step))
def test_only_an_update_that_changed_nothing_is_obsolete(step: Step) -> None:
    """A newer order ends an update that has not stopped anything; a later one is carried through."""
    early = step in (Step.DOWNLOAD, Step.STAGE, Step.BEFORE_STOP)
    assert plan.is_obsolete(at(step), slot(3)) is early
    assert plan.is_obsolete(at(step), None) is early
    assert not plan.is_obsolete(at(step), slot(2))


def test_whose_fault_it_is() -> None:
    """What the version does wrong marks it; what happens around it does not."""
    assert plan.outcome_of(CommandFailedError("x")) is Outcome.UNFIT
    assert plan.outcome_of(InvalidValueError("x")) is Outcome.UNFIT
    for error in (DiskFullError("x"), UnreachableError("x"), TamperedError("x")):
        assert plan.outcome_of(error) is Outcome.TROUBLE
    assert plan.outcome_of(RestartedError("x")) is Outcome.RESTARTED


def test_the_cost_of_an_update_is_its_whole_time() -> None:
    """The seconds of an update run from its begin to its commit."""
    moved = Moved(version=slot(2).version, base=None, moved_bytes=1, full_bytes=2, seconds=0.1)
    record = plan.with_moved(at(Step.PROBATION), moved)
    after = plan.after(record, Outcome.DONE, "", NOW + timedelta(seconds=5))
    assert after.moved is not None
    assert after.moved.seconds == 5.0


_FAILING = st.lists(st.sampled_from(list(Outcome)), max_size=40)


@given(outcomes=_FAILING, first=st.booleans())
def test_every_way_ends_with_one_version(outcomes: list[Outcome], first: bool) -> None:
    """Whatever happens, once effects succeed again, the service rests with the old or the new version committed."""
    old = None if first else slot(1)
    record = begun(old)
    for outcome in outcomes:
        record = plan.after(record, outcome, "x", NOW)
        if record.step is Step.REST:
            break
        assert codec.decode(codec.encode(record), Record) == record
    for _ in range(len(Step)):
        if record.step is Step.REST:
            break
        record = plan.after(record, Outcome.DONE, "", NOW)
    assert record.step is Step.REST
    assert record.target is None
    assert record.committed in (old, slot(2))
    assert not (record.failed and record.committed == slot(2))


def later(record: Record, seconds: float = 0.0) -> Record:
    return plan.after(record, Outcome.LATER, "`./ready` asks", NOW + timedelta(seconds=seconds))


def test_retry_later_keeps_the_old_version_running() -> None:
    """A command before the stop that asks for time is run again in the same step, and the reason is shown."""
    record = later(at(Step.BEFORE_STOP))
    assert (record.step, record.failed, record.deferrals) == (Step.BEFORE_STOP, None, 1)
    assert record.step in OLD_RUNS
    assert record.error == "retry later: `./ready` asks"
    assert plan.after(record, Outcome.DONE, "", NOW).deferrals == 0


def test_retry_later_has_an_end() -> None:
    """After a day, or very many attempts, the version counts as failed; the error says how often it was tried."""
    record = at(Step.BEFORE_STOP)
    assert later(record, 86_401).step is Step.BACK_CLEAN
    tries = 0
    while record.step is Step.BEFORE_STOP:
        record, tries = later(record), tries + 1
    assert (record.step, record.failed, tries) == (Step.BACK_CLEAN, slot(2).version, 301)
    assert record.error.startswith("given up after 300 retries: ")


def test_retry_later_is_short_while_the_service_is_down() -> None:
    """After the stop a few attempts are borne, then the old version comes back."""
    record = at(Step.AFTER_SWITCH)
    for _ in range(3):
        record = later(record)
        assert record.step is Step.AFTER_SWITCH
    assert later(record).step is Step.BACK_STOP


def test_a_rollback_tells_what_touched_the_data() -> None:
    """What was begun after the switch is named where the version is put back, and forgotten with the next update."""
    record = plan.with_hook(plan.with_hook(at(Step.AFTER_SWITCH), "./migrate --all"), "./migrate --all")
    assert record.hooks == ("./migrate --all",)
    back = plan.after(replace(record, step=Step.PROBATION), Outcome.UNFIT, "it ended", NOW)
    assert back.error == "it ended; begun on its data before that, and not undone: ./migrate --all"
    while back.step is not Step.REST:
        back = plan.after(back, Outcome.DONE, "", NOW)
    assert "./migrate" in back.error
    begun_again = plan.begin(plan.forgiven(back), slot(3), NOW)
    assert begun_again is not None
    assert begun_again.hooks == ()
    assert plan.after(replace(record, step=Step.PROBATION), Outcome.DONE, "", NOW).hooks == ()

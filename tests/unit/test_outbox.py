"""What goes next to whom."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec, outbox
from federation.errors import InvalidValueError
from federation.link.refusals import DENIED_CODES
from federation.names import NodeName
from federation.outbox import Budget, Checkpoint, Entry, Load, Standing
from tests.support.clock import FIXED_START

ACME = NodeName("acme")
GLOBEX = NodeName("globex")
LATER = FIXED_START + timedelta(minutes=10)


def entry(sequence: int, receiver: NodeName = ACME, size: int = 10) -> Entry:
    return outbox.queued(
        receiver=receiver, sequence=sequence, kind="fault", subject=f"f{sequence}", now=FIXED_START, size_bytes=size
    )


def failed(one: Entry, code: str = "internal", *, seed: int = 1) -> Entry:
    return outbox.failed(one, code=code, message="it did not work", now=FIXED_START, rng=random.Random(seed))


def aside() -> Entry:
    one = entry(1)
    for _ in range(outbox.ATTEMPTS_IN_LINE):
        one = failed(one)
    return one


def test_nothing_overtakes_an_entry_that_waits_for_its_retry() -> None:
    """While the first in line waits, the ones behind it wait too, so that nothing arrives out of order."""
    waiting = failed(entry(1))
    assert outbox.next_entry(waiting, None, FIXED_START) is None
    assert outbox.next_entry(waiting, None, LATER) == waiting
    assert outbox.next_wake(waiting, None) == waiting.due


def test_an_entry_that_fails_again_and_again_stands_aside() -> None:
    """After five attempts the others pass; it is tried all the same, and before them when its time has come."""
    stuck = aside()
    assert (stuck.standing, stuck.attempts) == (Standing.ASIDE, 5)
    assert outbox.next_entry(entry(2), stuck, FIXED_START) == entry(2)
    assert outbox.next_entry(entry(2), stuck, LATER) == stuck
    assert failed(stuck).standing is Standing.ASIDE
    assert outbox.next_wake(None, stuck) == stuck.due


def test_nothing_waits_nothing_wakes() -> None:
    """An empty outbox needs no look."""
    assert outbox.next_entry(None, None, LATER) is None
    assert outbox.next_wake(None, None) is None


def test_a_delivered_entry_is_a_receipt() -> None:
    """What was acknowledged says when, and has no error any more."""
    receipt = outbox.delivered(failed(entry(1)), FIXED_START)
    assert (receipt.standing, receipt.settled, receipt.attempts) == (Standing.DELIVERED, FIXED_START, 2)
    assert (receipt.error, receipt.code) == ("", "")


def test_the_same_thing_for_the_same_receiver_has_one_id() -> None:
    """Queuing a thing again, even after its delivery, meets its own id in the store and so is not sent twice."""
    again = outbox.queued(receiver=ACME, sequence=77, kind="fault", subject="f1", now=FIXED_START)
    assert again.id == outbox.delivered(entry(1), FIXED_START).id
    assert again.id != entry(1, GLOBEX).id


@pytest.mark.parametrize("code", ["denied", "invalid-value", "too-large", "not-found", outbox.NO_RIGHT])
def test_a_final_refusal_is_set_aside_for_good(code: str) -> None:
    """What would be refused again is not sent again; it is kept with the reason."""
    refused = failed(entry(1), code)
    assert (refused.standing, refused.error, refused.code) == (Standing.REFUSED, "it did not work", code)


@pytest.mark.parametrize(
    "code", ["unreachable", "remote", "internal", "busy", "http-404", "", *sorted(DENIED_CODES - {"denied"})]
)
def test_what_may_pass_is_tried_again(code: str) -> None:
    """Absence, inner errors, wrong clocks and lost signatures of the way are no reason to give a report up."""
    assert failed(entry(1), code).standing is Standing.WAITING


def test_trouble_that_any_request_would_meet_is_the_receivers() -> None:
    """A wrong clock and an ended link are no entry's fault; a lack of rights is."""
    assert {"unknown-signer", "expired-signature", "busy"} <= outbox.RECEIVER_CODES
    assert not outbox.RECEIVER_CODES & outbox.FINAL_CODES


def test_a_checkpoint_waits_longer_after_each_failure_and_opens_with_an_answer() -> None:
    """The way to a receiver has its own back-off, whatever number of entries wait."""
    way, now, waits = Checkpoint(receiver=ACME), FIXED_START, []
    assert way.is_open(now)
    for _ in range(12):
        way = way.lost("away", now, random.Random(1))
        assert way.due is not None
        waits.append((way.due - now).total_seconds())
        assert not way.is_open(now)
        now = way.due
        assert way.is_open(now)
    assert waits == sorted(waits)
    assert way.passed(now) == Checkpoint(receiver=ACME, reached=now)


@pytest.mark.parametrize("standing", [Standing.REFUSED, Standing.WITHHELD])
def test_what_was_not_sent_can_be_given_another_chance(standing: Standing) -> None:
    """In its old place, with no attempt counted."""
    set_aside = outbox.settled(entry(1), standing, "no", FIXED_START)
    assert outbox.reopened(set_aside, LATER) == replace(entry(1), due=LATER)


def test_what_was_delivered_or_counted_has_no_other_chance() -> None:
    """A receipt is final; of what was counted nothing is left to send."""
    for one in (outbox.delivered(entry(1), LATER), outbox.settled(entry(1), Standing.COUNTED, "", LATER)):
        with pytest.raises(InvalidValueError):
            outbox.reopened(one, LATER)


def test_what_is_newer_takes_the_place_of_what_it_renews() -> None:
    """Whatever became of the older one, the newer one is due at once, at the end of the line."""
    again = outbox.renewed(outbox.delivered(entry(5), FIXED_START), 9, LATER)
    assert (again.id, again.sequence, again.standing, again.due) == (entry(5).id, 9, Standing.WAITING, LATER)
    assert again.newest_only
    with pytest.raises(InvalidValueError):
        outbox.renewed(entry(5), 5, LATER)


@given(st.integers(0, 10**6), st.integers(0, 2**32))
def test_retries_wait_between_a_second_and_ten_minutes(attempts: int, seed: int) -> None:
    """No number of failures gives a wait outside the bounds."""
    wait = (outbox.next_attempt(attempts, FIXED_START, random.Random(seed)) - FIXED_START).total_seconds()
    assert outbox.FIRST_RETRY_SECONDS <= wait <= outbox.MOST_RETRY_SECONDS


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(0, 20), st.integers(0, 500))
def test_what_is_dropped_is_the_oldest_and_just_enough(sizes: list[int], most: int, size_bytes: int) -> None:
    """The load is within the budget afterwards, and one less would not have done."""
    entries = [entry(number, size=size) for number, size in enumerate(sizes)]
    load = Load(entries=len(entries), size_bytes=sum(sizes))
    budget = Budget(entries=most, size_bytes=size_bytes)
    dropped = outbox.to_drop(entries, load, budget)
    assert dropped == tuple(entries[: len(dropped)])

    def after(count: int) -> Load:
        return Load(entries=len(entries) - count, size_bytes=sum(sizes[count:]))

    assert budget.holds(after(len(dropped)))
    assert not dropped or not budget.holds(after(len(dropped) - 1))


def test_the_newest_of_its_kind_is_never_dropped() -> None:
    """State reports and counts take no more room than one place each."""
    states = replace(entry(1), newest_only=True)
    assert outbox.to_drop([states, entry(2)], Load(entries=2), Budget(entries=0)) == (entry(2),)


@given(st.sampled_from(Standing), st.integers(0, 10**6), st.text(max_size=20))
def test_entries_are_stored_and_read_back_as_they_were(standing: Standing, attempts: int, subject: str) -> None:
    """The stored form keeps everything."""
    settled: datetime | None = None if standing in outbox.OPEN else FIXED_START
    one = replace(entry(1), standing=standing, attempts=attempts, subject=subject, settled=settled)
    assert codec.from_document(codec.to_document(one), Entry) == one


def test_an_entry_that_cannot_be_is_refused() -> None:
    """Settled without a time, open with one, or counted below zero: nothing stored can say so."""
    for wrong in ({"standing": Standing.DELIVERED}, {"settled": FIXED_START}, {"sequence": -1}, {"size_bytes": -1}):
        with pytest.raises(InvalidValueError):
            replace(entry(1), **wrong)

"""What goes next to whom."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec, outbox
from federation.errors import InvalidValueError
from federation.link.refusals import DENIED_CODES
from federation.names import NodeName
from federation.outbox import Entry, Standing
from tests.support.clock import FIXED_START

ACME = NodeName("acme")
GLOBEX = NodeName("globex")


def entry(sequence: int, receiver: NodeName = ACME) -> Entry:
    return outbox.queued(receiver=receiver, sequence=sequence, kind="fault", subject=f"f{sequence}", now=FIXED_START)


def failed(one: Entry, code: str = "unreachable", *, after: float = 0.0, seed: int = 1) -> Entry:
    now = FIXED_START + timedelta(seconds=after)
    return outbox.failed(one, code=code, message="it did not work", now=now, rng=random.Random(seed))


def test_entries_of_a_receiver_go_in_order() -> None:
    """Whatever order the store gives them in, the lowest sequence of each receiver goes first, one per receiver."""
    entries = [entry(3), entry(1), entry(9, GLOBEX), entry(2), entry(8, GLOBEX)]
    assert [(one.receiver, one.sequence) for one in outbox.due(entries, FIXED_START)] == [(ACME, 1), (GLOBEX, 8)]


def test_nothing_overtakes_an_entry_that_waits_for_its_retry() -> None:
    """While the first entry waits, the ones behind it wait too, so that nothing arrives out of order."""
    entries = [failed(entry(1)), entry(2)]
    assert outbox.due(entries, FIXED_START) == []
    assert [one.sequence for one in outbox.due(entries, FIXED_START + timedelta(minutes=10))] == [1]


def test_a_receiver_that_is_away_holds_up_no_other() -> None:
    """Each receiver has its own checkpoint."""
    assert [one.receiver for one in outbox.due([failed(entry(1)), entry(1, GLOBEX)], FIXED_START)] == [GLOBEX]


def test_a_busy_receiver_gets_nothing_more() -> None:
    """Exactly one entry per receiver is in flight."""
    entries = [entry(1), entry(2), entry(1, GLOBEX)]
    assert [one.receiver for one in outbox.due(entries, FIXED_START, busy={ACME})] == [GLOBEX]
    assert outbox.next_wake(entries, busy={ACME, GLOBEX}) is None


def test_a_delivered_entry_is_a_receipt_and_never_due() -> None:
    """What was acknowledged goes nowhere again, and the next one follows."""
    receipt = outbox.delivered(entry(1), FIXED_START)
    assert (receipt.standing, receipt.settled, receipt.attempts) == (Standing.DELIVERED, FIXED_START, 1)
    assert [one.sequence for one in outbox.due([receipt, entry(2)], FIXED_START)] == [2]


def test_the_same_thing_for_the_same_receiver_has_one_id() -> None:
    """Queuing a thing again, even after its delivery, meets its own id in the store and so is not sent twice."""
    again = outbox.queued(receiver=ACME, sequence=77, kind="fault", subject="f1", now=FIXED_START)
    assert again.id == outbox.delivered(entry(1), FIXED_START).id
    assert again.id != entry(1, GLOBEX).id


@pytest.mark.parametrize("code", ["denied", "invalid-value", "too-large", "not-found"])
def test_a_final_refusal_is_set_aside_and_holds_up_nothing(code: str) -> None:
    """What would be refused again is not sent again; it is kept with the reason, and the next one goes."""
    refused = failed(entry(1), code)
    assert (refused.standing, refused.error) == (Standing.REFUSED, "it did not work")
    assert [one.sequence for one in outbox.due([refused, entry(2)], FIXED_START + timedelta(days=7))] == [2]


@pytest.mark.parametrize(
    "code", ["unreachable", "remote", "internal", "busy", "http-404", "", *sorted(DENIED_CODES - {"denied"})]
)
def test_what_may_pass_is_tried_again(code: str) -> None:
    """Absence, inner errors, wrong clocks and lost signatures of the way are no reason to give a report up."""
    assert failed(entry(1), code).standing is Standing.WAITING


def test_a_receiver_away_for_a_week_loses_nothing() -> None:
    """After a week of failures every entry is still there, in order, and each is delivered once."""
    rng = random.Random(3)
    entries = [entry(number) for number in range(5)]
    now = FIXED_START
    while now < FIXED_START + timedelta(days=7):
        for one in outbox.due(entries, now):
            entries[one.sequence] = outbox.failed(one, code="unreachable", message="away", now=now, rng=rng)
        wake = outbox.next_wake(entries)
        assert wake is not None
        assert wake > now
        now = wake
    order = []
    while ready := outbox.due(entries, now + timedelta(minutes=10)):
        order += [one.sequence for one in ready]
        for one in ready:
            entries[one.sequence] = outbox.delivered(one, now)
    assert order == [0, 1, 2, 3, 4]


def test_a_refused_entry_can_be_given_another_chance() -> None:
    """A link granted anew reopens what was refused, in its old place; nothing else can be reopened."""
    again = outbox.reopened(failed(entry(1), "denied"), FIXED_START)
    assert [one.sequence for one in outbox.due([entry(2), again], FIXED_START)] == [1]
    with pytest.raises(InvalidValueError):
        outbox.reopened(outbox.delivered(entry(1), FIXED_START), FIXED_START)


@given(st.integers(0, 10**6), st.integers(0, 2**32))
def test_retries_wait_between_a_second_and_ten_minutes(attempts: int, seed: int) -> None:
    """No number of failures gives a wait outside the bounds."""
    wait = (outbox.next_attempt(attempts, FIXED_START, random.Random(seed)) - FIXED_START).total_seconds()
    assert outbox.FIRST_RETRY_SECONDS <= wait <= outbox.MOST_RETRY_SECONDS


def test_retries_wait_longer_and_longer() -> None:
    """The wait grows with each failure up to its bound."""
    waits = [
        (outbox.next_attempt(attempts, FIXED_START, random.Random(1)) - FIXED_START).total_seconds()
        for attempts in range(1, 14)
    ]
    assert waits == sorted(waits)
    assert waits[0] < 2.0
    assert waits[-1] > 300.0


@given(
    st.lists(
        st.tuples(st.sampled_from([ACME, GLOBEX]), st.integers(0, 50), st.integers(0, 900), st.sampled_from(Standing)),
        max_size=30,
        unique_by=lambda row: (row[0], row[1]),
    ),
    st.integers(0, 1000),
)
def test_due_gives_exactly_the_ready_heads(rows: list[tuple[NodeName, int, int, Standing]], seconds: int) -> None:
    """For any set of entries, what is due is the lowest waiting one of each receiver, if its time has come."""
    entries = [
        replace(
            entry(sequence, receiver),
            due=FIXED_START + timedelta(seconds=wait),
            standing=standing,
            settled=None if standing is Standing.WAITING else FIXED_START,
        )
        for receiver, sequence, wait, standing in rows
    ]
    now = FIXED_START + timedelta(seconds=seconds)
    found = {one.receiver: one for one in outbox.due(entries, now)}
    wakes = []
    for receiver in (ACME, GLOBEX):
        waiting = [one for one in entries if one.receiver == receiver and one.standing is Standing.WAITING]
        head = min(waiting, key=lambda one: one.sequence, default=None)
        wakes += [head.due] if head else []
        assert found.get(receiver) == (head if head and head.due <= now else None)
    assert outbox.next_wake(entries) == min(wakes, default=None)


def test_an_entry_is_stored_and_read_whole() -> None:
    """An entry survives the document store."""
    one = failed(entry(1))
    assert codec.from_document(codec.to_document(one), Entry) == one


def test_an_entry_can_not_be_half_settled() -> None:
    """Standing and time of settlement go together."""
    with pytest.raises(InvalidValueError):
        replace(entry(1), standing=Standing.DELIVERED)
    with pytest.raises(InvalidValueError):
        replace(entry(1), settled=FIXED_START)

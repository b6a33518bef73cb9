"""The way up: nothing is lost, nothing is sent twice without need, and nobody waits for another's trouble."""

import random

import pytest

from federation import codec, outbox
from federation.errors import AbsentError, InvalidValueError
from federation.link.rights import Right
from federation.outbox import Budget, Standing
from federation.report import CountsReport
from node.usecases.delivery import Withheld
from node.usecases.outbox import COUNTS
from tests.support.upward import ACME, FAULT, Crash, Site


async def test_entries_arrive_in_order_and_once() -> None:
    """What was queued twice is sent once, and a second delivery finds nothing to do."""
    site = Site()
    for subject in ("a", "b", "a", "c"):
        await site.queue(subject)
    await site.deliver()
    await site.queue("b")
    await site.deliver()
    assert site.receiver.arrived == ["a", "b", "c"]
    assert site.sender.given == ["a", "b", "c"]


async def test_a_provider_away_for_a_week_loses_nothing_and_gets_nothing_twice() -> None:
    """A week of faults waits in order; the questions asked meanwhile are few; then all go."""
    site = Site()
    site.receiver.away = True
    for hour in range(7 * 24):
        await site.queue(f"fault-{hour}")
        site.later(hours=1)
        await site.deliver()
    assert site.receiver.arrived == []
    assert site.receiver.asked <= 7 * 24
    site.receiver.away = False
    site.later(minutes=10)
    await site.deliver()
    assert site.receiver.arrived == [f"fault-{hour}" for hour in range(7 * 24)]
    assert (await site.outbox.load(ACME)).entries == 0


async def test_over_the_budget_the_oldest_go_and_their_number_is_told() -> None:
    """Counts survive when bodies must be dropped, per service and version, and arrive as a report."""
    site = Site(budget=Budget(entries=50))
    site.receiver.away = True
    for number in range(120):
        await site.queue(f"fault-{number}", version=f"acme-1.0.{number % 2}")
    site.receiver.away = False
    await site.deliver()
    # The report of counts takes a place itself.
    assert site.faults == [f"fault-{number}" for number in range(71, 120)]
    report = codec.decode(site.receiver.arrived[-1].encode(), CountsReport)
    assert {(one.service, one.version, one.count, one.why) for one in report.counts} == {
        ("shop", "acme-1.0.0", 36, "budget"),
        ("shop", "acme-1.0.1", 35, "budget"),
    }


async def test_the_budget_counts_bytes_too() -> None:
    """A few large bodies are too much where many small ones are not."""
    site = Site(budget=Budget(size_bytes=1000))
    site.receiver.away = True
    for number in range(5):
        await site.queue(f"fault-{number}", size_bytes=300)
    assert (await site.outbox.load(ACME)).size_bytes == 900
    assert await site.counted() == 2


async def test_what_the_link_holds_back_is_only_counted() -> None:
    """Nothing of it is sent, and its number is told as the link's own choice."""
    site = Site()
    await site.queue("held-1")
    await site.queue("open-1")
    await site.queue("held-2")
    await site.deliver()
    assert site.faults == ["open-1"]
    (count,) = codec.decode(site.receiver.arrived[-1].encode(), CountsReport).counts
    assert (count.count, count.why) == (2, "settings")


async def test_an_entry_with_trouble_of_its_own_holds_up_the_others_for_a_while_only() -> None:
    """After a few attempts it stands aside, is still tried and shown, and goes when its trouble is over."""
    site = Site()
    site.receiver.refuses["bad"] = "internal"
    for subject in ("bad", "good"):
        await site.queue(subject)
    await site.deliver()
    assert site.receiver.arrived == []
    for _ in range(10):
        site.later(minutes=10)
        await site.deliver()
    assert site.receiver.arrived == ["good"]
    (stuck,) = [one for one in await site.outbox.entries(ACME, first=10) if one.standing is Standing.ASIDE]
    assert (stuck.subject, stuck.code, stuck.attempts >= 5) == ("bad", "internal", True)
    site.receiver.refuses.clear()
    site.later(minutes=10)
    await site.deliver()
    assert site.receiver.arrived == ["good", "bad"]


async def test_a_final_refusal_is_kept_and_shown_and_can_be_retried() -> None:
    """The next one goes at once; an operator may send the refused one again."""
    site = Site()
    site.receiver.refuses["bad"] = "invalid-value"
    for subject in ("bad", "good"):
        await site.queue(subject)
    await site.deliver()
    assert site.receiver.arrived == ["good"]
    site.receiver.refuses.clear()
    await site.outbox.retry(outbox.entry_id(ACME, FAULT, "bad"), who="ann")
    await site.deliver()
    assert site.receiver.arrived == ["good", "bad"]
    with pytest.raises(InvalidValueError):
        await site.outbox.retry(outbox.entry_id(ACME, FAULT, "bad"), who="ann")


async def test_what_a_right_is_missing_for_is_not_asked_and_goes_once_it_is_given() -> None:
    """The provider is not bothered; with the right, what waited for it goes in its old order."""
    site = Site()
    site.give(Right.TAKE)
    for subject in ("a", "b"):
        await site.queue(subject)
    await site.deliver()
    assert site.receiver.asked == 0
    site.give_usual()
    await site.delivery._reopen(ACME)
    await site.deliver()
    assert site.receiver.arrived == ["a", "b"]


async def test_a_provider_that_knows_this_node_no_more_is_asked_once_and_the_links_are_told() -> None:
    """The entries wait, untouched; it is the link's trouble."""
    site = Site()
    site.receiver.refuses["a"] = "unknown-signer"
    await site.queue("a")
    await site.deliver()
    await site.deliver()
    assert site.receiver.asked == 1
    assert len(site.links.heard_of) == 1
    head, _ = await site.outbox.heads(ACME)
    assert head is not None
    assert head.attempts == 0


async def test_only_the_newest_of_a_kind_is_sent() -> None:
    """A renewed entry goes once, even when it was renewed while it was on its way."""
    site = Site()
    for _ in range(3):
        await site.outbox.queue_newest(ACME, FAULT, "states")
    await site.deliver()
    assert site.receiver.arrived == ["states"]
    head = outbox.entry_id(ACME, FAULT, "states")
    before = await site.outbox.get(head)
    await site.outbox.queue_newest(ACME, FAULT, "states")
    # The receipt of the older one comes late.
    await site.outbox.settle(before, outbox.delivered(before, site.clock.now()))
    await site.deliver()
    assert site.receiver.arrived == ["states", "states"]
    assert (await site.outbox.load(ACME)).entries == 0


async def test_numbers_grow_even_when_the_clock_goes_back() -> None:
    """After a restart with a clock that was set back, what is queued later still comes later."""
    site = Site()
    await site.queue("first")
    late = (await site.outbox.get(outbox.entry_id(ACME, FAULT, "first"))).sequence
    site.clock._elapsed_seconds = -3600
    site.restart()
    await site.queue("second")
    assert (await site.outbox.get(outbox.entry_id(ACME, FAULT, "second"))).sequence == late + 1


async def test_a_large_backlog_is_not_read_for_each_delivery() -> None:
    """One delivery among thousands of entries reads as few as one among ten."""
    site = Site()
    site.receiver.away = True
    read: list[int] = []
    collection = site.storage.collections["outbox"]
    inner = collection.find

    async def counting(query: object) -> object:
        found = await inner(query)  # type: ignore[arg-type]  # handed through
        read.append(len(found))
        return found

    collection.find = counting  # type: ignore[method-assign, assignment]  # this is the measuring
    for number in range(300):
        await site.queue(f"fault-{number}")
    read.clear()
    await site.deliver()
    assert sum(read) <= 2


async def test_an_operator_sees_what_was_sent_and_what_would_be() -> None:
    """The exact body, of a receipt as it was sent; of what is held back, why."""
    site = Site()
    await site.queue("a")
    await site.queue("held-b")
    would = await site.delivery.shown(outbox.entry_id(ACME, FAULT, "a"))
    assert not isinstance(would, Withheld)
    assert would.body == b"a"
    held = await site.delivery.shown(outbox.entry_id(ACME, FAULT, "held-b"))
    assert isinstance(held, Withheld)
    await site.deliver()
    sent = await site.delivery.shown(outbox.entry_id(ACME, FAULT, "a"))
    assert not isinstance(sent, Withheld)
    assert (sent.body, sent.at) == (b"a", site.clock.now())


async def test_an_entry_that_an_operator_drops_is_gone() -> None:
    """It is neither sent nor counted."""
    site = Site()
    await site.queue("a")
    await site.outbox.drop(outbox.entry_id(ACME, FAULT, "a"), who="ann")
    await site.deliver()
    assert (site.receiver.arrived, await site.counted()) == ([], 0)
    with pytest.raises(AbsentError):
        await site.outbox.drop(outbox.entry_id(ACME, FAULT, "a"), who="ann")


async def test_old_receipts_are_forgotten_and_what_waits_is_not() -> None:
    """After a month only what still has to go is left, and what waited for a provider that is gone goes too."""
    site = Site()
    await site.queue("old")
    await site.deliver()
    await site.outbox.queue_newest(ACME, COUNTS, COUNTS)
    await site.deliver()
    site.receiver.away = True
    await site.queue("waiting")
    await site.deliver()
    site.later(days=31)
    await site.outbox.prune({ACME})
    assert [one.subject for one in await site.outbox.entries(ACME, first=10)] == ["waiting", COUNTS]
    await site.outbox.prune(set())
    assert [one.subject for one in await site.outbox.entries(ACME, first=10)] == []


@pytest.mark.parametrize("seed", range(25))
async def test_under_random_trouble_and_crashes_nothing_is_lost(seed: int) -> None:
    """Whatever breaks and whenever the process dies: each thing arrives or is counted, and in order.

    It arrives twice only where a crash or a lost answer left no other way, and its id tells the provider so.
    """
    rng = random.Random(seed)
    site = Site(budget=Budget(entries=rng.choice([6, 1000])), seed=seed)
    site.receiver.rng, site.receiver.trouble = rng, 0.3
    acknowledged: list[str] = []
    crashes = 0
    for number in range(80):
        site.receiver.away = rng.random() < 0.4
        site.fuse.writes_left = rng.randrange(12) if rng.random() < 0.3 else None
        site.fuse.after = rng.random() < 0.5
        try:
            await site.queue(f"fault-{number:03}")
            acknowledged.append(f"fault-{number:03}")
            await site.deliver()
        except Crash:
            crashes += 1
            site.restart()
            await site.outbox.recover()
            # Whoever queued and got no answer queues again.
            await site.queue(f"fault-{number:03}")
            acknowledged.append(f"fault-{number:03}")
        site.clock.advance(rng.uniform(0, 30))
    site.fuse.writes_left, site.receiver.away, site.receiver.trouble = None, False, 0.0
    await site.drain()
    arrived = set(site.faults)
    counted = await site.counted()
    assert arrived <= set(acknowledged)
    assert len(set(acknowledged)) <= len(arrived) + counted <= len(set(acknowledged)) + crashes
    if site.budget.entries == 1000:
        assert (arrived, counted) == (set(acknowledged), 0)
    assert await site.outbox.load(ACME) == outbox.Load()


@pytest.mark.parametrize("seed", range(8))
async def test_trouble_on_the_way_never_changes_the_order(seed: int) -> None:
    """As long as the provider itself refuses nothing, what was queued first arrives first."""
    rng = random.Random(seed)
    site = Site(seed=seed)
    for number in range(60):
        site.receiver.away = rng.random() < 0.5
        await site.queue(f"fault-{number:03}")
        await site.deliver()
        site.clock.advance(rng.uniform(0, 100))
    site.receiver.away = False
    await site.drain()
    assert site.receiver.arrived == [f"fault-{number:03}" for number in range(60)]

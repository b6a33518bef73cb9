"""Alarms: one for each cause, kept until the cause is gone, hidden until something else is wrong."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from federation.errors import AbsentError, InvalidValueError
from node.model.alarm import MESSAGE_CHARS, SUBJECT_CHARS
from node.repositories import Repositories
from node.usecases import alarms
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.changes import Change, ChangeHub, Topic
from tests.support.clock import FakeClock
from tests.support.memory_storage import MemoryStorage

KIND = "origin-key-changed"


@dataclass
class Place:
    """Alarms with all that they rest on."""

    clock: FakeClock
    hub: ChangeHub
    audit: Audit
    alarms: Alarms


@pytest.fixture
def place() -> Place:
    """Nothing has happened yet."""
    clock, hub, kept = FakeClock(), ChangeHub(), Repositories.open(MemoryStorage())
    audit = Audit(kept.audit, clock)
    return Place(clock, hub, audit, Alarms(kept.alarms, hub, audit, clock))


async def _audited(place: Place) -> list[str]:
    return sorted(entry.action for entry in await place.audit.find(first=100))


async def test_the_same_cause_is_one_alarm_that_counts(place: Place) -> None:
    """It is logged as an error and audited when it begins, and no more when it is only met again."""
    with capture_logs() as logged:
        for _ in range(3):
            await place.alarms.sound(KIND, "acme", "ask acme")
            place.clock.advance(60)
    (alarm,) = await place.alarms.open()
    assert (alarm.id, alarm.count, alarm.message) == (f"{KIND}/acme", 3, "ask acme")
    assert alarm.last_seen - alarm.first_seen == timedelta(seconds=120)
    assert [(line["log_level"], line["subject"]) for line in logged] == [("error", "acme")]
    assert await _audited(place) == ["alarm"]


async def test_alarms_of_two_subjects_stand_apart_and_the_last_met_comes_first(place: Place) -> None:
    """Another subject or kind is another alarm."""
    for subject in ("acme", "globex"):
        await place.alarms.sound(KIND, subject, "ask")
        place.clock.advance(1)
    await place.alarms.sound("stale", "acme", "old")
    assert [alarm.id for alarm in await place.alarms.open()] == ["stale/acme", f"{KIND}/globex", f"{KIND}/acme"]


async def test_a_settled_alarm_is_gone_but_for_the_audit_log(place: Place) -> None:
    """Settling what never sounded is nothing; sounding after that is a new alarm."""
    await place.alarms.settle(KIND, "acme")
    await place.alarms.sound(KIND, "acme", "ask acme")
    await place.alarms.settle(KIND, "acme")
    await place.alarms.settle(KIND, "acme")
    assert await place.alarms.all() == []
    await place.alarms.sound(KIND, "acme", "ask acme")
    assert [alarm.count for alarm in await place.alarms.open()] == [1]
    assert await _audited(place) == ["alarm", "alarm", "alarm-settled"]


async def test_a_dismissed_alarm_stays_hidden_until_it_sounds_with_another_message(place: Place) -> None:
    """The same again only counts; something else wrong with the same subject brings it back, loudly."""
    await place.alarms.sound(KIND, "acme", "ask acme")
    assert (await place.alarms.dismiss(f"{KIND}/acme", who="ann")).dismissed_by == "ann"
    with capture_logs() as logged:
        await place.alarms.sound(KIND, "acme", "ask acme")
        assert await place.alarms.open() == []
        assert [alarm.count for alarm in await place.alarms.all()] == [2]
        assert logged == []
        await place.alarms.sound(KIND, "acme", "now a third key")
    (alarm,) = await place.alarms.open()
    assert (alarm.message, alarm.dismissed_by, alarm.count) == ("now a third key", "", 3)
    assert [line["log_level"] for line in logged] == ["error"]
    assert await _audited(place) == ["alarm", "alarm", "dismiss-alarm"]


async def test_an_alarm_that_is_not_there_cannot_be_dismissed(place: Place) -> None:
    """The caller is told, and nothing is audited."""
    with pytest.raises(AbsentError, match="there is no alarm"):
        await place.alarms.dismiss("nothing/acme", who="ann")
    assert await _audited(place) == []


async def test_whoever_listens_hears_of_each_alarm(place: Place) -> None:
    """Sounding, dismissing and settling are told under the topic of alarms."""
    async with place.hub.subscribe(frozenset({Topic.ALARMS})) as changes:
        await place.alarms.sound(KIND, "acme", "ask acme")
        assert await anext(changes) == Change(Topic.ALARMS, f"{KIND}/acme")
        await place.alarms.dismiss(f"{KIND}/acme", who="ann")
        assert await anext(changes) == Change(Topic.ALARMS, f"{KIND}/acme")
        await place.alarms.settle(KIND, "acme")
        assert await anext(changes) == Change(Topic.ALARMS, f"{KIND}/acme")


async def test_what_a_peer_makes_sound_is_bounded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are cut, and of too many alarms the one met longest ago gives way."""
    monkeypatch.setattr(alarms, "MOST", 3)
    for number in range(5):
        await place.alarms.sound(KIND, f"{number}" + "x" * 1000, "y" * 5000)
        place.clock.advance(1)
    found = await place.alarms.all()
    assert [alarm.subject[0] for alarm in found] == ["4", "3", "2"]
    assert {(len(alarm.subject), len(alarm.message)) for alarm in found} == {(SUBJECT_CHARS, MESSAGE_CHARS)}
    await place.alarms.settle(KIND, "4" + "x" * 1000)
    assert len(await place.alarms.all()) == 2


async def test_a_kind_is_a_stable_code(place: Place) -> None:
    """Free text is no kind: tools tell alarms apart by it."""
    with pytest.raises(InvalidValueError):
        await place.alarms.sound("Something went wrong", "acme", "…")

"""Pinned keys: the first one seen, its successors by statement, and what an administrator decides."""

import pytest

from federation.errors import AbsentError, InvalidValueError
from federation.trust import OriginKeyChangedError
from node.usecases.changes import Change, Topic
from tests.support.keys import (
    ACME,
    EVIL,
    FIRST,
    GLOBEX,
    OWN,
    SECOND,
    THIEF,
    THIRD,
    PinsPlace,
    key_change,
    manifest,
    pins_place,
)


@pytest.fixture
def place() -> PinsPlace:
    """A node that has seen no other yet."""
    return pins_place()


async def test_the_first_key_seen_is_pinned_and_accepted_again(place: PinsPlace) -> None:
    """With whom it came through."""
    for _ in range(2):
        await place.pins.check(ACME, FIRST.public, through=EVIL)
    (pin,) = await place.pins.all()
    assert (pin.key, pin.through, pin.changes) == (FIRST.public, EVIL, ())
    assert await place.told() == []


async def test_a_stated_change_is_followed_and_kept_to_be_passed_on(place: PinsPlace) -> None:
    """Both keys stand in the audit log, and whoever publishes what the statement stands by hears of it."""
    await place.pins.check(ACME, FIRST.public, through=None)
    changes = [key_change(FIRST, SECOND), key_change(SECOND, THIRD, 2)]
    async with place.hub.subscribe(frozenset({Topic.VERSIONS})) as told:
        await place.pins.check(ACME, THIRD.public, through=EVIL, changes=changes)
        assert await anext(told) == Change(Topic.VERSIONS)
    (pin,) = await place.pins.all()
    assert (pin.key, list(pin.changes), pin.through) == (THIRD.public, changes, None)
    (detail,) = await place.audited("key-changed")
    assert detail == f"key of acme changed from {FIRST.id} to {THIRD.id}, by a statement of the old key"
    assert await place.told() == []


async def test_at_first_sight_the_newest_key_is_pinned(place: PinsPlace) -> None:
    """An old manifest that the newest key signed too comes with the statements that explain it."""
    signed = manifest(FIRST).countersigned(SECOND)
    await place.pins.check_manifest(signed, through=EVIL, changes=[key_change(FIRST, SECOND)])
    pin = await place.pins.get(ACME)
    assert pin is not None
    assert pin.key == SECOND.public


async def test_what_the_old_key_made_is_good_once_the_new_one_signed_it_too(place: PinsPlace) -> None:
    """Its digest stays; without that signature it is refused from the moment the change is known."""
    await place.pins.check_manifest(manifest(FIRST), through=EVIL)
    await place.pins.learn(ACME, [key_change(FIRST, SECOND)], through=EVIL)
    before = place.kept()
    with pytest.raises(OriginKeyChangedError, match="given up on 2026-03-04"):
        await place.pins.check_manifest(manifest(FIRST), through=EVIL)
    assert place.kept() == before
    assert await place.told() == ["origin-key-changed/acme through evil"]
    signed = manifest(FIRST).countersigned(SECOND)
    assert signed.digest == manifest(FIRST).digest
    await place.pins.check_manifest(signed, through=EVIL)
    assert await place.told() == []


async def test_statements_alone_are_learnt_only_where_they_lead_on(place: PinsPlace) -> None:
    """From a key that is pinned; of a node never seen nothing is kept."""
    await place.pins.learn(ACME, [key_change(FIRST, SECOND)], through=EVIL)
    assert place.kept() == {}
    await place.pins.check(ACME, THIRD.public, through=None)
    before = place.kept()
    await place.pins.learn(ACME, [key_change(FIRST, SECOND)], through=EVIL)
    assert place.kept() == before
    assert await place.told() == []


async def test_an_alarm_is_settled_when_the_right_key_is_seen_again(place: PinsPlace) -> None:
    """On the same way: what another provider shows says nothing of this one."""
    await place.pins.check(ACME, FIRST.public, through=None)
    for through in (EVIL, None):
        with pytest.raises(OriginKeyChangedError):
            await place.pins.check(ACME, THIEF.public, through=through)
    assert sorted(await place.told()) == ["origin-key-changed/acme", "origin-key-changed/acme through evil"]
    await place.pins.check(ACME, FIRST.public, through=None)
    assert await place.told() == ["origin-key-changed/acme through evil"]
    await place.pins.check(ACME, FIRST.public, through=EVIL)
    assert await place.told() == []


async def test_an_alarm_tells_both_keys_whence_and_what_to_do(place: PinsPlace) -> None:
    """Whole ids: they are to be compared, and the one that was read out typed."""
    await place.pins.check(ACME, FIRST.public, through=None)
    with pytest.raises(OriginKeyChangedError):
        await place.pins.check(ACME, THIEF.public, through=EVIL)
    (alarm,) = await place.alarms.open()
    for text in (FIRST.id, THIEF.id, "shown by evil", "Nothing was changed", "vupdate pin reset acme --key-id"):
        assert text in alarm.message


async def test_an_administrator_lets_one_key_take_the_place_of_another(place: PinsPlace) -> None:
    """That one and no other, the old one neither; then its history begins anew."""
    await place.pins.check(ACME, FIRST.public, through=None)
    await place.pins.learn(ACME, [key_change(FIRST, SECOND)], through=None)
    await place.pins.reset(ACME, THIRD.id, who="ann")
    for key in (FIRST, SECOND, THIEF):
        with pytest.raises(OriginKeyChangedError, match="an administrator let acme change its key"):
            await place.pins.check_manifest(manifest(key), through=EVIL)
    before = place.kept()
    await place.pins.learn(ACME, [key_change(FIRST, SECOND), key_change(SECOND, THIEF, 2)], through=EVIL)
    assert place.kept() == before
    await place.pins.check_manifest(manifest(THIRD), through=EVIL)
    pin = await place.pins.get(ACME)
    assert pin is not None
    assert (pin.key, pin.changes, pin.awaited) == (THIRD.public, (), None)
    assert await place.audited("reset-pin") == [f"acme: from {SECOND.id} to {THIRD.id}"]
    assert sorted("as an administrator decided" in one for one in await place.audited("key-changed")) == [False, True]
    assert await place.told() == []


async def test_a_reset_to_the_pinned_key_takes_an_earlier_one_back(place: PinsPlace) -> None:
    """As long as the other key was not seen."""
    await place.pins.check(ACME, FIRST.public, through=None)
    await place.pins.reset(ACME, THIRD.id, who="ann")
    await place.pins.reset(ACME, FIRST.id, who="ann")
    await place.pins.check(ACME, FIRST.public, through=None)
    with pytest.raises(OriginKeyChangedError):
        await place.pins.check(ACME, THIRD.public, through=None)


async def test_only_a_pinned_key_can_be_reset_and_never_our_own(place: PinsPlace) -> None:
    """The refusals change nothing."""
    with pytest.raises(AbsentError):
        await place.pins.reset(ACME, THIRD.id, who="ann")
    with pytest.raises(InvalidValueError, match="key rotate"):
        await place.pins.reset(GLOBEX, THIRD.id, who="ann")
    assert place.kept() == {}


async def test_our_own_name_is_pinned_to_our_own_key(place: PinsPlace) -> None:
    """Nobody's statement leads away from it; who tries is told of."""
    await place.pins.check(GLOBEX, OWN.public, through=EVIL)
    stolen = [key_change(OWN, THIEF, node=GLOBEX)]
    with pytest.raises(OriginKeyChangedError):
        await place.pins.check(GLOBEX, THIEF.public, through=EVIL, changes=stolen)
    await place.pins.learn(GLOBEX, stolen, through=EVIL)
    own = await place.pins.get(GLOBEX)
    assert own is not None
    assert own.key == OWN.public
    assert place.kept() == {}
    assert await place.told() == ["origin-key-changed/globex through evil"]

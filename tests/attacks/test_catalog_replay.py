"""Stories: somebody between the provider and us, or with its online keys, shows us an old, a stopped or a mixed state.

Each ends in a refusal, with what we trust on the disk as it was.
"""

from pathlib import Path
from typing import Any

import pytest

from federation.catalog.listing import LISTING_TARGET
from federation.catalog.roles import Role
from federation.digest import Digest
from federation.errors import AbsentError, StaleError, TamperedError, UnreachableError
from tests.support.catalogs import Answer, Shops, disk, listing

STAMP = "metadata/timestamp.json"
AHEAD = 2**31


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    """A catalogue at its second state, which globex has read."""
    made = Shops(tmp_path)
    made.publish(2)
    made.read()
    return made


def test_an_old_timestamp_is_refused(shops: Shops) -> None:
    """Rollback: the state of an hour ago, still validly signed, with the version that had the hole."""
    old = shops.metadata("timestamp.json")
    shops.publish(3)
    assert shops.read().listing == listing(3)
    shops.refuses({STAMP: old}, StaleError, "timestamp.json is older than what was seen before")
    assert shops.read().listing == listing(3)


def test_an_old_snapshot_under_a_new_timestamp_is_refused(shops: Shops) -> None:
    """Rollback with the stolen timestamp key: it names the snapshot of an hour ago."""
    old = shops.metadata("1.snapshot.json")
    named = {"version": 1, "length": len(old), "hashes": {"sha256": Digest.of(old)}}
    stamp = shops.forged(
        Role.TIMESTAMP,
        lambda signed: signed.update(version=9, meta={"snapshot.json": named}),
        shops.stolen(Role.TIMESTAMP),
    )
    shops.refuses({STAMP: stamp}, StaleError, "snapshot version must be >= 2")


def test_old_targets_under_a_new_snapshot_are_refused(shops: Shops) -> None:
    """Rollback with the stolen snapshot and timestamp keys: they name the targets of an hour ago."""
    old = shops.metadata("1.targets.json")
    named = {"version": 1, "length": len(old), "hashes": {"sha256": Digest.of(old)}}
    lies = shops.with_stolen_online_keys(9, {"meta": {"targets.json": named}})
    shops.refuses(lies, StaleError, "9.snapshot.json is older than what was seen before")


def test_an_old_root_as_the_next_one_is_refused(shops: Shops) -> None:
    """Rollback to keys that were replaced."""
    shops.publisher.rotate(Role.ROOT)
    shops.read()
    shops.refuses({"metadata/3.root.json": shops.metadata("1.root.json")}, TamperedError, "3.root.json is not signed")
    shops.refuses({"metadata/3.root.json": shops.metadata("2.root.json")}, StaleError, "Expected root version 3")


def test_a_withheld_catalogue_is_noticed_after_a_day(shops: Shops) -> None:
    """Freeze: what was current yesterday is shown today."""
    frozen = shops.metadata("timestamp.json")
    shops.publish(3)
    shops.clock.advance(86_400)
    shops.publisher.refresh()
    shops.refuses({STAMP: frozen}, StaleError, "has expired .*check both machines' clocks")


def test_a_provider_that_stopped_signing_is_noticed_after_a_day(shops: Shops) -> None:
    """The same from the provider itself: its node is down behind a cache."""
    shops.clock.advance(86_400)
    shops.refuses({}, StaleError, "timestamp.json is expired")


@pytest.mark.parametrize(("role", "days"), [(Role.SNAPSHOT, 30), (Role.TARGETS, 30), (Role.ROOT, 365)])
def test_a_fresh_timestamp_does_not_save_what_has_expired(shops: Shops, role: Role, days: int) -> None:
    """Freeze with the stolen timestamp key alone, or with snapshot's too: the roles above have their own end."""
    shops.clock.advance(days * 86_400)
    ahead: dict[str, Any] = {"version": 9, "expires": f"{shops.clock.now().year + 1}-01-01T00:00:00Z"}
    lies: dict[str, Answer] = {}
    stamp = dict(ahead)
    if role is Role.TARGETS:
        false = shops.forged(Role.SNAPSHOT, lambda signed: signed.update(ahead), shops.stolen(Role.SNAPSHOT))
        lies["metadata/9.snapshot.json"] = false
        stamp["meta"] = {"snapshot.json": {"version": 9, "length": len(false), "hashes": {"sha256": Digest.of(false)}}}
    lies[STAMP] = shops.forged(Role.TIMESTAMP, lambda signed: signed.update(stamp), shops.stolen(Role.TIMESTAMP))
    shops.refuses(lies, StaleError, f"{role.value}(.json)? is expired")


@pytest.mark.parametrize("part", ["snapshot", "targets", "listing"])
def test_parts_of_two_states_are_not_mixed(shops: Shops, part: str) -> None:
    """Mix-and-match: each part was once signed, but not with the others."""
    old = {name: shops.metadata(f"2.{name}.json") for name in ("snapshot", "targets")}
    old_listing = listing(2).encode()
    shops.publish(3)
    path = f"metadata/3.{part}.json"
    if part == "listing":
        path = f"targets/{Digest.of(listing(3).encode())}.{LISTING_TARGET}"
    lies: dict[str, Answer] = {path: old.get(part, old_listing)}
    shops.refuses(lies, TamperedError, "not (the one that|what) its signed catalogue names")
    assert shops.read().listing == listing(3)


def test_a_snapshot_that_names_other_targets_is_refused(shops: Shops) -> None:
    """Mix-and-match with the stolen snapshot and timestamp keys: new targets have to be signed by targets' key."""
    false = shops.forged(Role.TARGETS, lambda signed: signed.update(version=9), shops.stolen(Role.SNAPSHOT))
    named = {"version": 9, "length": len(false), "hashes": {"sha256": Digest.of(false)}}
    lies = shops.with_stolen_online_keys(9, {"meta": {"targets.json": named}})
    shops.refuses({**lies, "metadata/9.targets.json": false}, TamperedError, "9.targets.json is not signed by enough")


def test_versions_run_ahead_with_stolen_keys_are_recovered_from_by_new_keys(shops: Shops) -> None:
    """Fast-forward: a thief makes consumers accept versions that the provider never reaches again.

    Nothing of the provider's is accepted then; once it has given snapshot and timestamp new keys, all is, from its own
    low versions on, and the thief's state no more.
    """
    lies = shops.with_stolen_online_keys(AHEAD, {})
    assert shops.read(lies).timestamp_version == AHEAD
    shops.publish(3)
    shops.refuses({}, StaleError, f"must be >= {AHEAD}")
    shops.publisher.rotate(Role.SNAPSHOT, Role.TIMESTAMP)
    recovered = shops.read()
    assert recovered.listing == listing(3)
    assert recovered.timestamp_version < 10
    shops.refuses(lies, TamperedError, "timestamp.json is not signed by enough")
    shops.publish(4)
    assert shops.read().listing == listing(4)


def test_a_timestamp_run_ahead_alone_is_never_kept(shops: Shops) -> None:
    """Fast-forward with the timestamp key alone: nothing stands behind it, so the next honest one is taken."""
    named = {"version": AHEAD}
    stamp = shops.forged(
        Role.TIMESTAMP,
        lambda signed: signed.update(version=AHEAD, meta={"snapshot.json": named}),
        shops.stolen(Role.TIMESTAMP),
    )
    shops.refuses({STAMP: stamp}, UnreachableError, f"names metadata/{AHEAD}.snapshot.json but .* does not serve it")
    shops.publish(3)
    assert shops.read().listing == listing(3)


def test_fast_forwarded_targets_are_recovered_from_too(shops: Shops) -> None:
    """The same with the snapshot run ahead in what it says of targets, and the targets key stolen as well."""
    false = shops.forged(Role.TARGETS, lambda signed: signed.update(version=AHEAD), shops.stolen(Role.TARGETS))
    named = {"version": AHEAD, "length": len(false), "hashes": {"sha256": Digest.of(false)}}
    lies = shops.with_stolen_online_keys(9, {"meta": {"targets.json": named}})
    assert shops.read({**lies, f"metadata/{AHEAD}.targets.json": false}).targets_version == AHEAD
    shops.publisher.rotate(Role.SNAPSHOT, Role.TIMESTAMP, Role.TARGETS)
    shops.publish(3)
    assert shops.read().listing == listing(3)


def test_a_withheld_root_changes_nothing(shops: Shops) -> None:
    """404 for the next root is how it is said that there is none; who withholds it withholds new keys, for a day."""
    shops.publisher.rotate(Role.TIMESTAMP)
    shops.refuses({"metadata/2.root.json": None}, TamperedError, "timestamp.json is not signed by enough")
    assert shops.read().root_version == 2


@pytest.mark.parametrize("part", ["3.snapshot.json", "3.targets.json", LISTING_TARGET])
def test_a_withheld_part_changes_nothing(shops: Shops, part: str) -> None:
    """The catalogue read before stays, and the next check tries again."""
    shops.publish(3)
    path = f"targets/{Digest.of(listing(3).encode())}.{part}" if part == LISTING_TARGET else f"metadata/{part}"
    shops.refuses({path: None}, UnreachableError, "does not serve it")
    assert shops.read().listing == listing(3)


def test_a_catalogue_that_vanished_is_told_as_such(shops: Shops) -> None:
    """Not as an attack: the link was removed there, or its rights."""
    shops.refuses({STAMP: None}, AbsentError, "no catalogue for this node")


def test_a_root_that_was_seen_stays_seen(shops: Shops) -> None:
    """Even when what follows it is refused: it may be the one that takes trust from a stolen key."""
    thief = shops.stolen(Role.TIMESTAMP)
    stolen = shops.forged(Role.TIMESTAMP, lambda signed: signed.update(version=9), thief)
    shops.publisher.rotate(Role.TIMESTAMP)
    before = disk(shops.trusted)
    with pytest.raises(TamperedError):
        shops.read({STAMP: stolen})
    after = disk(shops.trusted)
    assert [name for name in after if after[name] != before[name]] == ["root.json"]
    shops.refuses({STAMP: stolen, "metadata/2.root.json": None}, TamperedError, "not signed by enough")

"""A profile's catalogue on the disk: what is written when, what survives a stop, what is served and what is removed."""

import json
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.catalog.listing import LISTING_TARGET
from federation.catalog.publisher import CatalogPublisher
from federation.catalog.retention import GRACE, MOST_REPLACED
from federation.catalog.roles import Role
from federation.errors import AbsentError, CorruptError, DiskFullError, InvalidValueError, OversizedError
from federation.keys import PrivateKey
from tests.support.catalogs import PROFILE, Shops, content, disk, listing
from tests.support.clock import FakeClock
from tests.support.limited import files_up_to


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    return Shops(tmp_path)


def test_what_is_published_is_what_is_read(shops: Shops) -> None:
    """The listing, and each other target by its path."""
    catalogue = shops.read()
    assert catalogue.listing == listing(1)
    for path, expected in content(1).items():
        served = shops.publisher.target(catalogue.url_path(path).removeprefix("targets/")).read_bytes()
        assert catalogue.check_target(path, served) == expected


def test_nothing_is_written_when_nothing_changed(shops: Shops) -> None:
    """Publishing the same again is told as no change, and makes no version."""
    before = disk(shops.folder)
    assert not shops.publisher.publish(content(1))
    assert not shops.publisher.refresh()
    assert disk(shops.folder) == before


def test_each_change_is_one_version_of_each_kind(shops: Shops) -> None:
    """And is told."""
    for build in (2, 3):
        assert shops.publisher.publish(content(build))
        assert shops.read().targets_version == build
        assert shops.read().timestamp_version == build


def test_making_it_twice_keeps_the_keys(shops: Shops) -> None:
    """A second start of the node is no new trust."""
    before = disk(shops.folder)
    shops.publisher.create()
    CatalogPublisher(shops.folder, shops.clock).create()
    assert disk(shops.folder) == before


def test_keys_are_readable_by_their_owner_alone(shops: Shops) -> None:
    """One file per role; the folder is closed too."""
    keys = shops.folder / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert sorted(path.name.split("-")[0] for path in keys.iterdir()) == sorted(role.value for role in Role)
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}


def test_each_target_has_one_hash_and_the_repository_consistent_snapshots(shops: Shops) -> None:
    """As stock clients need it: with two hashes, they would not agree on the name of the file."""
    targets = json.loads(shops.current(Role.TARGETS)[1])["signed"]["targets"]
    assert {tuple(target["hashes"]) for target in targets.values()} == {("sha256",)}
    root = json.loads(shops.publisher.root)["signed"]
    assert root["consistent_snapshot"] is True
    assert "delegations" not in json.loads(shops.current(Role.TARGETS)[1])["signed"]


def test_each_role_has_its_time(shops: Shops) -> None:
    """Root a year, targets and snapshot thirty days, timestamp one."""
    days = {Role.ROOT: 365, Role.TARGETS: 30, Role.SNAPSHOT: 30, Role.TIMESTAMP: 1}
    for role, valid in days.items():
        expires = json.loads(shops.current(role)[1])["signed"]["expires"]
        assert expires == f"{shops.clock.now() + timedelta(days=valid):%Y-%m-%dT%H:%M:%SZ}"


def test_the_timestamp_is_signed_again_each_hour_and_nothing_else(shops: Shops) -> None:
    """So that a consumer can tell a silent provider from a withheld catalogue."""
    before = disk(shops.folder)
    shops.clock.advance(3599)
    assert not shops.publisher.refresh()
    shops.clock.advance(1)
    assert shops.publisher.refresh()
    after = disk(shops.folder)
    assert [name for name in after if after[name] != before.get(name)] == ["metadata/timestamp.json"]
    assert shops.read().timestamp_version == 2


def test_a_catalogue_that_is_refreshed_stays_valid_for_years(shops: Shops) -> None:
    """Each role is signed again before it expires, root too when its key is here."""
    for _ in range(3 * 36):
        shops.clock.advance(10 * 86_400)
        assert shops.publisher.refresh()
        assert shops.read().expires > shops.clock.now()
    assert 5 <= shops.read().root_version <= 7


def test_what_a_clock_that_ran_ahead_has_signed_is_signed_again(shops: Shops) -> None:
    """Else nobody could tell a freeze for as long as the clock was ahead."""
    behind = FakeClock()
    shops.clock.advance(300 * 86_400)
    shops.publisher.refresh()
    assert CatalogPublisher(shops.folder, behind).refresh()
    expires = json.loads(shops.metadata("timestamp.json"))["signed"]["expires"]
    assert expires == f"{behind.now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"


def test_a_catalogue_that_was_never_published_serves_its_root_only(tmp_path: Path) -> None:
    """There is no timestamp to lead anywhere."""
    publisher = CatalogPublisher(tmp_path / PROFILE, FakeClock())
    with pytest.raises(AbsentError, match="not made yet"):
        _ = publisher.root
    publisher.create()
    assert publisher.metadata("1.root.json").read_bytes() == publisher.root
    assert not publisher.refresh()
    with pytest.raises(AbsentError):
        publisher.metadata("timestamp.json")


def test_replaced_versions_stay_for_a_while_and_then_go(shops: Shops) -> None:
    """A reader who took the timestamp before the change still finds all it names; ten minutes later nobody does."""
    old = set(disk(shops.folder))
    shops.publisher.publish(content(2))
    shops.clock.advance(GRACE.total_seconds())
    shops.publisher.refresh()
    assert old <= set(disk(shops.folder))
    shops.clock.advance(3600)
    shops.publisher.refresh()
    names = set(disk(shops.folder))
    assert {name for name in old - names if "metadata/" in name} == {
        "metadata/1.targets.json",
        "metadata/1.snapshot.json",
    }
    assert sum("targets/" in name for name in names) == len(content(2))
    assert shops.read().listing == listing(2)


def test_what_was_taken_out_of_a_profile_is_not_served_for_long(shops: Shops) -> None:
    """Ten minutes after the change the old list is gone, though the node published nothing since."""
    shops.publisher.publish({LISTING_TARGET: listing(2).encode()})
    shops.clock.advance(GRACE.total_seconds())
    assert shops.publisher.metadata("1.targets.json").exists()
    shops.clock.advance(1)
    for name in ("1.targets.json", "1.snapshot.json"):
        with pytest.raises(AbsentError):
            shops.publisher.metadata(name)
    assert not list((shops.folder / "targets").glob("manifests/*"))
    assert shops.publisher.metadata("1.root.json").exists()
    assert shops.read().listing == listing(2)


def test_fast_changes_do_not_pile_up(shops: Shops) -> None:
    """However fast they follow one another."""
    for build in range(2, MOST_REPLACED + 12):
        shops.publisher.publish(content(build))
    names = list(disk(shops.folder))
    assert sum(".targets.json" in name for name in names) == MOST_REPLACED + 1
    assert sum(name.startswith("targets/") for name in names) == 2 * (MOST_REPLACED + 1)
    assert shops.read().listing == listing(MOST_REPLACED + 11)


def test_a_lost_target_is_written_again(shops: Shops) -> None:
    """By the next publishing, changed or not."""
    before = disk(shops.folder)
    shutil.rmtree(shops.folder / "targets")
    assert not shops.publisher.publish(content(1))
    assert disk(shops.folder) == before


def test_only_key_files_that_nothing_names_are_removed(shops: Shops) -> None:
    """What an interrupted change left, not what else somebody put there."""
    keys = shops.folder / "keys"
    named = set(disk(keys))
    for name in ("targets-01234567.pem", ".root-01234567.pem.x.tmp", "README", "notes-01234567.pem"):
        (keys / name).write_bytes(b"x")
    shops.publish(2)
    assert set(disk(keys)) == {*named, "README", "notes-01234567.pem"}


@pytest.mark.parametrize("content_of_file", ["garbage", "another key", "readable by others"])
def test_a_damaged_key_is_not_used(shops: Shops, content_of_file: str) -> None:
    """And told by its file."""
    (path,) = (shops.folder / "keys").glob("targets-*")
    if content_of_file == "garbage":
        path.write_bytes(b"garbage")
    elif content_of_file == "another key":
        path.write_bytes(PrivateKey.generate().to_pem())
    else:
        path.chmod(0o644)
    before = disk(shops.folder / "metadata")
    with pytest.raises(CorruptError, match=path.name):
        shops.publisher.publish(content(2))
    assert disk(shops.folder / "metadata") == before


@pytest.mark.parametrize("role", [Role.TARGETS, Role.SNAPSHOT])
@pytest.mark.parametrize("damage", ["gone", "garbage", "other"])
def test_damaged_metadata_is_made_anew(shops: Shops, role: Role, damage: str) -> None:
    """Under a new version, which consumers of the old one take."""
    shops.read()
    path = shops.folder / shops.current(role)[0]
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"\x00" if damage == "garbage" else shops.publisher.root)
    with pytest.raises(CorruptError, match="publish it again"):
        shops.publisher.refresh()
    assert shops.publisher.publish(content(1))
    assert shops.read().listing == listing(1)


def test_a_damaged_timestamp_is_the_operators_to_decide(shops: Shops) -> None:
    """Its version is lost, and a lower one would be refused by all consumers: only new keys begin anew."""
    (shops.folder / "metadata" / "timestamp.json").write_bytes(b"{}")
    with pytest.raises(CorruptError, match=f"rotate {PROFILE} snapshot timestamp"):
        shops.publisher.publish(content(2))
    (shops.folder / "metadata" / "timestamp.json").unlink()
    shops.publisher.rotate(Role.SNAPSHOT, Role.TIMESTAMP)
    shops.publisher.publish(content(2))
    assert shops.read().listing == listing(2)


@pytest.mark.parametrize("role", Role)
def test_a_missing_key_is_told_with_the_way_out(shops: Shops, role: Role) -> None:
    """Root's is no fault: it may be kept elsewhere."""
    for path in (shops.folder / "keys").glob(f"{role.value}-*"):
        path.unlink()
    warnings = shops.publisher.warnings(shops.clock.now())
    if role is Role.ROOT:
        assert not warnings
        assert shops.publisher.publish(content(2))
        return
    assert f"run 'vupdate catalog rotate {PROFILE} {role.value}'" in warnings[0]
    with pytest.raises(CorruptError, match=f"private key of {role.value}"):
        shops.publisher.publish(content(2))
    shops.publisher.rotate(role)
    shops.publisher.publish(content(2))
    assert shops.publisher.warnings(shops.clock.now()) == []
    assert shops.read().listing == listing(2)


@pytest.mark.parametrize(
    "path",
    ["../keys/x", "/etc/passwd", "a//b", "", ".hidden", "a/../b", "a/b/c/d/e", "A", "a b", "x" * 121, "a\n", "ä"],
)
def test_a_path_that_could_lead_elsewhere_is_no_target(shops: Shops, path: str) -> None:
    """Neither published nor served."""
    before = disk(shops.folder)
    with pytest.raises(InvalidValueError, match="not the path of a target"):
        shops.publisher.publish({path: b"x"})
    assert disk(shops.folder) == before
    with pytest.raises(AbsentError):
        shops.publisher.target(path)


@given(st.text() | st.sampled_from(["../keys/{}", "targets/../../keys/{}", "timestamp.json/", "01.root.json", "."]))
def test_only_names_of_catalogues_are_served(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Anything else is absent, also where such a file is."""
    folder = tmp_path_factory.mktemp("acme")
    publisher = CatalogPublisher(folder / PROFILE, FakeClock())
    publisher.create()
    key = next((folder / PROFILE / "keys").iterdir()).name
    for asked in (publisher.metadata, publisher.target):
        with pytest.raises(AbsentError):
            asked(name.replace("{}", key))


def test_what_consumers_would_not_read_is_not_published(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of targets has a bound on their side; the catalogue stays as it was."""
    monkeypatch.setattr("federation.limits.CATALOG_TARGETS_BYTES", 2_000)
    many = {f"manifests/{number}.json": b"x" for number in range(20)}
    with pytest.raises(OversizedError, match="share fewer versions"):
        shops.publisher.publish({**content(2), **many})
    assert shops.read().listing == listing(1)


def test_no_room_changes_nothing_in_force(shops: Shops) -> None:
    """By a real refusal of the kernel; with room again it goes on."""
    big = {**content(2), "withdrawals/big.json": b"x" * 100_000}
    with pytest.raises(DiskFullError), files_up_to(50_000):
        shops.publisher.publish(big)
    assert not list(shops.folder.rglob(".*.tmp"))
    assert shops.read().listing == listing(1)
    assert shops.publisher.publish(big)
    assert shops.read().listing == listing(2)


def test_the_listing_may_be_missing_from_what_is_published(shops: Shops) -> None:
    """The publisher does not know what targets mean; the reader does."""
    assert shops.publisher.publish({"a.json": b"x"})
    assert LISTING_TARGET not in json.loads(shops.current(Role.TARGETS)[1])["signed"]["targets"]

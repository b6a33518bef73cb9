"""Reading a catalogue without a network: what is asked for, in which order, within which bounds, and what is kept."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.catalog import listing as catalog_listing
from federation.catalog.catalogue import Catalogue, TargetInfo, Wanted
from federation.catalog.filenames import checked_prefixed, checked_target, prefixed
from federation.catalog.listing import LISTING_TARGET, Entry, Listing, manifest_target
from federation.catalog.reader import CatalogReader
from federation.catalog.retention import GRACE, MOST_REPLACED, replaced_long_ago
from federation.catalog.roles import AGAIN_AFTER, VALID, Role, due, expiry
from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, StaleError, TamperedError
from federation.files import write_atomic
from federation.names import NodeName, ProfileName
from tests.support.catalogs import PowerCuts, Shops, content, disk, listing, manifest
from tests.support.strategies import developer_versions, digests, moments, node_names, service_names


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    return Shops(tmp_path)


@st.composite
def listings(draw: Callable[..., object]) -> Listing:
    """Any listing a provider may publish."""
    trails = st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), min_size=1, max_size=4).map(tuple)
    entry = st.builds(
        Entry,
        service=service_names(),
        version=developer_versions(),
        image=digests(),
        manifest=digests(),
        trail=trails,
    )
    entries = st.lists(entry, max_size=4, unique_by=lambda one: one.service)
    tested = st.builds(
        catalog_listing.Tested, tester=node_names(), service=service_names(), version=developer_versions(), at=moments()
    )
    made = draw(
        st.builds(
            Listing,
            node=node_names(),
            profile=st.just(ProfileName("shops")),
            serial=st.integers(0, limits.SERIAL),
            entries=entries.map(lambda some: tuple(sorted(some, key=lambda one: one.service))),
            withdrawals=st.lists(digests(), max_size=3).map(tuple),
            tested=st.lists(tested, max_size=3).map(tuple),
            key_changes=st.lists(node_names(), max_size=3).map(tuple),
        )
    )
    assert isinstance(made, Listing)
    return made


@settings(max_examples=25)
@given(st.lists(listings(), min_size=1, max_size=3))
def test_each_listing_published_is_the_listing_read(
    tmp_path_factory: pytest.TempPathFactory, published: list[Listing]
) -> None:
    """Whatever it lists, one after the other."""
    shops = Shops(tmp_path_factory.mktemp("shops"))
    for one in published:
        shops.clock.advance(1)
        shops.publisher.publish({LISTING_TARGET: one.encode()})
        assert shops.read().listing == one


def test_what_is_asked_for_and_in_which_order(shops: Shops) -> None:
    """The next root first; then from the timestamp down to the listing, each by its exact version and size."""
    got: dict[str, bytes | None] = {}
    asked: list[Wanted] = []
    catalogue = shops.read()
    digest = catalogue.targets[LISTING_TARGET].sha256
    fresh = CatalogReader(shops.trusted.with_name("fresh"))
    fresh.trust(shops.publisher.root)
    step = fresh.read(got, shops.clock.now())
    while isinstance(step, Wanted):
        asked.append(step)
        kind, _, name = step.path.partition("/")
        path = shops.folder / kind / name
        got[step.path] = path.read_bytes() if path.exists() else None
        step = fresh.read(got, shops.clock.now())
    assert [one.path for one in asked] == [
        "metadata/2.root.json",
        "metadata/timestamp.json",
        "metadata/1.snapshot.json",
        "metadata/1.targets.json",
        f"targets/{digest}.{LISTING_TARGET}",
    ]
    assert [one.most_bytes for one in asked[:2]] == [512_000, 16_384]
    assert [one.most_bytes for one in asked[2:]] == [len(got[one.path] or b"") for one in asked[2:]]
    assert step == catalogue


def test_an_unchanged_catalogue_costs_two_questions(shops: Shops) -> None:
    """Is there a new root, and what is the timestamp."""
    first = shops.read()
    assert shops.read() == first
    assert shops.asked == ["metadata/2.root.json", "metadata/timestamp.json"]


def test_a_timestamp_signed_again_costs_no_more(shops: Shops) -> None:
    """And is kept, so that the one before it is too old from then on."""
    shops.read()
    shops.clock.advance(3600)
    shops.publisher.refresh()
    assert shops.read().timestamp_version == 2
    assert shops.asked == ["metadata/2.root.json", "metadata/timestamp.json"]


def test_the_same_listing_is_not_fetched_again(shops: Shops) -> None:
    """When other targets change."""
    shops.read()
    shops.publisher.publish({**content(1), "withdrawals/x.json": b"x"})
    assert "withdrawals/x.json" in shops.read().targets
    assert not any(path.startswith("targets/") for path in shops.asked)


def test_the_catalogue_ends_when_its_first_signature_does(shops: Shops) -> None:
    """Usually the timestamp's."""
    assert shops.read().expires == shops.clock.now() + timedelta(days=1)


def test_time_is_the_one_handed_in(shops: Shops) -> None:
    """Not the machine's: the catalogue of the test is from another year."""
    shops.clock.advance(9 * 365 * 86_400)
    shops.publisher.refresh()
    assert shops.read().expires.year == 2035
    with pytest.raises(StaleError, match="2040-01-01T00:00:00"):
        shops.reader.read(
            {"metadata/3.root.json": None, "metadata/timestamp.json": shops.metadata("timestamp.json")},
            datetime(2040, 1, 1, tzinfo=UTC),
        )


def test_targets_are_checked_by_the_catalogue(shops: Shops) -> None:
    """By length and digest; what it does not name is absent."""
    catalogue = shops.read()
    path = manifest_target(Digest.of(manifest(1)))
    assert catalogue.url_path(path) == f"targets/manifests/{Digest.of(manifest(1))}.{Digest.of(manifest(1))}.json"
    assert catalogue.check_target(path, manifest(1)) == manifest(1)
    for wrong in (manifest(2), manifest(1) + b" ", b""):
        with pytest.raises(TamperedError, match="not what its signed catalogue names"):
            catalogue.check_target(path, wrong)
    with pytest.raises(AbsentError, match="no target"):
        catalogue.check_target("manifests/other.json", b"")
    with pytest.raises(AbsentError):
        catalogue.url_path("manifests/other.json")


def test_without_trust_nothing_is_read(tmp_path: Path) -> None:
    """And nothing is made on the disk."""
    reader = CatalogReader(tmp_path / "acme")
    with pytest.raises(AbsentError, match="link to it with a new invitation"):
        reader.read({}, datetime(2026, 3, 1, tzinfo=UTC))
    reader.forget()


def test_trust_begun_anew_forgets_what_was_before(shops: Shops, tmp_path: Path) -> None:
    """The provider was set up anew: its versions start over, its keys are others."""
    for build in (2, 3):
        shops.publish(build)
        shops.read()
    other = Shops(tmp_path / "other")
    shops.reader.trust(other.publisher.root)
    assert set(disk(shops.trusted)) == {"root.json"}
    other.reader = shops.reader
    assert other.read().listing == listing(1)
    shops.reader.forget()
    assert not shops.trusted.exists()


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json", "listing.json"])
@pytest.mark.parametrize("damage", [b"", b"{", b"\xff" * 40, None])
def test_a_damaged_file_does_not_lock_the_consumer_out(shops: Shops, name: str, damage: bytes | None) -> None:
    """It is fetched again."""
    before = shops.read()
    if damage is None:
        (shops.trusted / name).unlink()
    else:
        (shops.trusted / name).write_bytes(damage)
    assert shops.read() == before
    assert shops.read().listing == listing(1)


def test_a_damaged_root_is_told(shops: Shops) -> None:
    """Trust can't be guessed."""
    (shops.trusted / "root.json").write_bytes(b"{}")
    with pytest.raises(CorruptError, match="restore it from a backup, or link anew"):
        shops.read()


def test_what_an_interrupted_read_left_is_removed(shops: Shops) -> None:
    """And not taken for trusted."""
    shops.read()
    before = disk(shops.trusted)
    (shops.trusted / "trial" / "root_history").mkdir(parents=True)
    (shops.trusted / "trial" / "timestamp.json").write_bytes(b"half")
    shops.read()
    assert disk(shops.trusted) == before


def test_a_power_cut_at_any_write_takes_no_protection_back(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was accepted before the read is the least that is accepted after it; and the new is taken then."""
    stamps = []
    for build in (2, 3, 4):
        stamps.append(shops.metadata("timestamp.json"))
        shops.publish(build)
        if build < 4:
            shops.read()
    with PowerCuts(shops.trusted, tmp_path / "cuts", monkeypatch) as made:
        shops.read()
    assert made.count == 4
    for cut in made:
        shops.trusted, shops.reader = cut, CatalogReader(cut)
        for stamp in stamps[:2]:
            with pytest.raises(StaleError):
                shops.read({"metadata/timestamp.json": stamp})
        assert shops.read().listing == listing(4)
        with pytest.raises(StaleError):
            shops.read({"metadata/timestamp.json": stamps[2]})


def test_each_accepted_file_is_synced(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python-tuf does not: after a power cut its state could be the one before, and old catalogues pass again."""
    synced: list[str] = []

    def recorded(path: Path, content: bytes) -> None:
        synced.append(path.name)
        write_atomic(path, content)

    monkeypatch.setattr("federation.catalog.trusted.write_atomic", recorded)
    shops.read()
    assert synced == ["timestamp.json", "snapshot.json", "targets.json", "listing.json"]
    shops.publisher.rotate(Role.ROOT)
    shops.read()
    assert synced[4:] == ["root.json"]


def test_a_provider_restored_from_a_backup_is_told_from_an_attack_by_its_operator(shops: Shops) -> None:
    """The message names the command; with new keys for snapshot and timestamp, consumers follow again."""
    saved = shops.folder.with_name("backup")
    shutil.copytree(shops.folder, saved)
    for build in (2, 3, 4):
        shops.publish(build)
        shops.read()
    shutil.rmtree(shops.folder)
    shutil.copytree(saved, shops.folder)
    shops.publish(5)
    with pytest.raises(StaleError, match="rotate PROFILE snapshot timestamp"):
        shops.read()
    shops.publisher.rotate(Role.SNAPSHOT, Role.TIMESTAMP)
    assert shops.read().listing == listing(5)


def test_a_catalogue_is_a_value() -> None:
    """Two readings of the same are equal."""
    info = TargetInfo(length=1, sha256=Digest.of(b"x"))
    one, other = (
        Catalogue(
            listing=Listing(node=NodeName("acme"), profile=ProfileName("p"), serial=1, entries=()),
            root_version=1,
            timestamp_version=1,
            targets_version=1,
            expires=datetime(2026, 3, 1, tzinfo=UTC),
            targets={"a": info},
        )
        for _ in range(2)
    )
    assert one == other


@given(st.sampled_from(Role), moments(), st.integers(-(10**9), 10**9))
def test_nothing_expires_before_it_is_due(role: Role, signed: datetime, seconds: int) -> None:
    """Fresh is not due; due comes well before expired; a time from ahead is due at once."""
    expires = expiry(role, signed)
    now = signed + timedelta(seconds=seconds)
    assert not due(role, expires, signed)
    if now >= expires or seconds < -1:
        assert due(role, expires, now)
    if 0 <= seconds < AGAIN_AFTER[role].total_seconds() - 1:
        assert not due(role, expires, now)
    assert AGAIN_AFTER[role] <= VALID[role] / 2


@given(st.lists(st.integers(0, 10_000), max_size=60))
def test_what_is_in_force_or_was_a_moment_ago_stays(gaps: list[int]) -> None:
    """Of those replaced only the last few, and those only for a while."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    issued = []
    for version, gap in enumerate(gaps, 1):
        at += timedelta(seconds=gap)
        issued.append((version, at))
    now = at + timedelta(seconds=5)
    gone = replaced_long_ago(issued, now)
    kept = [version for version, _ in issued if version not in gone]
    assert kept == [version for version, _ in issued][len(gone) :], "the newest stay"
    assert len(kept) <= MOST_REPLACED + 1
    assert not issued or issued[-1][0] in kept
    for version in gone:
        replaced_at = issued[version][1]
        assert now - replaced_at > GRACE or len(issued) - version > MOST_REPLACED


@given(st.lists(st.text("abc019._-", min_size=1, max_size=5), min_size=1, max_size=6).map("/".join), digests())
def test_names_of_targets_go_there_and_back(path: str, digest: Digest) -> None:
    """What may be published can be asked for under its prefixed name, and only that."""
    try:
        checked_target(path)
    except ValueError:
        with pytest.raises(AbsentError):
            checked_prefixed(prefixed(path, digest))
        return
    assert ".." not in path.split("/")
    assert checked_prefixed(prefixed(path, digest)) == prefixed(path, digest)

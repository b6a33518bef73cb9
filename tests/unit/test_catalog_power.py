"""The power goes while a catalogue is published or its keys change: what is in force stays whole, and it goes on."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from federation.catalog.publisher import CatalogPublisher
from federation.catalog.reader import CatalogReader
from federation.catalog.roles import Role
from federation.files import sync_directory
from federation.transfer.durable import sync_all
from tests.support.catalogs import PowerCuts, Shops, content, disk, listing


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    return Shops(tmp_path)


@pytest.mark.parametrize("first", [True, False])
def test_a_power_cut_at_any_write_leaves_the_old_or_the_new(
    tmp_path: Path, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both whole; and the next publishing goes on from there."""
    shops = Shops(tmp_path)
    cuts = tmp_path / "cuts"
    if first:
        shops.publisher = CatalogPublisher(shops.folder.with_name("second"), shops.clock)
        shops.folder = shops.folder.with_name("second")
    shops.clock.advance(60)
    with PowerCuts(shops.folder, cuts, monkeypatch) as made:
        shops.publisher.publish(content(2))
    assert made.count >= (8 if first else 5)
    for cut in made:
        recovered = CatalogPublisher(cut, shops.clock)
        if not first:
            consumer = _at(shops, recovered, cut)
            assert consumer.read().listing == listing(1)
        assert recovered.publish(content(2))
        assert not recovered.publish(content(2))
        recovered.publish(content(3))
        later = _at(shops, recovered, cut)
        assert later.read().listing == listing(3)
        later.clock.advance(3600)
        recovered.refresh()
        assert not list(cut.rglob(".*.tmp"))
        assert later.read().listing == listing(3)


def test_a_power_cut_while_keys_change_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer can read at any moment after the next refresh, and no key is left over."""
    shops = Shops(tmp_path)
    with PowerCuts(shops.folder, tmp_path / "cuts", monkeypatch) as made:
        shops.publisher.rotate(*Role)
    assert made.count >= 6
    for cut in made:
        recovered = CatalogPublisher(cut, shops.clock)
        recovered.refresh()
        consumer = _at(shops, recovered, cut)
        assert consumer.read().listing == listing(1)
        assert len(list((cut / "keys").iterdir())) == len(Role)


def _at(shops: Shops, publisher: CatalogPublisher, folder: Path) -> Shops:
    """A consumer that trusts ``shops`` as it was at first, and reads from ``publisher``."""
    consumer = Shops.__new__(Shops)
    consumer.clock, consumer.publisher, consumer.folder = shops.clock, publisher, folder
    consumer.trusted = folder.with_name(f"{folder.name}-consumer")
    consumer.reader = CatalogReader(consumer.trusted)
    consumer.reader.trust(publisher.metadata("1.root.json").read_bytes())
    return consumer


def test_targets_are_on_the_disk_before_they_have_their_names(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    """And their names before any metadata speaks of them: what a power cut needs."""
    events: list[str] = []
    rename = Path.replace

    def synced(paths: Sequence[Path], within: Path) -> None:
        events.append(f"sync {len(paths)}")
        sync_all(paths, within)

    def renamed(path: Path, target: Path) -> Path:
        events.append(target.relative_to(shops.folder).parts[0])
        return rename(path, target)

    def named(folder: Path) -> None:
        events.append(f"names in {folder.relative_to(shops.folder)}")
        sync_directory(folder)

    monkeypatch.setattr("federation.catalog.store.sync_all", synced)
    monkeypatch.setattr("federation.catalog.store.sync_directory", named)
    monkeypatch.setattr(Path, "replace", renamed)
    shops.publisher.publish(content(2))
    assert events[:3] == ["sync 2", "targets", "targets"]
    assert {"names in targets", "names in targets/manifests"} <= set(events[3:-3])
    assert events[-3:] == ["metadata"] * 3


def test_an_interrupted_publishing_outlives_the_grace_of_what_is_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in force is not taken for replaced, just because a version above it was begun."""
    shops = Shops(tmp_path)
    with PowerCuts(shops.folder, tmp_path / "cuts", monkeypatch) as made:
        shops.publisher.publish(content(2))
    last = list(made)[-1]
    assert {"metadata/2.targets.json", "metadata/2.snapshot.json"} <= set(disk(last))
    recovered = CatalogPublisher(last, shops.clock)
    for _ in range(3):
        shops.clock.advance(7200)
        assert recovered.refresh()
        assert _at(shops, recovered, last).read().listing == listing(1)

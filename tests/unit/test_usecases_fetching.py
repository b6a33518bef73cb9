"""Fetching images: the cheapest way first, only what was wrong once more, and each lie remembered."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from federation.digest import Digest
from federation.errors import AbsentError, UnreachableError
from node.model.penalty import Penalty, after_lie
from node.usecases.fetching import KEPT_FOR
from node.usecases.penalties import LYING
from node.usecases.transfers import SavedBytes
from tests.support.clock import FakeClock
from tests.support.fetching import NEW, OLD, PROVIDER, Consumer, alarms_of, entry_of, flipped
from tests.support.trees import file, noise


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    return Consumer.at(tmp_path)


async def test_an_image_comes_by_the_full_pack_where_nothing_is(consumer: Consumer) -> None:
    """What it cost is recorded, and nothing else is left behind."""
    image = await consumer.offer(NEW)
    transfer = await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert await consumer.is_whole(image)
    assert consumer.peer.asked == ["packs"]
    assert transfer.base is None
    assert transfer.moved_bytes == transfer.full_bytes > image.size
    assert transfer.repaired_bytes == 0
    assert await consumer.transfers.newest(10) == [transfer]
    assert consumer.left_over() == []


async def test_an_update_comes_by_a_delta(consumer: Consumer) -> None:
    """From the newest version of the service below the one wanted, and the saved bytes are summed up."""
    await consumer.hold("acme-0.9.0", {"a": file(b"older")})
    await consumer.hold("acme-1.0.0", OLD)
    await consumer.hold("acme-2.0.0", {"a": file(b"newer")})
    image = await consumer.offer(NEW)
    transfer = await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert await consumer.is_whole(image)
    assert transfer.base == "acme-1.0.0"
    assert transfer.moved_bytes < transfer.full_bytes / 4
    assert await consumer.transfers.saved() == SavedBytes(
        moved=transfer.moved_bytes, full=transfer.full_bytes, transfers=1
    )


async def test_an_image_that_is_here_already_costs_nothing(consumer: Consumer) -> None:
    """Another provider, or another version, brought it."""
    image = await consumer.hold("acme-1.0.0", OLD)
    transfer = await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert consumer.peer.asked == []
    assert transfer.moved_bytes == 0
    assert transfer.full_bytes > 0


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
async def test_a_wrong_byte_costs_only_its_file_again(consumer: Consumer, at: float) -> None:
    """All that was right in the pack is kept, the one wrong content is asked for singly, and the lie is known."""
    image = await consumer.offer(NEW)
    consumer.peer.spoil = flipped("packs", at)
    transfer = await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert await consumer.is_whole(image)
    assert consumer.peer.asked == ["packs", "contents"]
    again = sum(count for path, count in consumer.peer.moved.items() if "/contents/" in path)
    assert again == transfer.repaired_bytes <= max(image.contents.values()) + 100
    assert transfer.moved_bytes == transfer.full_bytes + transfer.repaired_bytes
    assert (await consumer.penalties.all())[0].count == 1
    assert await alarms_of(consumer) == [(LYING, "acme")]


async def test_a_wrong_byte_in_a_delta_costs_only_its_file_again(consumer: Consumer) -> None:
    """What the delta shares with the old version is here anyway."""
    await consumer.hold("acme-1.0.0", OLD)
    image = await consumer.offer(NEW)
    consumer.peer.spoil = flipped("packs?from", 0.9)
    transfer = await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert await consumer.is_whole(image)
    assert consumer.peer.asked == ["packs?from", "contents"]
    assert transfer.base == "acme-1.0.0"
    assert transfer.moved_bytes < transfer.full_bytes / 2


async def test_a_base_damaged_here_is_no_lie_of_the_provider(consumer: Consumer) -> None:
    """The full pack is taken, and nobody is blamed."""
    await consumer.hold("acme-1.0.0", OLD)
    image = await consumer.offer(NEW)
    victim = consumer.blobs.path(Digest.of(noise(40_000, 1)))
    victim.write_bytes(victim.read_bytes()[:-50] + bytes(50))
    transfer = await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert consumer.peer.asked == ["packs?from", "packs"]
    assert transfer.base is None
    assert await consumer.penalties.all() == []


@pytest.mark.parametrize("error", [UnreachableError, AbsentError])
async def test_being_away_is_no_lie(consumer: Consumer, error: type[Exception]) -> None:
    """The caller is told; there is neither a penalty nor a second way to try."""
    await consumer.hold("acme-1.0.0", OLD)
    image = await consumer.offer(NEW)

    def fail(_path: str) -> None:
        raise error("gone")

    consumer.peer.fail = fail
    with pytest.raises(error):
        await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert consumer.peer.asked == ["packs?from"]
    assert await consumer.penalties.all() == []


async def test_the_same_fetch_arrives_at_the_same_place(tmp_path: Path) -> None:
    """A restarted node finds what the one before it had begun."""
    places = []
    for _ in range(2):
        consumer = Consumer.at(tmp_path)
        image = await consumer.offer(NEW)

        def away(_path: str) -> None:
            raise UnreachableError("away")

        consumer.peer.fail = away
        with pytest.raises(UnreachableError):
            await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
        places += consumer.peer.targets
    assert len(places) == 2
    assert len(set(places)) == 1


async def test_what_nobody_came_back_for_is_removed(consumer: Consumer) -> None:
    """At a start, after two days; what is younger stays."""
    folder = consumer.folder / "work" / "acme"
    folder.mkdir(parents=True)
    now = consumer.clock.now()
    for name, age in (("old.pack.part", KEPT_FOR + timedelta(hours=1)), ("new.pack.part", timedelta(hours=1))):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, ((now - age).timestamp(),) * 2)
    consumer.fetcher.clear_leftovers()
    assert consumer.left_over() == ["new.pack.part"]


def test_penalties_double_and_are_forgiven() -> None:
    """Ten minutes, twenty, up to a day; after a good week the next one is the first again."""
    now = FakeClock().now()
    lengths = []
    penalty: Penalty | None = None
    for _ in range(10):
        penalty = after_lie(penalty, PROVIDER.name, "a lie", now)
        lengths.append(penalty.until - now)
        now = penalty.until
        assert not penalty.weighs(now)
    assert lengths[:3] == [timedelta(minutes=10), timedelta(minutes=20), timedelta(minutes=40)]
    assert lengths[-1] == timedelta(days=1)
    assert after_lie(penalty, PROVIDER.name, "a lie", now + timedelta(days=8)).count == 1

"""What the log store does, whatever document storage it stands on."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation import limits
from federation.errors import CorruptError, DiskFullError, InvalidValueError, OversizedError
from federation.log import Level, LogRecord
from federation.names import InstanceName, RoleName, ServiceName
from node.storage import logs
from node.storage.log_block import BLOCK_RECORDS
from node.storage.log_search import SEARCHED_INDEXES
from node.storage.logs import MERGE_EVERY_APPENDS, PARTS_KEPT_SECONDS, LogQuery, LogStore, StreamKey
from node.storage.port import Collection, Document, Query, Storage, Stored, Where
from tests.support.clock import FIXED_START, FakeClock
from tests.support.memory_storage import MemoryStorage

SHOP = StreamKey(service=ServiceName("shop"), instance=InstanceName("web-1"), run="r1")
WORKER = StreamKey(service=ServiceName("shop"), role=RoleName("worker"), instance=InstanceName("web-2"), run="r1")
TASK = StreamKey(task="4f2a")


def record(
    sequence: int, message: str | None = None, *, level: Level = Level.INFO, at: float | None = None
) -> LogRecord:
    moment = FIXED_START + timedelta(seconds=sequence if at is None else at)
    return LogRecord(sequence=sequence, time=moment, level=level, message=message or f"line {sequence}", unit="main")


def records(first: int, last: int) -> list[LogRecord]:
    return [record(sequence) for sequence in range(first, last + 1)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(storage: Storage, clock: FakeClock) -> LogStore:
    return LogStore(storage, clock)


async def sequences(store: LogStore, query: LogQuery) -> list[int]:
    return [found.record.sequence for found in await store.search(query)]


async def following(store: LogStore, stream: StreamKey, after: int = 0) -> list[int]:
    query = LogQuery(
        service=stream.service,
        role=stream.role,
        instance=stream.instance,
        run=stream.run or None,
        task=stream.task,
        after_sequence=after,
        limit=10_000,
    )
    return await sequences(store, query)


async def blocks(storage: Storage) -> list[Stored]:
    return await storage.collection("logs").find(Query())


async def test_what_is_appended_is_found_whole(store: LogStore) -> None:
    """A record comes back as it was, with what wrote it."""
    whole = LogRecord(
        sequence=7, time=FIXED_START + timedelta(microseconds=1), level=Level.FATAL, message='é"\n\0\\', unit="ü"
    )
    assert await store.append(WORKER, [whole]) == 7
    (found,) = await store.search(LogQuery())
    assert (found.stream, found.record) == (WORKER, whole)


async def test_an_empty_store_has_nothing(store: LogStore) -> None:
    """No stream has a last record, no search an answer, no batch an effect."""
    assert await store.last_sequence(SHOP) == 0
    assert await store.search(LogQuery()) == []
    assert await store.append(SHOP, []) == 0


async def test_what_was_appended_outlives_the_store(open_storage: Callable[[], Storage]) -> None:
    """Another start finds the records of the one before."""
    first = open_storage()
    await LogStore(first).append(SHOP, records(1, 3))
    await first.close()
    second = open_storage()
    assert await LogStore(second).last_sequence(SHOP) == 3
    await second.close()


async def test_a_batch_sent_again_adds_nothing(store: LogStore, storage: Storage) -> None:
    """Delivery may repeat; what is kept does not."""
    for _ in range(3):
        assert await store.append(SHOP, records(1, 10)) == 10
    assert await following(store, SHOP) == list(range(1, 11))
    assert len(await blocks(storage)) == 1


async def test_an_overlapping_batch_adds_what_is_new(store: LogStore, storage: Storage) -> None:
    """The part already kept is not kept twice, whichever end it is at."""
    await store.append(SHOP, records(11, 20))
    assert await store.append(SHOP, records(15, 25)) == 25
    assert await store.append(SHOP, records(5, 12)) == 25
    assert await following(store, SHOP) == list(range(5, 26))
    assert sum(stored.body["count"] for stored in await blocks(storage)) == 21


async def test_a_gap_is_filled_when_it_comes(store: LogStore) -> None:
    """Numbers that were never kept are new, though later ones are here."""
    await store.append(SHOP, [*records(1, 3), *records(7, 9)])
    assert await store.append(SHOP, records(2, 8)) == 9
    assert await following(store, SHOP) == list(range(1, 10))


async def test_streams_number_their_records_apart(store: LogStore) -> None:
    """The same numbers in two streams are different records."""
    await store.append(SHOP, records(1, 2))
    await store.append(WORKER, records(1, 5))
    assert (await store.last_sequence(SHOP), await store.last_sequence(WORKER)) == (2, 5)
    assert await sequences(store, LogQuery(service=SHOP.service, after_sequence=0)) == [1, 2, 1, 2, 3, 4, 5]
    assert await following(store, SHOP) == [1, 2]
    assert await following(store, WORKER) == [1, 2, 3, 4, 5]


async def test_a_stream_whose_name_begins_another(store: LogStore) -> None:
    """Run r1 is not run r10."""
    longer = StreamKey(service=SHOP.service, instance=SHOP.instance, run="r10")
    await store.append(longer, records(1, 9))
    assert await store.last_sequence(SHOP) == 0
    assert await store.append(SHOP, records(1, 2)) == 2
    assert await following(store, SHOP) == [1, 2]


@pytest.mark.parametrize("sequence", [0, -1, 10**15 + 1])
async def test_a_number_out_of_range_is_refused(store: LogStore, sequence: int) -> None:
    """Nothing of such a batch is kept."""
    with pytest.raises(InvalidValueError):
        await store.append(SHOP, [record(1), record(sequence, at=0)])
    assert await store.last_sequence(SHOP) == 0


async def test_a_batch_beyond_the_bound_is_refused(store: LogStore) -> None:
    """Batches come from outside."""
    with pytest.raises(OversizedError):
        await store.append(SHOP, [record(1)] * (limits.LOG_BATCH_RECORDS + 1))


@pytest.mark.parametrize("mark", ["a/b", "a#b", "x" * 101, "é", "a b", "\n"])
def test_a_run_or_task_has_a_plain_name(mark: str) -> None:
    """Names come from outside and become part of keys."""
    with pytest.raises(InvalidValueError):
        StreamKey(service=ServiceName("shop"), run=mark)
    with pytest.raises(InvalidValueError):
        StreamKey(task=mark)


def test_a_stream_is_of_a_service_or_of_a_task() -> None:
    """Neither and both are refused."""
    with pytest.raises(InvalidValueError):
        StreamKey(run="r1")
    with pytest.raises(InvalidValueError):
        StreamKey(service=ServiceName("shop"), task="t")


async def test_a_large_batch_becomes_whole_blocks(store: LogStore, storage: Storage) -> None:
    """Blocks have a bound of records and of bytes, and stand without a gap."""
    count = 2 * BLOCK_RECORDS + 3
    await store.append(SHOP, [*records(1, count), *(record(count + n, "x" * 60_000) for n in range(1, 41))])
    counts = [stored.body["count"] for stored in await blocks(storage)]
    assert counts == [1000, 1000, 20, 17, 6]
    assert await store.last_sequence(SHOP) == count + 40


async def fill(store: LogStore) -> None:
    await store.append(SHOP, [record(1, "Start", at=1), record(2, "slow query", level=Level.WARNING, at=3)])
    await store.append(SHOP, [record(3, "query failed", level=Level.ERROR, at=5)])
    await store.append(WORKER, [record(1, "start", at=2), record(2, "killed", level=Level.FATAL, at=4)])
    await store.append(TASK, [record(1, "start of a build", at=2.5)])


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (LogQuery(newest_first=False), ["Start", "start", "slow query", "killed", "query failed"]),
        (LogQuery(), ["query failed", "killed", "slow query", "start", "Start"]),
        (LogQuery(limit=2), ["query failed", "killed"]),
        (LogQuery(limit=2, newest_first=False), ["Start", "start"]),
        (LogQuery(service=ServiceName("other")), []),
        (LogQuery(role=RoleName("worker")), ["killed", "start"]),
        (LogQuery(instance=InstanceName("web-1"), limit=1), ["query failed"]),
        (LogQuery(run="r1", level=Level.ERROR), ["query failed", "killed"]),
        (LogQuery(run="r2"), []),
        (LogQuery(task="4f2a"), ["start of a build"]),
        (LogQuery(task="4f2b"), []),
        (LogQuery(level=Level.WARNING), ["query failed", "killed", "slow query"]),
        (LogQuery(levels=frozenset({Level.INFO, Level.FATAL})), ["killed", "start", "Start"]),
        (LogQuery(level=Level.FATAL, levels=frozenset({Level.INFO})), []),
        (LogQuery(text="START"), ["start", "Start"]),
        (LogQuery(text="Start", match_case=True), ["Start"]),
        (LogQuery(text="query", level=Level.ERROR), ["query failed"]),
        (LogQuery(text=""), ["query failed", "killed", "slow query", "start", "Start"]),
        (LogQuery(text="main"), []),
        (LogQuery(text="info"), []),
        (LogQuery(since=FIXED_START + timedelta(seconds=4)), ["query failed", "killed"]),
        (LogQuery(until=FIXED_START + timedelta(seconds=2)), ["Start"]),
        (LogQuery(since=FIXED_START + timedelta(seconds=4), until=FIXED_START + timedelta(seconds=4)), []),
        (LogQuery(service=SHOP.service, after_sequence=2), ["query failed"]),
        (LogQuery(after_sequence=0, limit=3), ["Start", "slow query", "query failed"]),
        (LogQuery(after_sequence=1, limit=3), ["slow query", "query failed", "killed"]),
    ],
)
async def test_a_search_finds_what_it_describes(store: LogStore, query: LogQuery, wanted: list[str]) -> None:
    """Every part of a query narrows the answer; order and limit are as asked."""
    await fill(store)
    assert [found.record.message for found in await store.search(query)] == wanted


@pytest.mark.parametrize("limit", [0, 10_001])
def test_a_search_has_a_bound(limit: int) -> None:
    """Who asks for everything asks for less."""
    with pytest.raises(InvalidValueError):
        LogQuery(limit=limit)


def test_a_local_time_is_refused() -> None:
    """A time without its offset would be read as UTC by accident."""
    with pytest.raises(InvalidValueError):
        LogQuery(since=FIXED_START.replace(tzinfo=None))
    with pytest.raises(InvalidValueError):
        LogQuery(text="x" * 1001)


async def test_a_search_goes_through_many_blocks(store: LogStore) -> None:
    """More blocks than one page of heads, and the one answer in the oldest."""
    await store.append(SHOP, [record(1, "needle")])
    for sequence in range(2, 140):
        await store.append(StreamKey(service=SHOP.service, run=f"r{sequence}"), [record(sequence)])
    assert await sequences(store, LogQuery(text="needle")) == [1]
    assert await sequences(store, LogQuery(limit=3)) == [139, 138, 137]
    assert len(await store.search(LogQuery(newest_first=False))) == 139


async def test_small_blocks_are_merged(store: LogStore, storage: Storage, clock: FakeClock) -> None:
    """After many small batches few blocks are left, with the same records."""
    for first in range(1, 2 * 30 * MERGE_EVERY_APPENDS, 30):
        await store.append(SHOP, records(first, first + 29))
    last = 2 * 30 * MERGE_EVERY_APPENDS
    clock.advance(PARTS_KEPT_SECONDS + 1)
    await store.maintain()
    await store.maintain()
    assert len(await blocks(storage)) == 4
    assert await following(store, SHOP) == list(range(1, last + 1))
    assert await store.last_sequence(SHOP) == last


async def test_parts_outlive_the_merging(store: LogStore, storage: Storage, clock: FakeClock) -> None:
    """A search that began before still finds the parts; one that begins after finds each record once."""
    for sequence in (1, 2, 3):
        await store.append(SHOP, [record(sequence)])
    parts = {stored.key for stored in await blocks(storage)}
    assert await store.merge_small(SHOP) == 1
    assert await store.merge_small(SHOP) == 0
    assert parts < {stored.key for stored in await blocks(storage)}
    assert await sequences(store, LogQuery()) == [3, 2, 1]
    assert await following(store, SHOP) == [1, 2, 3]
    clock.advance(PARTS_KEPT_SECONDS + 1)
    await store.merge_small(SHOP)
    assert not parts & {stored.key for stored in await blocks(storage)}
    assert await following(store, SHOP) == [1, 2, 3]


async def test_appending_goes_on_while_parts_are_there(store: LogStore, clock: FakeClock) -> None:
    """A batch that overlaps merged blocks and their parts still adds only what is new."""
    for sequence in (1, 2, 3):
        await store.append(SHOP, [record(sequence)])
    await store.merge_small(SHOP)
    assert await store.append(SHOP, records(2, 5)) == 5
    clock.advance(PARTS_KEPT_SECONDS + 1)
    await store.merge_small(SHOP)
    assert await store.append(SHOP, records(1, 6)) == 6
    assert await following(store, SHOP) == [1, 2, 3, 4, 5, 6]


async def test_a_single_small_block_is_left_alone(store: LogStore, storage: Storage) -> None:
    """There is nothing to gain."""
    await store.append(SHOP, [record(1)])
    assert await store.merge_small(SHOP) == 0
    assert await store.maintain() == 0
    assert [stored.revision for stored in await blocks(storage)] == [1]


async def test_a_stream_that_ended_is_merged_by_maintenance(
    store: LogStore, clock: FakeClock, storage: Storage
) -> None:
    """Nobody has to append for it."""
    for stream in (SHOP, WORKER, TASK):
        for sequence in (1, 2):
            await store.append(stream, [record(sequence)])
    assert await store.maintain() == 3
    clock.advance(PARTS_KEPT_SECONDS + 1)
    assert await store.maintain() == 0
    assert [stored.body["count"] for stored in await blocks(storage)] == [2, 2, 2]
    assert await store.maintain() == 0


async def test_the_same_batch_by_two_ways_at_once(store: LogStore) -> None:
    """Both are told that it is kept, and it is kept once."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(store.append(SHOP, records(1, 50))) for _ in range(5)]
    assert [task.result() for task in tasks] == [50] * 5
    assert await following(store, SHOP) == list(range(1, 51))


async def test_different_cuts_of_the_same_records_at_once(store: LogStore) -> None:
    """Blocks may then overlap; each record is answered once all the same."""
    async with asyncio.TaskGroup() as group:
        for first, last in [(1, 30), (10, 40), (20, 50)]:
            group.create_task(store.append(SHOP, records(first, last)))
    assert await following(store, SHOP) == list(range(1, 51))
    assert sorted(await sequences(store, LogQuery())) == list(range(1, 51))


async def test_a_damaged_block_is_told(store: LogStore, storage: Storage) -> None:
    """A search does not pass silently over what it can't read."""
    await store.append(SHOP, records(1, 3))
    (stored,) = await blocks(storage)
    kept = storage.collection("logs", (*SEARCHED_INDEXES, "small", "merging"))
    assert stored.blob is not None
    await kept.replace(stored.key, stored.body, 1, stored.blob[:-3])
    with pytest.raises(CorruptError, match="damaged"):
        await store.search(LogQuery())


async def test_a_search_that_takes_too_long_says_how_to_narrow_it(
    store: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends in bounded time, and the store goes on."""
    await store.append(SHOP, records(1, 3))
    with monkeypatch.context() as patch:
        patch.setattr(logs, "SEARCH_SECONDS", 0)
        with pytest.raises(InvalidValueError, match="narrow it"):
            await store.search(LogQuery())
    assert len(await store.search(LogQuery())) == 3


async def test_an_index_serves_every_query_of_the_store(storage: Storage) -> None:
    """All fields that searches name are declared; the fake and the others refuse those that are not."""
    store = LogStore(storage)
    moment = FIXED_START
    query = LogQuery(
        service=SHOP.service,
        role=WORKER.role,
        instance=SHOP.instance,
        run="r",
        task="t",
        level=Level.ERROR,
        since=moment,
        until=moment + timedelta(1),
        text="x",
        after_sequence=1,
    )
    assert await store.search(query) == []


class FailingBlocks:
    """The fake's collection; the write with the number ``at`` fails, as on a full disk or at a crash."""

    def __init__(self, inner: Collection, at: int) -> None:
        self._inner = inner
        self.left = at

    def _write(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise DiskFullError("no room")

    async def insert(self, key: str, body: Document, blob: bytes | None = None) -> int:
        self._write()
        return await self._inner.insert(key, body, blob)

    async def replace(self, key: str, body: Document, if_revision: int, blob: bytes | None = None) -> int:
        self._write()
        return await self._inner.replace(key, body, if_revision, blob)

    async def delete(self, key: str, if_revision: int | None = None) -> bool:
        self._write()
        return await self._inner.delete(key, if_revision)

    async def get(self, key: str) -> Stored | None:
        return await self._inner.get(key)

    async def find(self, query: Query) -> list[Stored]:
        return await self._inner.find(query)

    async def count(self, where: Sequence[Where] = ()) -> int:
        return await self._inner.count(where)


class FailingStorage(MemoryStorage):
    """A fake whose only collection fails once."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at
        self.blocks: FailingBlocks | None = None

    def collection(self, name: str, indexes: Sequence[str] = ()) -> FailingBlocks:  # type: ignore[override]
        self.blocks = self.blocks or FailingBlocks(super().collection(name, indexes), self._at)
        return self.blocks


@pytest.mark.parametrize("at", range(1, 12))
async def test_a_merging_cut_off_anywhere_loses_and_doubles_nothing(at: int) -> None:
    """Whichever write fails: every acknowledged record is found once, and merged in the end."""
    clock = FakeClock()
    storage = FailingStorage(at)
    store = LogStore(storage, clock)
    kept: list[int] = []
    for first in (1, 4, 7):
        try:
            await store.append(SHOP, records(first, first + 2))
        except DiskFullError:
            await store.append(SHOP, records(first, first + 2))
        kept += range(first, first + 3)
    for _ in range(4):
        try:
            await store.merge_small(SHOP)
        except DiskFullError:
            assert await following(store, SHOP) == kept
        assert sorted(await sequences(store, LogQuery())) == kept
        clock.advance(PARTS_KEPT_SECONDS + 1)
    assert storage.blocks is not None
    assert await storage.blocks.count() == 1


async def test_a_batch_cut_off_leaves_no_gap() -> None:
    """When the second block of a batch can't be kept, the third is not kept either; sent again, all are."""
    storage = FailingStorage(2)
    store = LogStore(storage)
    batch = records(1, 3 * BLOCK_RECORDS)
    with pytest.raises(DiskFullError):
        await store.append(SHOP, batch)
    assert await store.last_sequence(SHOP) == BLOCK_RECORDS
    assert await store.append(SHOP, batch) == 3 * BLOCK_RECORDS
    assert await following(store, SHOP) == list(range(1, 3 * BLOCK_RECORDS + 1))


async def test_a_failed_merging_does_not_fail_the_batch() -> None:
    """The batch is kept already; merging is tried again later."""
    store = LogStore(FailingStorage(MERGE_EVERY_APPENDS + 1))
    for sequence in range(1, MERGE_EVERY_APPENDS + 1):
        assert await store.append(SHOP, [record(sequence)]) == sequence


class CountingStorage(MemoryStorage):
    """Counts the documents opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    def collection(self, name: str, indexes: Sequence[str] = ()) -> "Counting":  # type: ignore[override]
        return Counting(super().collection(name, indexes), self.opened)


class Counting(FailingBlocks):
    def __init__(self, inner: Collection, opened: list[str]) -> None:
        super().__init__(inner, 0)
        self._opened = opened

    async def get(self, key: str) -> Stored | None:
        self._opened.append(key)
        return await super().get(key)


async def test_a_search_opens_only_blocks_that_can_hold_an_answer() -> None:
    """Blocks are passed over by stream, time and level; a search that has enough stops."""
    storage = CountingStorage()
    store = LogStore(storage)
    for hour in range(50):
        level = Level.ERROR if hour == 20 else Level.INFO
        stream = StreamKey(service=SHOP.service, run=f"r{hour}")
        await store.append(stream, [record(1, level=level, at=hour * 3600)])
    for query, most in [
        (LogQuery(limit=1), 3),
        (LogQuery(limit=1, newest_first=False), 3),
        (LogQuery(level=Level.ERROR), 1),
        (LogQuery(run="r7"), 1),
        (LogQuery(until=FIXED_START + timedelta(hours=3)), 3),
        (LogQuery(since=FIXED_START + timedelta(hours=47)), 3),
        (LogQuery(after_sequence=0, limit=1), 3),
    ]:
        storage.opened.clear()
        assert await store.search(query)
        assert len(storage.opened) <= most, query


batches = st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=12), min_size=1, max_size=12)


@given(batches=batches, merges=st.sets(st.integers(0, 11)), limit=st.integers(1, 70), newest_first=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_batches_in_any_order_are_a_set_of_records(
    batches: list[list[int]], merges: set[int], limit: int, newest_first: bool
) -> None:
    """However records are cut, repeated, shuffled and merged between: kept is the set of all, answered in order."""

    async def run() -> None:
        clock = FakeClock()
        store = LogStore(MemoryStorage(), clock)
        kept: set[int] = set()
        for number, batch in enumerate(batches):
            # Times run against the numbers in part, as after a step of a clock.
            await store.append(SHOP, [record(n, at=n if n % 5 else 100 - n) for n in batch])
            kept.update(batch)
            if number in merges:
                await store.merge_small(SHOP)
                clock.advance(PARTS_KEPT_SECONDS * 0.6)
        assert await following(store, SHOP) == sorted(kept)
        by_time = sorted(kept, key=lambda n: (n if n % 5 else 100 - n, n), reverse=newest_first)
        query = LogQuery(limit=limit, newest_first=newest_first)
        assert await sequences(store, query) == by_time[:limit]
        assert await store.last_sequence(SHOP) == max(kept)

    asyncio.run(run())

"""Log lines a second in and out, and bytes a line: ``python -m tests.bench.log_store [lines]``.

Lines come in batches of 1,000 (and of 20, merged later), as an agent sends them. The disk is that of the temporary
directory. The bars are those of design.md §7: 60 bytes a line, 2 million lines a second searched on one core.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from federation import codec
from federation.log import Level, LogBatch, LogRecord
from federation.names import InstanceName, ServiceKey, ServiceName
from node.storage.logs import PARTS_KEPT_SECONDS, LogQuery, LogStore, StreamKey
from node.storage.sqlite import SqliteStorage
from tests.support.clock import FIXED_START, FakeClock

_WORDS = ["request", "user", "order", "cart", "item", "session", "payment", "cache", "worker", "queue", "index"]


def lines(count: int, rng: random.Random) -> Iterator[LogRecord]:
    moment = FIXED_START
    for sequence in range(1, count + 1):
        moment += timedelta(microseconds=rng.randint(200, 9000))
        kind, level = rng.random(), Level.INFO
        word = rng.choice(_WORDS)
        if kind < 0.6:
            address = f"{rng.randint(1, 254)}.{rng.randint(0, 254)}.3.7"
            message = f'{address} "GET /api/v1/{word}s/{rng.randint(1, 99999)} HTTP/1.1" 200 {rng.random():.3f}'
        elif kind < 0.9:
            message = f"{word} {rng.randint(1, 99999)} {rng.choice(['accepted', 'done', 'queued'])} in {kind:.3f} ms"
        else:
            level = Level.ERROR
            message = f"{word} {rng.randint(1, 9999)} failed: connection to 10.0.{rng.randint(0, 9)}.3:5432 refused"
        yield LogRecord(sequence=sequence, time=moment, level=level, message=message, unit=rng.choice(_WORDS))


class Table:
    """Rows as they are measured."""

    def row(self, what: str, value: float, unit: str) -> None:
        print(f"{what:<58}{value:>14,.1f} {unit}")


def stream(number: int) -> StreamKey:
    return StreamKey(service=ServiceName("shop"), instance=InstanceName(f"web-{number}"), run="r1")


async def append(store: LogStore, number: int, records: list[LogRecord], size: int) -> None:
    for start in range(0, len(records), size):
        await store.append(stream(number), records[start : start + size])


def parse_rate(records: list[LogRecord]) -> float:
    batches = [
        codec.encode(LogBatch(service=ServiceKey("shop"), run="r1", records=tuple(records[start : start + 1000])))
        for start in range(0, len(records), 1000)
    ]
    begin = time.perf_counter()
    for batch in batches:
        codec.decode(batch, LogBatch)
    return len(records) / (time.perf_counter() - begin)


async def searched(store: LogStore, query: LogQuery) -> float:
    begin = time.perf_counter()
    await store.search(query)
    return time.perf_counter() - begin


async def measure(folder: Path, records: list[LogRecord], table: Table) -> None:
    count = len(records)
    size = sum(len(record.message) for record in records) / count
    table.row("a message", size, "bytes")
    parsing = parse_rate(records)
    table.row("parsing batches alone", parsing, "lines/s")
    path = folder / "large.db"
    storage = SqliteStorage(path)
    store = LogStore(storage)
    begin = time.perf_counter()
    await append(store, 0, records, 1000)
    one = count / (time.perf_counter() - begin)
    table.row("appended, 1 stream, batches of 1,000", one, "lines/s")
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(1, 5):
            group.create_task(append(store, number, records, 1000))
    four = 4 * count / (time.perf_counter() - begin)
    table.row("appended, 4 streams at once", four, "lines/s")
    table.row("… against parsing alone", four / parsing, "")
    every = 5 * count
    for what, query in [
        ("text that is nowhere, any case", LogQuery(text="no such line")),
        ("text that is nowhere, exact case", LogQuery(text="no such line", match_case=True)),
        ("text in 1 of 250 lines, 1,000 oldest", LogQuery(text="/99", limit=10_000, newest_first=False)),
        ("level of no line", LogQuery(level=Level.FATAL)),
    ]:
        seconds = await searched(store, query)
        table.row(f"searched, {what}", every / seconds, "lines/s")
    table.row(
        "newest 100 of one stream",
        1000 * await searched(store, LogQuery(instance=InstanceName("web-0"), limit=100)),
        "ms",
    )
    await storage.close()
    table.row("on disk, batches of 1,000", path.stat().st_size / every, "bytes/line")


async def measure_merging(folder: Path, records: list[LogRecord], table: Table) -> None:
    path = folder / "small.db"
    clock = FakeClock()
    storage = SqliteStorage(path)
    store = LogStore(storage, clock)
    begin = time.perf_counter()
    for start in range(0, len(records), 20):
        await store.append(stream(0), records[start : start + 20])
        clock.advance(1)
    table.row("appended, 1 stream, batches of 20, merging", len(records) / (time.perf_counter() - begin), "lines/s")
    clock.advance(PARTS_KEPT_SECONDS + 1)
    await store.maintain()
    table.row("blocks for 1,000 lines", 1000 * await storage.collection("logs").count() / len(records), "")
    await storage.close()
    table.row("on disk, batches of 20, one a second", path.stat().st_size / len(records), "bytes/line")


async def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    records = list(lines(count, random.Random(1)))
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        await measure(Path(folder), records, table)
        await measure_merging(Path(folder), records[: count // 5], table)


if __name__ == "__main__":
    asyncio.run(main())

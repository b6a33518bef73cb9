"""State writes and reads a second on SQLite: ``python -m tests.bench.collection``.

What group commit gives stands in the ratio of many writers at once to one writer, in the same run on the same disk.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from node.storage import Order, Query, Where
from node.storage.sqlite import SqliteCollection, SqliteStorage

_BODY: dict[str, Any] = {
    "state": "running",
    "seen": "2026-03-01T12:00:00.123456Z",
    "services": [{"name": f"service-{n}", "version": "acme-1.4.2_1", "since": 1772366400} for n in range(5)],
}


async def rate(workers: int, each: int, work: Callable[[int], Awaitable[object]]) -> float:
    """Calls of ``work`` a second, with ``workers`` at once."""

    async def run(worker: int) -> None:
        for number in range(each):
            await work(worker * each + number)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for worker in range(workers):
            group.create_task(run(worker))
    return workers * each / (time.perf_counter() - start)


async def measure(things: SqliteCollection) -> list[tuple[str, float]]:
    revisions: dict[str, int] = {}

    async def insert(number: int) -> None:
        revisions[f"k{number}"] = await things.insert(f"k{number}", {**_BODY, "number": number})

    async def replace(number: int) -> None:
        key = f"k{number}"
        revisions[key] = await things.replace(key, {**_BODY, "number": number}, revisions[key])

    async def newest(_: int) -> None:
        await things.find(Query(where=(Where("state", "==", "running"),), order=(Order("number", True),), limit=20))

    return [
        ("insert, 1 writer", await rate(1, 500, insert)),
        ("insert, 256 writers", await rate(256, 40, lambda n: insert(n + 500))),
        ("replace, 256 writers", await rate(256, 40, replace)),
        ("get, 1 reader", await rate(1, 2000, lambda n: things.get(f"k{n}"))),
        ("get, 64 readers", await rate(64, 150, lambda n: things.get(f"k{n}"))),
        ("find 20 newest of 10,000, 1 reader", await rate(1, 500, newest)),
    ]


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        storage = SqliteStorage(Path(folder) / "bench.db")
        rows = await measure(storage.collection("things", ("state,number", "number")))
        await storage.close()
    print(f"{'what (documents of 400 bytes)':<40}{'a second':>12}")
    for what, value in rows:
        print(f"{what:<40}{value:>12,.0f}")


if __name__ == "__main__":
    asyncio.run(main())

"""How long it takes until a changed desired version is published, durable and read, by the number of services."""

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from federation.catalog.reader import CatalogReader
from federation.clock import SystemClock
from federation.names import ProfileName
from node.model.desired import Delta, ListKind
from node.model.peer import Consumer
from node.storage.sqlite import SqliteStorage
from node.usecases.changes import Topic
from tests.support.publishing import Publisher

SIZES: Final = (10, 100, 1000)
ROUNDS: Final = 15
PROFILE: Final = ProfileName("public")


@dataclass
class Row:
    """The figures of one size; seconds, and bytes."""

    services: int
    published: list[float] = field(default_factory=list)
    signed: list[float] = field(default_factory=list)
    refreshed: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    requests: int = 0
    moved_bytes: int = 0


async def measure(folder: Path, services: int) -> Row:
    """A node with so many services changes one of them again and again."""
    storage = SqliteStorage(folder / "node.db")
    acme = Publisher(folder / "acme", clock=SystemClock(), storage=storage)
    names = [f"service-{number:04d}" for number in range(services)]
    await acme.share(PROFILE, *names)
    for name in names:
        await acme.versions.keep(acme.version(name, "acme-1.0.0"))
    deltas = tuple(Delta(service=acme.version(name, "acme-1.0.0").service, version="acme-1.0.0") for name in names)
    await acme.desired.set_now(ListKind.DEVELOPER, deltas, who="bench", why="")
    reader = await acme.reader(folder / "reader")
    await acme.read(reader, acme.consumer())
    row = Row(services)
    for number in range(1, ROUNDS + 1):
        await acme.versions.keep(acme.version(names[number % services], f"acme-1.0.{number}"))
        await _publish(acme, row, names[number % services], f"acme-1.0.{number}")
        await _refresh(acme, row, reader)
        began = time.perf_counter()
        await acme.catalogs.serial(PROFILE)
        row.asked.append(time.perf_counter() - began)
    await storage.close()
    return row


async def _publish(acme: Publisher, row: Row, service: str, version: str) -> None:
    """From the call that changes the list to the word that it is published; and from the revision on."""
    async with acme.hub.subscribe(frozenset({Topic.CATALOGS})) as told, asyncio.TaskGroup() as group:
        loop = group.create_task(acme.catalogs.run())
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        await acme.want(service, version)
        changed = time.perf_counter()
        await anext(told)
        ended = time.perf_counter()
        row.published.append(ended - began)
        row.signed.append(ended - changed)
        loop.cancel()


async def _refresh(acme: Publisher, row: Row, reader: CatalogReader) -> None:
    """One consumer's refresh with news: its own work and the provider's answers, without a network."""
    asked: list[bytes | None] = []
    answer = acme.answer

    async def counted(consumer: Consumer | None, profile: str, path: str) -> bytes | None:
        asked.append(await answer(consumer, profile, path))
        return asked[-1]

    acme.answer = counted  # type: ignore[method-assign]  # counts
    began = time.perf_counter()
    await acme.read(reader, acme.consumer())
    row.refreshed.append(time.perf_counter() - began)
    acme.answer = answer  # type: ignore[method-assign]  # as before
    row.requests, row.moved_bytes = len(asked), sum(len(one or b"") for one in asked)


def main() -> None:
    """Print the table."""
    head = ("services", "desired → published", "of it signing", "refresh", "asks", "bytes")
    print("{:>8}  {:>19}  {:>13}  {:>9}  {:>4}  {:>9}".format(*head))
    for services in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            row = asyncio.run(measure(Path(folder), services))
        times = [f"{statistics.median(one) * 1000:.1f} ms" for one in (row.published, row.signed, row.refreshed)]
        print(f"{services:>8}  {times[0]:>19}  {times[1]:>13}  {times[2]:>9}  {row.requests:>4}  {row.moved_bytes:>9,}")


if __name__ == "__main__":
    main()

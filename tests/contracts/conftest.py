"""The storages that every contract over the storage port is run on."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from node.storage.mongo import MongoStorage
from node.storage.port import Storage
from node.storage.sqlite import SqliteStorage
from tests.support.memory_storage import Files, MemoryStorage
from tests.support.mongo_server import fresh_database, mongo_server


@pytest.fixture(scope="package")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MongoDB server."""
    with mongo_server(tmp_path_factory.mktemp("mongo")) as address:
        yield address


@pytest.fixture(params=["memory", "sqlite", "mongo"])
def open_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Storage]]:
    """Opens the same storage, each time it is called."""
    if request.param == "memory":
        files: Files = {}
        yield partial(MemoryStorage, files)
    elif request.param == "sqlite":
        yield partial(SqliteStorage, tmp_path / "vupdate.db")
    else:
        with fresh_database(request.getfixturevalue("mongo")) as address:
            yield partial(MongoStorage, address)


@pytest.fixture
async def storage(open_storage: Callable[[], Storage]) -> AsyncIterator[Storage]:
    opened = open_storage()
    yield opened
    await opened.close()

"""The storage port on one SQLite file: one table per collection, one writer thread, readers beside it.

A read that begins after an awaited write sees it: both go to the same file, and a read sees the newest commit.
"""

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeVar

from federation.errors import LocalError
from node.storage.documents import Layout, from_text, to_text
from node.storage.fields import check_key
from node.storage.port import Document, Query, Stored, Where
from node.storage.sqlite_schema import explained, open_reader, open_writer, transaction
from node.storage.sqlite_sql import Sql
from node.storage.sqlite_writer import Writer

_T = TypeVar("_T")

READERS: Final = 2
WAITING_READS: Final = 4096
READ_SECONDS: Final = 60


class SqliteStorage:
    """The collections in the database file ``path``, which is made if there is none."""

    def __init__(self, path: Path) -> None:
        """Opens the file and brings its schema up to date.

        Raises:
            LocalError: written by a newer program, or can't be opened.
            CorruptError: no database, or a damaged one.
        """
        self._path = path
        self._writer = Writer(open_writer(path), path)
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(READERS):
            self._readers.put(open_reader(path))
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="storage reader")
        self._slots = asyncio.Semaphore(WAITING_READS)
        self._closed = False

    def collection(self, name: str, indexes: Sequence[str] = ()) -> "SqliteCollection":
        """See ``Storage``."""
        layout = Layout(name, indexes)
        sql = Sql(layout)
        with explained(self._path), closing(open_writer(self._path)) as connection:
            wanted = dict(sql.creation())
            present = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            if not wanted.keys() <= present:
                with transaction(connection):
                    connection.execute("INSERT OR IGNORE INTO collections (name) VALUES (?)", (layout.name,))
                    for statement in wanted.values():
                        connection.execute(statement)
        return SqliteCollection(self, layout, sql)

    async def write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """What ``work`` returns, once it is durable; see ``Writer.do``."""
        return await self._writer.do(work)

    async def read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """What ``work`` returns, done by one of the readers."""
        try:
            async with asyncio.timeout(READ_SECONDS), self._slots:
                if self._closed:
                    raise LocalError("the storage is closed")
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)
        except TimeoutError as error:
            raise LocalError(f"{self._path} gave no answer in {READ_SECONDS} s: see to the disk") from error

    def _read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        connection = self._readers.get(timeout=READ_SECONDS)
        try:
            with explained(self._path):
                return work(connection)
        finally:
            self._readers.put(connection)

    async def close(self) -> None:
        """See ``Storage``."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        for _ in range(READERS):
            self._readers.get(timeout=READ_SECONDS).close()
        await self._writer.close()


class SqliteCollection:
    """One table."""

    def __init__(self, storage: SqliteStorage, layout: Layout, sql: Sql) -> None:
        """Made by its storage."""
        self._storage = storage
        self._layout = layout
        self._sql = sql

    async def get(self, key: str) -> Stored | None:
        """See ``Collection``."""
        check_key(key)

        def work(connection: sqlite3.Connection) -> Stored | None:
            row = connection.execute(self._sql.get, (key,)).fetchone()
            return None if row is None else _stored(row)

        return await self._storage.read(work)

    async def insert(self, key: str, body: Document, blob: bytes | None = None) -> int:
        """See ``Collection``."""
        row = (check_key(key), to_text(body, blob), blob)

        def work(connection: sqlite3.Connection) -> int:
            try:
                connection.execute(self._sql.insert, row)
            except sqlite3.IntegrityError as error:
                raise self._layout.exists(key) from error
            return 1

        return await self._storage.write(work)

    async def replace(self, key: str, body: Document, if_revision: int, blob: bytes | None = None) -> int:
        """See ``Collection``."""
        row = (to_text(body, blob), blob, check_key(key), if_revision)

        def work(connection: sqlite3.Connection) -> int:
            if connection.execute(self._sql.replace, row).rowcount == 0:
                raise self._layout.conflict(key) if self._has(connection, key) else self._layout.absent(key)
            return if_revision + 1

        return await self._storage.write(work)

    async def delete(self, key: str, if_revision: int | None = None) -> bool:
        """See ``Collection``."""
        check_key(key)

        def work(connection: sqlite3.Connection) -> bool:
            done = connection.execute(self._sql.delete, (key, if_revision)).rowcount > 0
            if not done and if_revision is not None and self._has(connection, key):
                raise self._layout.conflict(key)
            return done

        return await self._storage.write(work)

    async def find(self, query: Query) -> list[Stored]:
        """See ``Collection``."""
        self._layout.check_query(query)
        text, values = self._sql.find(query)
        return await self._storage.read(lambda connection: [_stored(row) for row in connection.execute(text, values)])

    async def count(self, where: Sequence[Where] = ()) -> int:
        """See ``Collection``."""
        self._layout.check(where)
        text, values = self._sql.count(where)
        return await self._storage.read(lambda connection: int(connection.execute(text, values).fetchone()[0]))

    def _has(self, connection: sqlite3.Connection, key: str) -> bool:
        return connection.execute(self._sql.has, (key,)).fetchone() is not None


def _stored(row: tuple[Any, ...]) -> Stored:
    key, revision, text, blob = row
    return Stored(key, revision, from_text(key, text), blob)

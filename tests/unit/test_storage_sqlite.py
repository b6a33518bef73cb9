"""What SQLite's file adds to the contract: durability, versions of its schema, damage, a full disk, use of indexes."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from federation.errors import CorruptError, DiskFullError, ExistsError, LocalError
from node.storage import sqlite_schema
from node.storage.documents import Layout
from node.storage.fields import KEY
from node.storage.port import Order, Query, Where
from node.storage.sqlite import SqliteStorage
from node.storage.sqlite_schema import MIGRATIONS, open_reader, open_writer
from node.storage.sqlite_sql import Sql
from node.storage.sqlite_writer import GROUP_WRITES, Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "vupdate.db"


@pytest.fixture
async def storage(path: Path) -> AsyncIterator[SqliteStorage]:
    opened = SqliteStorage(path)
    yield opened
    await opened.close()


async def test_what_was_written_outlives_the_process(path: Path) -> None:
    """The file opened again holds what was acknowledged; a copy of it taken without closing, too."""
    first = SqliteStorage(path)
    await first.collection("things").insert("k", {"n": 1}, b"blob")
    copied = path.parent / "copy.db"
    for suffix in ("", "-wal"):
        Path(f"{copied}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    await first.close()
    for file in (path, copied):
        again = SqliteStorage(file)
        found = await again.collection("things").get("k")
        assert found is not None
        assert (found.body, found.blob) == ({"n": 1}, b"blob")
        await again.close()


def test_every_commit_reaches_the_disk(path: Path) -> None:
    """WAL with full syncs: a power cut loses nothing that was acknowledged."""
    with closing(open_writer(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


async def test_only_the_owner_reads_the_file(storage: SqliteStorage, path: Path) -> None:
    """It holds digests of secrets and all that the node knows."""
    await storage.collection("things").insert("k", {})
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_a_newer_schema_is_refused(path: Path) -> None:
    """An older program does not touch what it does not understand, and says what to do."""
    await SqliteStorage(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(LocalError, match="newer vUpdate"):
        SqliteStorage(path)
    assert path.read_bytes() == before


async def test_an_older_schema_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the steps that are missing are taken."""
    await SqliteStorage(path).close()
    monkeypatch.setattr(
        sqlite_schema, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE more (a)", "CREATE TABLE evenmore (b)"))
    )
    for _ in range(2):
        await SqliteStorage(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        assert connection.execute("SELECT * FROM evenmore").fetchall() == []


async def test_a_failed_migration_leaves_the_old_schema(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All statements of an upgrade happen, or none."""
    await SqliteStorage(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_schema, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE more (a)", "nonsense")))
        with pytest.raises(LocalError):
            SqliteStorage(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'more'").fetchall()


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    """And left as it is."""
    path.parent.mkdir()
    path.write_bytes(b"these are not the tables you are looking for" * 100)
    with pytest.raises(CorruptError, match="damaged or is not a database"):
        SqliteStorage(path)
    assert path.read_bytes().startswith(b"these are not")


async def test_a_damaged_page_is_told(path: Path) -> None:
    """Absent and corrupt are two things."""
    first = SqliteStorage(path)
    things = first.collection("things", ("state",))
    for number in range(500):
        await things.insert(f"k{number}", {"state": "x" * 100})
    await first.close()
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xee" * (len(content) - 4096 * 3)
    path.write_bytes(content)
    again = SqliteStorage(path)
    with pytest.raises(CorruptError, match="restore"):
        await again.collection("things", ("state",)).find(Query())
    await again.close()


def test_a_place_that_can_not_be_opened_is_told(tmp_path: Path) -> None:
    """A directory is not a database."""
    with pytest.raises(LocalError, match="can't be opened"):
        SqliteStorage(tmp_path)


async def test_a_full_disk_refuses_the_write_and_keeps_the_rest(path: Path) -> None:
    """SQLite's "full" becomes ours; nothing is half written, and writing goes on once there is room."""
    connection = open_writer(path)
    storage = SqliteStorage(path)
    things = storage.collection("things")
    await things.insert("k", {"n": 1})
    writer = Writer(connection, path)
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    storage._writer, kept = writer, storage._writer
    outcomes: list[object] = []

    async def insert(key: str) -> None:
        try:
            await things.insert(key, {}, bytes(100_000))
        except DiskFullError as error:
            outcomes.append(error)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(insert(f"large{number}"))
    assert len(outcomes) == 5
    assert "no room left" in str(outcomes[0])
    assert await things.count() == 1
    connection.execute("PRAGMA max_page_count = 1000000")
    await things.insert("large", {}, bytes(100_000))
    assert await things.count() == 2
    await storage.close()
    await kept.close()


async def test_writes_that_wait_share_one_commit(path: Path) -> None:
    """A group of writes costs one transaction, and those refused in it do not undo the others."""
    connection = open_writer(path)
    connection.execute("CREATE TABLE t (k PRIMARY KEY)")
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    first, go = threading.Event(), threading.Event()
    writer = Writer(connection, path)

    def block(_: sqlite3.Connection) -> None:
        first.set()
        assert go.wait(10)

    def insert(key: int) -> "asyncio.Task[None]":
        def work(inner: sqlite3.Connection) -> None:
            try:
                inner.execute("INSERT INTO t VALUES (?)", (key,))
            except sqlite3.IntegrityError as error:
                raise ExistsError(str(key)) from error

        return group.create_task(swallow(writer.do(work)))

    async def swallow(done: "asyncio.Future[None] | object") -> None:
        try:
            await done  # type: ignore[misc]
        except ExistsError:
            refused.append(1)

    refused: list[int] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(swallow(writer.do(block)))
        await asyncio.to_thread(first.wait, 10)
        for key in (1, 2, 2, 3, 1, 4):
            insert(key)
        await asyncio.sleep(0)
        go.set()
    await writer.close()
    assert len(refused) == 2
    assert sum(statement == "COMMIT" for statement in statements) == 2
    with closing(open_reader(path)) as reader:
        assert reader.execute("SELECT k FROM t ORDER BY k").fetchall() == [(1,), (2,), (3,), (4,)]


async def test_a_bug_in_one_write_spoils_none_beside_it(path: Path) -> None:
    """Its caller gets the error; the thread goes on."""
    writer = Writer(open_writer(path), path)

    def fail(_: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    async with asyncio.TaskGroup() as group:
        good = [group.create_task(writer.do(lambda c: c.execute("SELECT 1").fetchone())) for _ in range(3)]
        with pytest.raises(ZeroDivisionError):
            await writer.do(fail)
    assert [task.result() for task in good] == [(1,)] * 3
    await writer.close()


async def test_closing_finishes_what_was_begun(path: Path) -> None:
    """Writes that waited are done and acknowledged, more of them than one group takes."""
    storage = SqliteStorage(path)
    things = storage.collection("things")
    async with asyncio.TaskGroup() as group:
        for number in range(2 * GROUP_WRITES):
            group.create_task(things.insert(f"k{number}", {}))
        await asyncio.sleep(0)
        group.create_task(storage.close())
    again = SqliteStorage(path)
    assert await again.collection("things").count() == 2 * GROUP_WRITES
    await again.close()


async def test_a_caller_that_gave_up_disturbs_nobody(storage: SqliteStorage) -> None:
    """A cancelled write may be done or not; the next one is done."""
    things = storage.collection("things")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(things.insert("given-up", {}))
        await asyncio.sleep(0)
        task.cancel()
    await things.insert("k", {})
    assert await things.get("k") is not None


async def test_two_processes_share_a_file(storage: SqliteStorage, path: Path) -> None:
    """What one writes the other reads; a key is taken for both."""
    other = SqliteStorage(path)
    here, there = storage.collection("things"), other.collection("things")
    await here.insert("k", {"n": 1})
    assert await there.get("k") is not None
    with pytest.raises(ExistsError):
        await there.insert("k", {})
    await other.close()


def plan(connection: sqlite3.Connection, query: Query, sql: Sql) -> str:
    text, values = sql.find(query)
    return " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (Query(where=(Where("state", "==", "a"),), limit=5), "SEARCH c_things USING INDEX c_things(state)"),
        (Query(where=(Where("number", ">", 5),), limit=5), "SEARCH c_things USING INDEX c_things(number)"),
        (Query(order=(Order("number", descending=True),), limit=5), "SCAN c_things USING INDEX c_things(number)"),
        (
            Query(where=(Where("kind", "==", "a"),), order=(Order("at", descending=True),), limit=5),
            "SEARCH c_things USING INDEX c_things(kind,at)",
        ),
        (Query(where=(Where(KEY, ">", "a"), Where(KEY, "<", "b"))), "SEARCH c_things USING"),
    ],
)
async def test_queries_use_the_declared_indexes(storage: SqliteStorage, path: Path, query: Query, wanted: str) -> None:
    """What an index declares is found by it, not by reading everything."""
    indexes = ("state", "number", "kind,at")
    storage.collection("things", indexes)
    with closing(open_reader(path)) as connection:
        assert wanted in plan(connection, query, Sql(Layout("things", indexes)))

"""Opening the database file: its settings, the version of its schema, and the steps from each version to the next."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from federation.errors import CorruptError, DiskFullError, LocalError, VUpdateError

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    # 1: the list of collections, for tools that look at a database without the program's declarations
    ("CREATE TABLE collections (name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",),
)
"""The statements that lead from schema version N (the place in the list) to N + 1. Never change one: add one."""

BUSY_SECONDS: Final = 10


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection that writes, with the schema brought up to date; the file, readable by its owner only, is made.

    Raises:
        LocalError: the database was written by a newer program, or can't be opened.
        CorruptError: the file is no database, or a damaged one.
        DiskFullError: no room to bring it up to date.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = _connect(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # NORMAL may lose the last commits at a power cut
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can't write."""
    with explained(path):
        connection = _connect(path)
        connection.execute("PRAGMA query_only = ON")
        return connection


def _connect(path: Path) -> sqlite3.Connection:
    # Each connection is used by one thread at a time, not always the one that opened it.
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that the block writes, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        found = _version(connection)  # again: another process may have been faster
        if found > len(MIGRATIONS):
            raise LocalError(
                f"{path} was written by a newer vUpdate (schema {found}, this one knows {len(MIGRATIONS)}): "
                "start the newer program, or restore a backup from before the upgrade"
            )
        for statements in MIGRATIONS[found:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def explanation(error: sqlite3.Error, path: Path) -> VUpdateError:
    """What ``error`` means for the reader."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # absent where Python itself raised it
    if code == sqlite3.SQLITE_FULL:
        return DiskFullError(f"no room left on the disk for {path}: free some space and try again; nothing was changed")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptError(f"{path} is damaged or is not a database: stop the node and restore it from a backup")
    if code == sqlite3.SQLITE_BUSY:
        return LocalError(f"{path} is held by another process for more than {BUSY_SECONDS} s: end it and try again")
    return LocalError(f"{path} can't be used ({error}): see to the disk and the rights on the file")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise explanation(error, path) from error
    except OSError as error:
        raise LocalError(f"{path} can't be opened: {error.strerror}") from error

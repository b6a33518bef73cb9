"""The one thread that writes to the database, and its group commit.

Writes wait in a queue with a bound. The thread takes all that wait, does them in one transaction and answers them after
the commit, so that one sync to the disk serves many callers. A write that is refused (its key exists, its revision is
old) is one statement that changed nothing: it does not disturb the others of its group.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from federation.errors import LocalError
from node.storage.sqlite_schema import explanation, transaction

_T = TypeVar("_T")
Write = Callable[[sqlite3.Connection], Any]
"""One change: runs one statement that changes rows, raises a ``VUpdateError`` if it is refused."""

WAITING_WRITES: Final = 4096
GROUP_WRITES: Final = 512
WRITE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class _Request:
    write: Write
    answer: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class _Refused:
    """The outcome of a write that raised."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Writer:
    """Owns ``connection``; callers live in an event loop."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Starts the thread."""
        self._connection = connection
        self._path = path
        self._waiting: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._slots = asyncio.Semaphore(WAITING_WRITES)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"storage {path.name}", daemon=True)
        self._thread.start()

    async def do(self, write: Callable[[sqlite3.Connection], _T]) -> _T:
        """What ``write`` returns, once it is durable.

        Raises:
            VUpdateError: ``write`` refused, or the database failed; then nothing of it was done.
            LocalError: closed, or no answer in ``WRITE_SECONDS``; then it may still be done.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WRITE_SECONDS), self._slots:
                if self._closed:
                    raise LocalError("the storage is closed")
                answer: asyncio.Future[Any] = loop.create_future()
                self._waiting.put(_Request(write, answer, loop))
                return cast("_T", await answer)
        except TimeoutError as error:
            raise LocalError(f"{self._path} did not take a change in {WRITE_SECONDS} s: see to the disk") from error

    async def close(self) -> None:
        """Do what waits, end the thread, close the connection."""
        if not self._closed:
            self._closed = True
            self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            while group := self._next_group():
                wanted = [request for request in group if not request.answer.cancelled()]
                _answer(wanted, self._commit(wanted))
        finally:
            self._closed = True
            self._connection.close()

    def _next_group(self) -> list[_Request]:
        """All that wait, at least one; none: the end."""
        group: list[_Request] = []
        request = self._waiting.get()
        while request is not None:
            group.append(request)
            if len(group) == GROUP_WRITES:
                break
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                break
        if request is None and group:
            self._waiting.put(None)  # the end comes after this group
        return group

    def _commit(self, group: list[_Request]) -> list[Any]:
        try:
            with transaction(self._connection):
                return [_outcome(request.write, self._connection) for request in group]
        except sqlite3.Error as error:
            return [_Refused(explanation(error, self._path)) for _ in group]


def _outcome(write: Write, connection: sqlite3.Connection) -> Any:
    try:
        return write(connection)
    except Exception as error:  # top of a task: its caller gets the error
        if type(error) in (sqlite3.OperationalError, sqlite3.DatabaseError):
            raise  # the file or the disk, not this write
        return _Refused(error)


def _answer(group: list[_Request], outcomes: list[Any]) -> None:
    """Wake each event loop once, however many of its writes are done."""
    for loop in {request.loop for request in group}:
        done = [(r.answer, outcome) for r, outcome in zip(group, outcomes, strict=True) if r.loop is loop]
        with contextlib.suppress(RuntimeError):  # the loop has ended, and its callers with it
            loop.call_soon_threadsafe(_settle, done)


def _settle(done: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for answer, outcome in done:
        if answer.done():
            continue  # cancelled meanwhile
        if isinstance(outcome, _Refused):
            answer.set_exception(outcome.error)
        else:
            answer.set_result(outcome)

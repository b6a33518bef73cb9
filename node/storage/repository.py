"""A collection of one kind of domain value, written once for every storage.

It decides how often a change that lost a race is tried again; what the change is, its caller decides.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Generic, TypeVar

from federation.codec import from_document, to_document
from federation.errors import AbsentError, ConflictError, CorruptError, ExistsError, InvalidValueError
from node.storage.fields import KEY
from node.storage.port import Collection, Order, Query, Stored, Where

_T = TypeVar("_T")

CHANGE_ATTEMPTS: Final = 20
_PAGE: Final = 1000
_FIRST_PAUSE_SECONDS: Final = 0.001
_MOST_PAUSE_SECONDS: Final = 0.1


class Repository(Generic[_T]):
    """Values of one kind by their keys. ``what`` names one in sentences for people, e.g. ``"task"``."""

    def __init__(self, collection: Collection, kind: type[_T], key: Callable[[_T], str], what: str = "") -> None:
        """Over ``collection``, where nothing but this repository writes."""
        self._collection = collection
        self._kind = kind
        self._key = key
        self._what = what or kind.__name__.lower()

    async def get(self, key: str) -> _T | None:
        """The value under ``key``.

        Raises:
            CorruptError: what is stored there can't be read; so raise all that read.
        """
        stored = await self._collection.get(key)
        return None if stored is None else self._value(stored)

    async def require(self, key: str) -> _T:
        """The value under ``key``.

        Raises:
            AbsentError: there is none.
        """
        value = await self.get(key)
        if value is None:
            raise self._absent(key)
        return value

    async def add(self, value: _T) -> None:
        """Add ``value``.

        Raises:
            ExistsError: there is one under its key.
        """
        key = self._key(value)
        try:
            await self._collection.insert(key, to_document(value))
        except ExistsError as error:
            raise ExistsError(f"there is a {self._what} {key!r} already") from error

    async def put(self, value: _T) -> None:
        """Add ``value``, or put it in place of the one under its key, whatever that is by now."""
        key, body = self._key(value), to_document(value)
        for pause_seconds in _pauses():
            stored = await self._collection.get(key)
            if stored is None:
                won = await _won(self._collection.insert(key, body))
            else:
                won = await _won(self._collection.replace(key, body, stored.revision))
            if won:
                return
            await asyncio.sleep(pause_seconds)
        raise self._contended(key)

    async def change(self, key: str, fn: Callable[[_T], _T]) -> _T:
        """Put ``fn`` of the value in its place; the new value.

        ``fn`` is called again when another change came first, so it must do nothing but compute. What it raises is
        passed on and nothing is changed.

        Raises:
            AbsentError: there is none.
            ConflictError: others kept changing it.
        """
        for pause_seconds in _pauses():
            stored = await self._collection.get(key)
            if stored is None:
                raise self._absent(key)
            before = self._value(stored)
            after = fn(before)
            if self._key(after) != key:
                raise ValueError(f"a change of {self._what} {key!r} can't give it another key")
            if after == before or await _won(self._collection.replace(key, to_document(after), stored.revision)):
                return after
            await asyncio.sleep(pause_seconds)
        raise self._contended(key)

    async def remove(self, key: str) -> bool:
        """Remove the value under ``key``; whether there was one."""
        return await self._collection.delete(key)

    async def find(
        self, *where: Where, order: tuple[Order, ...] = (), limit: int = 1000, after: str | None = None
    ) -> list[_T]:
        """The values for which every condition holds; see ``Query``."""
        query = Query(where=where, order=order, limit=limit, after=after, blobs=False)
        return [self._value(stored) for stored in await self._collection.find(query)]

    async def all(self) -> list[_T]:
        """All values by their keys, however many there are; read a page at a time."""
        found: list[_T] = []
        last = ""
        while True:
            where = (Where(KEY, ">", last),) if last else ()
            page = await self.find(*where, order=(Order(KEY),), limit=_PAGE)
            found += page
            if len(page) < _PAGE:
                return found
            last = self._key(page[-1])

    async def count(self, *where: Where) -> int:
        """How many values meet every condition."""
        return await self._collection.count(where)

    def _absent(self, key: str) -> AbsentError:
        return AbsentError(f"there is no {self._what} {key!r}")

    def _value(self, stored: Stored) -> _T:
        try:
            return from_document(stored.body, self._kind)
        except InvalidValueError as error:
            raise CorruptError(f"the stored {self._what} {stored.key!r} can't be read: {error}") from error

    def _contended(self, key: str) -> ConflictError:
        return ConflictError(f"the {self._what} {key!r} is being changed by others all the time; try again later")


async def _won(write: Awaitable[int]) -> bool:
    """Whether ``write`` found what it expected. ``False``: another change came first."""
    try:
        await write
    except (ConflictError, AbsentError):
        return False
    return True


def _pauses() -> Iterator[float]:
    """Seconds to wait after each lost race: growing, and by chance, so that those who race draw apart."""
    for number in range(CHANGE_ATTEMPTS):
        yield random.uniform(0, min(_FIRST_PAUSE_SECONDS * 2**number, _MOST_PAUSE_SECONDS))  # noqa: S311 (no secret)

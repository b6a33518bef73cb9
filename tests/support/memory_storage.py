"""The fake of the storage port: passes the same contract suite, keeps everything in memory, can be told to fail."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from federation.errors import LocalError
from node.storage.documents import Layout, from_text, to_text
from node.storage.fields import KEY, check_key, rank, scalar
from node.storage.port import Document, Order, Query, Stored, Where


@dataclass
class _Row:
    revision: int
    text: str
    blob: bytes | None


def _value(stored: Stored, name: str) -> str | int | float | None:
    return stored.key if name == KEY else scalar(stored.body, name)


def _holds(stored: Stored, where: Where) -> bool:
    value, wanted = _value(stored, where.field), where.comparable
    if rank(value)[0] != rank(wanted)[0]:
        return False
    left, right = rank(value)[1], rank(wanted)[1]
    verdicts = {"==": left == right, "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
    return bool(verdicts[where.op])


def _is_behind(stored: Stored, orders: Sequence[Order], place: Sequence[str | int | float | None]) -> bool:
    for order, limit in zip(orders, place, strict=True):
        here, there = rank(_value(stored, order.field)), rank(limit)
        if here != there:
            return (here < there) if order.descending else (here > there)
    return False


@dataclass
class MemoryCollection:
    layout: Layout
    rows: dict[str, _Row] = field(default_factory=dict)
    failure: Exception | None = None
    writes: int = 0

    async def get(self, key: str) -> Stored | None:
        self._fail()
        check_key(key)
        return self._stored(key) if key in self.rows else None

    async def insert(self, key: str, body: Document, blob: bytes | None = None) -> int:
        self._fail()
        check_key(key)
        text = to_text(body, blob)
        if key in self.rows:
            raise self.layout.exists(key)
        self.rows[str(key)] = _Row(1, text, blob)
        self.writes += 1
        return 1

    async def replace(self, key: str, body: Document, if_revision: int, blob: bytes | None = None) -> int:
        self._fail()
        check_key(key)
        text = to_text(body, blob)
        if key not in self.rows:
            raise self.layout.absent(key)
        if self.rows[key].revision != if_revision:
            raise self.layout.conflict(key)
        self.rows[key] = _Row(if_revision + 1, text, blob)
        self.writes += 1
        return if_revision + 1

    async def delete(self, key: str, if_revision: int | None = None) -> bool:
        self._fail()
        check_key(key)
        if key not in self.rows:
            return False
        if if_revision is not None and self.rows[key].revision != if_revision:
            raise self.layout.conflict(key)
        del self.rows[key]
        self.writes += 1
        return True

    async def find(self, query: Query) -> list[Stored]:
        self._fail()
        self.layout.check_query(query)
        orders = query.whole_order
        found = [s for s in map(self._stored, self.rows) if all(_holds(s, where) for where in query.where)]
        if query.after is not None:
            place = query.position(query.after)
            found = [stored for stored in found if _is_behind(stored, orders, place)]
        for order in reversed(orders):
            found.sort(key=lambda s, name=order.field: rank(_value(s, name)), reverse=order.descending)  # type: ignore[misc]
        found = found[: query.limit]
        return found if query.blobs else [Stored(s.key, s.revision, s.body) for s in found]

    async def count(self, where: Sequence[Where] = ()) -> int:
        self._fail()
        self.layout.check(where)
        return sum(all(_holds(stored, w) for w in where) for stored in map(self._stored, self.rows))

    def _stored(self, key: str) -> Stored:
        row = self.rows[key]
        return Stored(key, row.revision, from_text(key, row.text), row.blob)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


Files = dict[str, dict[str, _Row]]
"""What outlives the closing of a storage: the rows of each collection."""


class MemoryStorage:
    """``collections`` are open to tests: look into one, or set its ``failure``, which each call then raises."""

    def __init__(self, files: Files | None = None) -> None:
        self._files = {} if files is None else files
        self.collections: dict[str, MemoryCollection] = {}

    def collection(self, name: str, indexes: Sequence[str] = ()) -> MemoryCollection:
        before = self.collections.get(name)
        if before is None:
            before = self.collections[name] = MemoryCollection(Layout(name, ()), self._files.setdefault(name, {}))
        before.layout = Layout(name, (*map(",".join, before.layout.indexes), *indexes))
        return before

    async def close(self) -> None:
        for collection in self.collections.values():
            collection.failure = LocalError("the storage is closed")

"""The port to document storage: what the repositories need, and no more than SQLite and MongoDB both give.

A document is a JSON object, optionally with a ``blob`` of bytes beside it, under a key in a collection. Only changes of
one document are atomic. Every change is durable when its call returns. A query names the key and declared index fields
only, so none can turn out to read everything. What a field is and how values compare stands in ``fields``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, get_args

import msgspec

from federation import limits
from federation.errors import InvalidValueError
from node.storage.fields import KEY, Scalar, check_field, scalar

Document = dict[str, Any]
Op = Literal["==", "<", "<=", ">", ">="]

DOCUMENT_BYTES: Final = 12 * limits.MIB
"""Of a body as JSON and its blob together; MongoDB takes 16 MiB."""

QUERY_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it stands. Its ``revision`` is 1 when inserted and one more after each replacement."""

    key: str
    revision: int
    body: Document
    blob: bytes | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on one field. ``== None`` holds where nothing is; the other operators want a number or a text."""

    field: str
    op: Op
    value: Scalar

    def __post_init__(self) -> None:
        if self.op not in get_args(Op):
            raise InvalidValueError(f"{self.op!r} is not a comparison")
        if self.value is None and self.op != "==":
            raise InvalidValueError(f"nothing is greater or less than nothing: {self.field} {self.op} None")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise InvalidValueError(f"{self.field} can't be compared with {self.value}")
        if self.field == KEY and not isinstance(self.value, str):
            raise InvalidValueError("a key is compared with a text")
        if self.field != KEY:
            check_field(self.field)

    @property
    def comparable(self) -> str | int | float | None:
        """The value as fields hold it."""
        return int(self.value) if isinstance(self.value, bool) else self.value


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by one field."""

    field: str
    descending: bool = False

    def __post_init__(self) -> None:
        if self.field != KEY:
            check_field(self.field)


@dataclass(frozen=True, slots=True)
class Query:
    """Documents for which every condition holds, sorted, at most ``limit``.

    Equal ones are sorted by key, in the direction of the last order. ``after``: a ``cursor`` of the document to
    continue behind, which need not exist any more. ``blobs=False`` leaves the blobs out of the answer.
    """

    where: Sequence[Where] = ()
    order: Sequence[Order] = ()
    limit: int = 1000
    after: str | None = None
    blobs: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= QUERY_LIMIT:
            raise InvalidValueError(f"a query returns between 1 and {QUERY_LIMIT} documents, not {self.limit}")
        if self.after is not None:
            self.position(self.after)

    @property
    def whole_order(self) -> tuple[Order, ...]:
        """The order down to the key, by which no two documents are equal."""
        if any(order.field == KEY for order in self.order):
            return tuple(self.order)
        return (*self.order, Order(KEY, descending=bool(self.order) and self.order[-1].descending))

    def cursor(self, stored: Stored) -> str:
        """What ``after`` has to be for the page that begins behind ``stored``."""
        place = [stored.key if o.field == KEY else scalar(stored.body, o.field) for o in self.whole_order]
        return msgspec.json.encode(place).decode()

    def position(self, cursor: str) -> tuple[str | int | float | None, ...]:
        """The values of ``whole_order`` that ``cursor`` stands for.

        Raises:
            InvalidValueError: not a cursor of this query.
        """
        try:
            place = msgspec.json.decode(cursor, type=tuple[str | int | float | None, ...])
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise InvalidValueError("the cursor was not given by this list; start from the beginning") from error
        if len(place) != len(self.whole_order):
            raise InvalidValueError("the cursor was given by another list; start from the beginning")
        return place


class Collection(Protocol):
    """Documents of one kind.

    Every method can raise ``UnreachableError`` (the server), ``LocalError`` and ``CorruptError`` (the file); those
    that write, ``DiskFullError``. A write that was cancelled or timed out may have been done or not.
    """

    async def get(self, key: str) -> Stored | None:
        """The document under ``key``."""
        ...

    async def insert(self, key: str, body: Document, blob: bytes | None = None) -> int:
        """Add a document; its revision, 1.

        Raises:
            ExistsError: there is one under ``key``.
            OversizedError: more than ``DOCUMENT_BYTES``.
        """
        ...

    async def replace(self, key: str, body: Document, if_revision: int, blob: bytes | None = None) -> int:
        """Put ``body`` and ``blob`` in place of both; the new revision.

        Raises:
            ConflictError: its revision is another by now.
            AbsentError: there is none.
            OversizedError: more than ``DOCUMENT_BYTES``.
        """
        ...

    async def delete(self, key: str, if_revision: int | None = None) -> bool:
        """Remove the document, if there is one.

        Raises:
            ConflictError: its revision is another by now.
        """
        ...

    async def find(self, query: Query) -> list[Stored]:
        """The documents that ``query`` describes, in its order.

        Raises:
            InvalidValueError: it names a field that is not declared.
        """
        ...

    async def count(self, where: Sequence[Where] = ()) -> int:
        """How many documents meet every condition.

        Raises:
            InvalidValueError: one names a field that is not declared.
        """
        ...


class Storage(Protocol):
    """A set of collections."""

    def collection(self, name: str, indexes: Sequence[str] = ()) -> Collection:
        """The collection ``name``, made if need be; called at start, may wait for the disk.

        ``indexes``: the fields that queries name; several joined by ``,`` make one index in that order.

        Raises:
            InvalidValueError: not a name or a field.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of all resources; every later call raises ``LocalError``."""
        ...

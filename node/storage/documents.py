"""Documents as storages keep them: JSON text within a bound, and queries checked against what was declared."""

from collections.abc import Iterable, Sequence

import msgspec

from federation.errors import AbsentError, ConflictError, CorruptError, ExistsError, InvalidValueError, OversizedError
from node.storage.fields import KEY, check_collection, index_fields
from node.storage.port import DOCUMENT_BYTES, Document, Order, Query, Where


class Layout:
    """What is declared of one collection."""

    def __init__(self, name: str, indexes: Sequence[str]) -> None:
        """The collection ``name`` with ``indexes``; ``InvalidValueError`` if one can't be."""
        self.name = check_collection(name)
        self.indexes = tuple(dict.fromkeys(index_fields(index) for index in indexes))
        self.fields = tuple(dict.fromkeys(field for index in self.indexes for field in index))

    def check(self, conditions: Iterable[Where | Order]) -> None:
        """Refuse a condition or order on a field that no index declares."""
        for condition in conditions:
            if condition.field != KEY and condition.field not in self.fields:
                raise InvalidValueError(
                    f"{self.name} is not searched by {condition.field!r}: declare an index on it where the "
                    "collection is opened"
                )

    def check_query(self, query: Query) -> None:
        """The same for all of ``query``."""
        self.check(query.where)
        self.check(query.order)

    def exists(self, key: str) -> ExistsError:
        """The error for a key that is taken."""
        return ExistsError(f"{key!r} is in {self.name} already")

    def conflict(self, key: str) -> ConflictError:
        """The error for a revision that is no longer current."""
        return ConflictError(f"{key!r} in {self.name} was changed by someone else meanwhile; read it again")

    def absent(self, key: str) -> AbsentError:
        """The error for a key that is not there."""
        return AbsentError(f"{key!r} is not in {self.name}")


def to_text(body: Document, blob: bytes | None) -> str:
    """``body`` as JSON.

    Raises:
        InvalidValueError: a text in it can't be written as UTF-8.
        OversizedError: too large, the blob counted.
    """
    try:
        content = msgspec.json.encode(body)
    except UnicodeEncodeError as error:
        raise InvalidValueError(f"a text can't be stored: {error.reason}") from error
    size = len(content) + len(blob or b"")
    if size > DOCUMENT_BYTES:
        raise OversizedError(f"a document of {size} bytes is larger than the {DOCUMENT_BYTES} that can be stored")
    return content.decode()


def from_text(key: str, text: str | bytes) -> Document:
    """The body that ``text`` holds.

    Raises:
        CorruptError: it holds none.
    """
    try:
        return msgspec.json.decode(text, type=Document)
    except msgspec.DecodeError as error:
        raise CorruptError(f"the stored document {key!r} can't be read: restore the database from a backup") from error

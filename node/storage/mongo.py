"""The storage port on MongoDB, by Motor, which nothing else imports.

A document is ``_id`` the key, ``r`` the revision, ``b`` the body as JSON text, ``x`` the blob, ``q`` what queries look
at. Every write is acknowledged by the majority of the servers and journalled. Names and rights of the address never
stand in an error.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from bson.binary import Binary
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import errors

from federation.errors import InvalidValueError, LocalError, UnreachableError
from node.storage.documents import Layout, from_text, to_text
from node.storage.fields import KEY, check_key
from node.storage.mongo_query import conditions, place, query_filter, query_sort, texts
from node.storage.port import Document, Query, Stored, Where

ANSWER_SECONDS: Final = 10.0
DEFAULT_DATABASE: Final = "vupdate"

_UNREACHABLE = (errors.ConnectionFailure, errors.ExecutionTimeout, errors.WTimeoutError, errors.WaitQueueTimeoutError)
_ACCESS_CODES: Final = (13, 18)  # Unauthorized, AuthenticationFailed


class MongoStorage:
    """The collections in the database that the path of ``uri`` names, or in ``vupdate``."""

    def __init__(self, uri: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Connects when first used. A call takes at most about ``answer_seconds``, tries again within them included.

        Raises:
            InvalidValueError: ``uri`` is not an address of MongoDB.
        """
        try:
            self._client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
                uri,
                timeoutMS=int(answer_seconds * 1000),
                w="majority",
                journal=True,
                readConcernLevel="majority",
            )
            self._database = self._client.get_default_database(DEFAULT_DATABASE)
        except (errors.PyMongoError, ValueError, TypeError):
            # Not chained: what the library says may repeat the address, and a password in it.
            raise InvalidValueError(
                "the address of MongoDB can't be read: it looks like mongodb://user:password@host:27017/database, "
                "with special characters of the password written as %XX"
            ) from None
        self._closed = False

    def collection(self, name: str, indexes: Sequence[str] = ()) -> "MongoCollection":
        """See ``Storage``; the server hears of it with the first call."""
        return MongoCollection(self, Layout(name, indexes))

    def raw(self, name: str) -> Any:
        """Motor's collection ``name``."""
        return self._database[name]

    @asynccontextmanager
    async def explained(self) -> AsyncIterator[None]:
        """Turn errors of the driver into ours.

        Raises:
            LocalError: closed.
        """
        if self._closed:
            raise LocalError("the storage is closed")
        try:
            yield
        except _UNREACHABLE as error:
            raise UnreachableError(
                "MongoDB does not answer: see whether it runs and can be reached. A change just made may be done or not"
            ) from error
        except errors.OperationFailure as error:
            if error.code in _ACCESS_CODES:
                raise LocalError(
                    "MongoDB refuses the name and password of its configured address, or their rights are too few"
                ) from error
            raise LocalError(f"MongoDB refused a call (code {error.code}): see its log") from error
        except errors.PyMongoError as error:
            raise LocalError(f"MongoDB can't be used ({type(error).__name__}): see its log") from error

    async def close(self) -> None:
        """See ``Storage``."""
        self._closed = True
        self._client.close()


class MongoCollection:
    """One collection; before its first call its indexes are made."""

    def __init__(self, storage: MongoStorage, layout: Layout) -> None:
        """Made by its storage."""
        self._storage = storage
        self._layout = layout
        self._ready = False
        self._preparing = asyncio.Lock()

    async def get(self, key: str) -> Stored | None:
        """See ``Collection``."""
        async with self._collection() as collection:
            found = await collection.find_one({"_id": check_key(key)})
        return None if found is None else _stored(found)

    async def insert(self, key: str, body: Document, blob: bytes | None = None) -> int:
        """See ``Collection``."""
        document = self._document(key, 1, body, blob)
        async with self._collection() as collection:
            try:
                await collection.insert_one(document)
            except errors.DuplicateKeyError as error:
                raise self._layout.exists(key) from error
        return 1

    async def replace(self, key: str, body: Document, if_revision: int, blob: bytes | None = None) -> int:
        """See ``Collection``."""
        document = self._document(key, if_revision + 1, body, blob)
        async with self._collection() as collection:
            result = await collection.update_one({"_id": document.pop("_id"), "r": if_revision}, _change(document))
            if result.matched_count == 0:
                raise self._layout.conflict(key) if await self._has(collection, key) else self._layout.absent(key)
        return if_revision + 1

    async def delete(self, key: str, if_revision: int | None = None) -> bool:
        """See ``Collection``."""
        revision = {} if if_revision is None else {"r": if_revision}
        async with self._collection() as collection:
            result = await collection.delete_one({"_id": check_key(key), **revision})
            if result.deleted_count == 0 and if_revision is not None and await self._has(collection, key):
                raise self._layout.conflict(key)
        return bool(result.deleted_count)

    async def find(self, query: Query) -> list[Stored]:
        """See ``Collection``."""
        self._layout.check_query(query)
        unwanted = {"q": 0} if query.blobs else {"q": 0, "x": 0}
        async with self._collection() as collection:
            cursor = collection.find(query_filter(query), unwanted, sort=query_sort(query), limit=query.limit)
            return [_stored(document) for document in await cursor.to_list(query.limit)]

    async def count(self, where: Sequence[Where] = ()) -> int:
        """See ``Collection``."""
        self._layout.check(where)
        async with self._collection() as collection:
            return int(await collection.count_documents(conditions(where)))

    def _document(self, key: str, revision: int, body: Document, blob: bytes | None) -> dict[str, Any]:
        kept = texts(self._layout, check_key(key), body)
        document = {"_id": str(key), "r": revision, "b": to_text(body, blob), "q": kept}
        return document if blob is None else {**document, "x": Binary(blob)}

    async def _has(self, collection: Any, key: str) -> bool:
        return await collection.find_one({"_id": key}, {"_id": 1}) is not None

    @asynccontextmanager
    async def _collection(self) -> AsyncIterator[Any]:
        """Motor's collection, prepared; its errors are explained."""
        async with self._storage.explained():
            collection = self._storage.raw(self._layout.name)
            if not self._ready:
                async with self._preparing:
                    await self._prepare(collection)
                    self._ready = True
            yield collection

    async def _prepare(self, collection: Any) -> None:
        for fields in self._layout.indexes:
            columns = [(place(field), 1) for field in (*fields, KEY)]
            await collection.create_index(columns, name=",".join(fields))
        for field in self._layout.fields:
            # Documents written before the field was declared.
            async for document in collection.find({place(field): {"$exists": False}}):
                kept = texts(self._layout, document["_id"], from_text(document["_id"], document["b"]))
                same = {"_id": document["_id"], "r": document["r"]}
                await collection.update_one(same, {"$set": {"q": kept}})


def _change(document: dict[str, Any]) -> dict[str, Any]:
    """Puts ``document`` in place. By operators: servers that only speak MongoDB's protocol replace no bytes."""
    return {"$set": document} if "x" in document else {"$set": document, "$unset": {"x": ""}}


def _stored(document: dict[str, Any]) -> Stored:
    key, blob = document["_id"], document.get("x")
    return Stored(key, document["r"], from_text(key, document["b"]), None if blob is None else bytes(blob))

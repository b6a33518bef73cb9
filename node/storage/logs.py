"""The logs of services and tasks: blocks of records in one collection of any document storage.

A batch is durable when ``append`` returns, and a record is kept once however often it is sent. Small blocks are merged:
first the merged block is stored, later its parts are removed, so that whoever reads meanwhile finds each record at
least once; records found twice are answered once.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog

from federation import limits
from federation.clock import Clock, SystemClock
from federation.errors import (
    AbsentError,
    ConflictError,
    ExistsError,
    InvalidValueError,
    OversizedError,
    VUpdateError,
)
from federation.log import LogRecord
from node.storage.fields import KEY
from node.storage.log_block import BLOCK_BYTES, BLOCK_RECORDS, Block, block_key, head_of, microseconds, split
from node.storage.log_search import SEARCHED_INDEXES, Search
from node.storage.log_values import MOST_SEQUENCE, FoundRecord, LogQuery, StreamKey
from node.storage.port import Collection, Order, Query, Storage, Stored, Where

__all__ = ["FoundRecord", "LogQuery", "LogStore", "StreamKey"]

_log = structlog.get_logger(__name__)

SEARCH_SECONDS: Final = 30
PARTS_KEPT_SECONDS: Final = 2 * SEARCH_SECONDS
"""Parts outlive their merging by this, longer than any search that may have begun before it."""

MERGE_EVERY_APPENDS: Final = 64
_HEADS_FIRST: Final = 64
_HEADS_MORE: Final = 1000
_BLOCKS_AT_ONCE: Final = 32
_NEIGHBOURS: Final = 32
_COUNTED_STREAMS: Final = 10_000


class LogStore:
    """Log records by stream."""

    def __init__(self, storage: Storage, clock: Clock | None = None) -> None:
        """In the collection ``logs`` of ``storage``."""
        self._blocks: Collection = storage.collection("logs", (*SEARCHED_INDEXES, "small", "merging"))
        self._clock = clock or SystemClock()
        self._appends: Counter[StreamKey] = Counter()

    async def append(self, stream: StreamKey, records: Sequence[LogRecord]) -> int:
        """Keep those of ``records`` that are not kept yet; the highest sequence number now held of ``stream``.

        When it raises, the first of ``records`` may be kept, without a gap; send all again.

        Raises:
            OversizedError: more than ``LOG_BATCH_RECORDS``.
            InvalidValueError: a sequence number below 1 or beyond any sense.
        """
        batch = _in_order(records)
        if not batch:
            return await self.last_sequence(stream)
        before = await self.last_sequence(stream)
        kept = await self._sequences(stream, batch) if batch[0].sequence <= before else frozenset()
        for portion in split(record for record in batch if record.sequence not in kept):
            block = await asyncio.to_thread(Block.of, stream, portion)
            # One after the other: a failure in between must not leave a gap behind which more is kept.
            with suppress(ExistsError):  # the same portion came by another way at the same time
                await self._blocks.insert(block.key, block.body, block.blob)
        await self._merge_now_and_then(stream)
        return max(batch[-1].sequence, before)

    async def last_sequence(self, stream: StreamKey) -> int:
        """The highest sequence number held of ``stream``; 0: none."""
        near = await self._blocks_before(stream, MOST_SEQUENCE)
        return max((stored.body["last"] for stored in near), default=0)

    async def search(self, query: LogQuery) -> list[FoundRecord]:
        """The records that ``query`` describes.

        Memory is bounded by its limit and a few blocks.

        Raises:
            InvalidValueError: it took too long; the sentence says how to narrow it.
            CorruptError: a block is damaged.
        """
        search = Search(query)
        if search.is_empty:
            return []
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                await self._look_through(search)
        except TimeoutError as error:
            raise InvalidValueError(
                f"the search took longer than {SEARCH_SECONDS} s: narrow it by service, instance or time"
            ) from error
        return search.found()

    async def merge_small(self, stream: StreamKey) -> int:
        """Merge the small blocks of ``stream`` and remove parts merged long enough ago; how many blocks were made."""
        return await self._merge(stream.text)

    async def maintain(self) -> int:
        """The same for all streams that have small blocks or parts; to be called now and then. How many were made."""
        waiting = [key async for key in self._streams("small")]
        merging = [key async for key in self._streams("merging")]
        many = {stream for stream, count in Counter(waiting).items() if count > 1}
        return sum([await self._merge(stream) for stream in sorted(many | set(merging))])

    async def _look_through(self, search: Search) -> None:
        where, order = tuple(search.where()), search.order
        query: Query | None = Query(where=where, order=order, limit=_HEADS_FIRST, blobs=False)
        while query is not None:
            heads = await self._blocks.find(query)
            for group in _growing([head for head in heads if search.wants(head)]):
                if search.is_over(group[0]):
                    return
                await asyncio.to_thread(search.take, await self._open([head.key for head in group]))
            more = len(heads) == query.limit
            query = replace(query, limit=_HEADS_MORE, after=query.cursor(heads[-1])) if more else None

    async def _open(self, keys: Iterable[str]) -> list[Block]:
        """The blocks under ``keys``, those removed meanwhile left out."""
        return [Block.stored(stored) for key in keys if (stored := await self._blocks.get(key)) is not None]

    async def _blocks_before(self, stream: StreamKey, last: int) -> list[Stored]:
        """The heads of the last blocks of ``stream`` that begin at or before ``last``, latest first.

        A few are enough: blocks follow each other, and those that overlap (parts and what was made of them, or the
        same records come twice at the same time) stand together.
        """
        where = (Where(KEY, ">=", block_key(stream, 0, 0)), Where(KEY, "<=", block_key(stream, last, MOST_SEQUENCE)))
        order = (Order(KEY, descending=True),)
        return await self._blocks.find(Query(where=where, order=order, limit=_NEIGHBOURS, blobs=False))

    async def _sequences(self, stream: StreamKey, batch: list[LogRecord]) -> frozenset[int]:
        """The sequence numbers of ``batch`` that are kept already, and others."""
        kept: set[int] = set()
        for stored in await self._blocks_before(stream, batch[-1].sequence):
            head = head_of(stored)
            if head.last >= batch[0].sequence:
                blocks = [Block(stored.key, head, b"")] if head.is_whole else await self._open([stored.key])
                kept.update(sequence for block in blocks for sequence in block.sequences())
        return frozenset(kept)

    async def _merge_now_and_then(self, stream: StreamKey) -> None:
        self._appends[stream] += 1
        if self._appends[stream] < MERGE_EVERY_APPENDS:
            if len(self._appends) > _COUNTED_STREAMS:
                self._appends.clear()  # their merging comes later, by ``maintain``
            return
        del self._appends[stream]
        try:
            await self.merge_small(stream)
        except VUpdateError as error:
            # The records are kept; only the tidying has to wait.
            _log.warning("log blocks not merged", stream=stream.text, error=error.message)

    async def _merge(self, stream: str) -> int:
        await self._remove_parts(stream)
        merged = await self._all(Where("merging", "==", stream))
        busy = {key for stored in merged for key in (stored.key, *stored.body["parts"])}
        small = [stored for stored in await self._all(Where("small", "==", stream)) if stored.key not in busy]
        groups = [group for group in _full(small) if len(group) > 1]
        for group in groups:
            blocks = await self._open([stored.key for stored in group])
            block = await asyncio.to_thread(_merged, blocks, microseconds(self._clock.now()))
            with suppress(ExistsError):  # done by someone else at the same time
                await self._blocks.insert(block.key, block.body, block.blob)
        return len(groups)

    async def _remove_parts(self, stream: str) -> None:
        """Remove the parts of blocks merged long enough ago; done in part, it is done again."""
        before = microseconds(self._clock.now()) - PARTS_KEPT_SECONDS * 1_000_000
        for stored in await self._all(Where("merging", "==", stream)):
            head = head_of(stored)
            if head.merged_at > before:
                continue
            for part in head.parts:  # the earliest first: what is left stands beside what follows
                await self._blocks.delete(part)
            whole = await self._blocks.get(stored.key)
            if whole is not None:
                settled = Block(stored.key, head.settled(), whole.blob or b"")
                with suppress(ConflictError, AbsentError):  # done by someone else at the same time
                    await self._blocks.replace(settled.key, settled.body, stored.revision, settled.blob)

    async def _all(self, where: Where) -> list[Stored]:
        """The heads of the first blocks that meet ``where``, by key; what is beyond waits for another time."""
        return await self._blocks.find(Query(where=(where,), order=(Order(KEY),), limit=_HEADS_MORE, blobs=False))

    async def _streams(self, field: str) -> AsyncIterator[str]:
        """The stream that stands in ``field``, once for each block in which one does."""
        query: Query | None = Query(
            where=(Where(field, ">", ""),), order=(Order(field),), limit=_HEADS_MORE, blobs=False
        )
        while query is not None:
            heads = await self._blocks.find(query)
            for stored in heads:
                yield stored.body[field]
            query = replace(query, after=query.cursor(heads[-1])) if len(heads) == query.limit else None


def _in_order(records: Sequence[LogRecord]) -> list[LogRecord]:
    """``records`` by sequence number, each number once."""
    if len(records) > limits.LOG_BATCH_RECORDS:
        raise OversizedError(f"a log batch has at most {limits.LOG_BATCH_RECORDS} records")
    batch = sorted({record.sequence: record for record in records}.values(), key=lambda record: record.sequence)
    if batch and not 1 <= batch[0].sequence <= batch[-1].sequence <= MOST_SEQUENCE:
        raise InvalidValueError(f"sequence numbers of log records stand between 1 and {MOST_SEQUENCE}")
    return batch


def _growing(heads: list[Stored]) -> Iterator[list[Stored]]:
    """``heads`` in groups of 1, 2, 4 … : a search that needs few opens few."""
    start, size = 0, 1
    while start < len(heads):
        yield heads[start : start + size]
        start, size = start + size, min(2 * size, _BLOCKS_AT_ONCE)


def _full(small: list[Stored]) -> Iterator[list[Stored]]:
    """Neighbours, nothing missing between them, in groups that fill one block each or a part of it."""
    group: list[Stored] = []
    count = size = end = 0
    for stored in small:
        head = stored.body
        fits = count + head["count"] <= BLOCK_RECORDS and size + head["size"] <= BLOCK_BYTES
        if group and not (fits and head["first"] <= end + 1):
            yield group
            group, count, size, end = [], 0, 0, 0
        group.append(stored)
        count, size, end = count + head["count"], size + head["size"], max(end, head["last"])
    if group:
        yield group


def _merged(blocks: list[Block], at: int) -> Block:
    records = {record.sequence: record for block in blocks for record in block.records()}
    whole = Block.of(blocks[0].head.stream, [records[sequence] for sequence in sorted(records)])
    return replace(whole, head=whole.head.merged(tuple(block.key for block in blocks), at))

"""A block of log records: consecutive records of one stream, compressed together. Pure.

A block's content is JSON by columns, sequence numbers and times as differences, under zstd: 18 bytes a line where lines
kept whole take 23. Beside it stands a head that says enough to pass over the block in a search.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Final

import msgspec

from federation.codec import from_document, to_document
from federation.errors import CorruptError, InvalidValueError
from federation.log import Level, LogRecord
from federation.names import InstanceName, RoleName, ServiceName
from node.storage.log_values import StreamKey
from node.storage.port import Document, Stored

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK_RECORDS: Final = 1000
BLOCK_BYTES: Final = 1024 * 1024
"""Of messages. A record longer than this has a block of its own."""

SMALL_RECORDS: Final = BLOCK_RECORDS // 2
"""A block of fewer records (and not nearly full of bytes) waits to be merged."""

_ZSTD_LEVEL: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_RANKS: Final = {level: number for number, level in enumerate(Level)}


def microseconds(moment: datetime) -> int:
    """``moment`` as blocks keep times: since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def rank(level: Level) -> int:
    """The place of ``level`` among all, least severe first."""
    return _RANKS[level]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHead:
    """What is known of a block without opening it; the body of its document.

    ``first`` and ``last`` are sequence numbers, ``since`` and ``until`` the earliest and the latest time, ``top`` the
    rank of the most severe level, ``size`` the bytes of its messages. ``small``: the stream, while the block waits to
    be merged. ``merging``: the stream, while the blocks it was merged from (``parts``, at ``merged_at``) may still be
    there.
    """

    service: ServiceName | None
    role: RoleName | None
    instance: InstanceName | None
    run: str | None
    task: str | None
    first: int
    last: int
    count: int
    since: int
    until: int
    top: int
    levels: tuple[Level, ...]
    size: int
    small: str | None = None
    merging: str | None = None
    merged_at: int = 0
    parts: tuple[str, ...] = ()

    @property
    def stream(self) -> StreamKey:
        """The stream whose records these are."""
        return StreamKey(
            service=self.service, role=self.role, instance=self.instance, run=self.run or "", task=self.task or ""
        )

    @property
    def is_whole(self) -> bool:
        """Whether it holds every sequence number between its first and its last."""
        return self.count == self.last - self.first + 1

    def merged(self, parts: tuple[str, ...], at: int) -> "BlockHead":
        """The head of a block made of the blocks ``parts``."""
        return replace(self, merging=self.stream.text, merged_at=at, parts=parts)

    def settled(self) -> "BlockHead":
        """The head once its parts are gone."""
        return replace(self, merging=None, merged_at=0, parts=())


class _Columns(msgspec.Struct):
    """Column by column; ``sequence`` and ``time`` hold the difference to the record before."""

    sequence: list[int]
    time: list[int]
    level: list[Level]
    unit: list[str]
    message: list[str]


Wanted = Callable[[int, int, Level, str], bool]
"""Whether the record of this sequence number, time in microseconds, level and message is wanted."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Columns)


@dataclass(frozen=True, slots=True)
class Block:
    """A head, its content, and the key of both."""

    key: str
    head: BlockHead
    blob: bytes

    @property
    def body(self) -> Document:
        """The document to store."""
        return to_document(self.head)

    @classmethod
    def of(cls, stream: StreamKey, records: Sequence[LogRecord]) -> "Block":
        """``records``, at least one, by ascending sequence number."""
        times = [microseconds(record.time) for record in records]
        levels = {record.level for record in records}
        messages = [record.message for record in records]
        columns = _Columns(
            _differences([record.sequence for record in records]),
            _differences(times),
            [record.level for record in records],
            [record.unit for record in records],
            messages,
        )
        size = sum(map(len, messages))
        is_small = len(records) < SMALL_RECORDS and size < BLOCK_BYTES // 2
        head = BlockHead(
            service=stream.service,
            role=stream.role,
            instance=stream.instance,
            run=stream.run or None,
            task=stream.task or None,
            first=records[0].sequence,
            last=records[-1].sequence,
            count=len(records),
            since=min(times),
            until=max(times),
            top=max(map(rank, levels)),
            levels=tuple(sorted(levels, key=rank)),
            size=size,
            small=stream.text if is_small else None,
        )
        return cls(block_key(stream, head.first, head.last), head, zstd.compress(_ENCODER.encode(columns), _ZSTD_LEVEL))

    @classmethod
    def stored(cls, stored: Stored) -> "Block":
        """The block that a document holds.

        Raises:
            CorruptError: it holds none.
        """
        return cls(stored.key, head_of(stored), stored.blob or b"")

    def content(self) -> bytes:
        """The columns as JSON.

        Raises:
            CorruptError: damaged.
        """
        try:
            return zstd.decompress(self.blob)
        except zstd.ZstdError as error:
            raise _damaged(self.key) from error

    def records(self, content: bytes | None = None, wanted: "Wanted | None" = None) -> Iterator[LogRecord]:
        """The records that are ``wanted``, by sequence number; ``content`` spares unpacking it again.

        Raises:
            CorruptError: damaged.
        """
        columns = self._columns(content or self.content())
        rows = zip(
            accumulate(columns.sequence),
            accumulate(columns.time),
            columns.level,
            columns.message,
            columns.unit,
            strict=True,
        )
        for sequence, time, level, message, unit in rows:
            if wanted is None or wanted(sequence, time, level, message):
                moment = _EPOCH + timedelta(microseconds=time)
                yield LogRecord(sequence=sequence, time=moment, level=level, message=message, unit=unit)

    def sequences(self) -> Iterable[int]:
        """The sequence numbers in it, ascending."""
        if self.head.is_whole:
            return range(self.head.first, self.head.last + 1)
        return accumulate(self._columns(self.content()).sequence)

    def _columns(self, content: bytes) -> _Columns:
        try:
            return _DECODER.decode(content)
        except msgspec.DecodeError as error:
            raise _damaged(self.key) from error


def block_key(stream: StreamKey, first: int, last: int) -> str:
    """Sorts by stream, then by first sequence number. The same records always have the same key."""
    return f"{stream.text}#{first:016d}-{last:016d}"


def stream_text(key: str) -> str:
    """The text of the stream that the block under ``key`` belongs to."""
    return key.rpartition("#")[0]


def head_of(stored: Stored) -> BlockHead:
    """The head that a document holds.

    Raises:
        CorruptError: it holds none.
    """
    try:
        return from_document(stored.body, BlockHead)
    except InvalidValueError as error:
        raise _damaged(stored.key) from error


def split(records: Iterable[LogRecord]) -> Iterator[list[LogRecord]]:
    """``records`` in the portions that make one block each."""
    portion: list[LogRecord] = []
    size = 0
    for record in records:
        length = len(record.message)
        if portion and (len(portion) == BLOCK_RECORDS or size + length > BLOCK_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(record)
        size += length
    if portion:
        yield portion


def _differences(numbers: list[int]) -> list[int]:
    return [numbers[0], *(after - before for before, after in pairwise(numbers))]


def _damaged(key: str) -> CorruptError:
    return CorruptError(f"the stored log block {key!r} is damaged: restore the database from a backup")

"""Searching blocks of logs: which blocks can hold an answer, which records are one, when enough are found. Pure."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from federation.log import Level, LogRecord
from node.storage.fields import KEY
from node.storage.log_block import Block, microseconds, rank, stream_text
from node.storage.log_values import FoundRecord, LogQuery
from node.storage.port import Order, Stored, Where

SEARCHED_INDEXES: Final = (
    "service,until",
    "instance,until",
    "run,until",
    "task,until",
    "until,since,top,role,last",
)
"""What the queries made here name."""

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)

_Place = tuple[Any, ...]
"""Sorts an answer: the one to show first is the least."""


class TextFilter:
    """Finds a text in messages; whole blocks are passed over by one look at their bytes."""

    def __init__(self, text: str, *, match_case: bool) -> None:
        self._match_case = match_case
        self._text = text if match_case else text.casefold()
        # As it stands inside JSON. Folding case and escaping don't disturb each other.
        self._escaped = msgspec.json.encode(self._text)[1:-1]

    def may_be_in(self, content: bytes) -> bool:
        """Whether a message in ``content``, JSON, can hold the text."""
        if self._match_case:
            return self._escaped in content
        if content.isascii():
            return self._escaped in content.lower()
        return self._escaped.decode() in content.decode().casefold()

    def is_in(self, message: str) -> bool:
        """Whether ``message`` holds the text."""
        return self._text in (message if self._match_case else message.casefold())


class Search:
    """One search while it goes on: takes blocks in ``order`` and keeps the best records seen, a bounded number."""

    def __init__(self, query: LogQuery) -> None:
        self._query = query
        self._levels = query.wanted_levels
        self._all_levels = len(self._levels) == len(Level)
        self._level_names = {level.value for level in self._levels}
        self._since = microseconds(query.since or _EARLIEST)
        self._until = microseconds(query.until or _LATEST) + (query.until is None)
        self._after = query.after_sequence or 0
        self._text = TextFilter(query.text, match_case=query.match_case) if query.text else None
        self._found: dict[_Place, FoundRecord] = {}
        self._worst: _Place = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be found, whatever is stored."""
        return not self._levels or self._since >= self._until

    @property
    def order(self) -> tuple[Order, ...]:
        """The order in which blocks have to be taken."""
        if self._query.after_sequence is not None:
            return (Order(KEY),)
        return (Order("until", descending=True),) if self._query.newest_first else (Order("since"),)

    def where(self) -> Iterator[Where]:
        """What holds of every block that can hold an answer."""
        query = self._query
        given = {"service": query.service, "role": query.role, "instance": query.instance, "run": query.run}
        yield from (Where(field, "==", value) for field, value in given.items() if value)
        if query.task:
            yield Where("task", "==", query.task)
        elif not any(given.values()):
            yield Where("task", "==", None)
        if query.since is not None:
            yield Where("until", ">=", microseconds(query.since))
        if query.until is not None:
            yield Where("since", "<", microseconds(query.until))
        if query.after_sequence is not None:
            yield Where("last", ">", query.after_sequence)
        if (least := min(map(rank, self._levels), default=0)) > 0:
            yield Where("top", ">=", least)

    def wants(self, stored: Stored) -> bool:
        """Whether this block can hold an answer, as far as its head tells."""
        return not self._level_names.isdisjoint(stored.body["levels"])

    def is_over(self, stored: Stored) -> bool:
        """Whether neither this block nor any behind it in ``order`` can add to what was found."""
        if len(self._found) < self._query.limit:
            return False
        worst = self._worst
        if self._query.after_sequence is not None:
            return (stream_text(stored.key), stored.body["first"]) > worst
        best: int = -stored.body["until"] if self._query.newest_first else stored.body["since"]
        return bool(best > worst[0])

    def take(self, blocks: Iterable[Block]) -> None:
        """Look through ``blocks``; keep the best records only.

        Raises:
            CorruptError: one is damaged.
        """
        for block in blocks:
            stream = block.head.stream
            text = stream.text
            for record in self._answers(block):
                self._found[self._place(text, record)] = FoundRecord(stream=stream, record=record)
            self._shorten()
        self._worst = max(self._found, default=())

    def found(self) -> list[FoundRecord]:
        """The records found, in the order asked for."""
        return [self._found[place] for place in sorted(self._found)]

    def _answers(self, block: Block) -> Iterator[LogRecord]:
        content = block.content()
        if self._text is not None and not self._text.may_be_in(content):
            return iter(())
        return block.records(content, self._is_wanted)

    def _is_wanted(self, sequence: int, time: int, level: Level, message: str) -> bool:
        return (
            sequence > self._after
            and self._since <= time < self._until
            and (self._all_levels or level in self._levels)
            and (self._text is None or self._text.is_in(message))
        )

    def _place(self, stream: str, record: LogRecord) -> _Place:
        """Equal for the same record found in two blocks, so that it is answered once."""
        if self._query.after_sequence is not None:
            return (stream, record.sequence)
        time = microseconds(record.time)
        return (-time, stream, -record.sequence) if self._query.newest_first else (time, stream, record.sequence)

    def _shorten(self) -> None:
        if len(self._found) > self._query.limit:
            self._found = {place: self._found[place] for place in sorted(self._found)[: self._query.limit]}

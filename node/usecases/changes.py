"""Tells whoever listens that something changed, at once and without polling.

A change is a hint: it names a topic and a subject, and the listener reads what is true from its source. A listener
that is too slow loses single hints but is told so by one change without a subject, so it can read everything again.
"""

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Self


class Topic(enum.Enum):
    """What a change is about."""

    DESIRED = "desired"
    VERSIONS = "versions"
    TASKS = "tasks"
    LINKS = "links"
    INSTANCES = "instances"
    FAULTS = "faults"
    SERVICES = "services"
    PROFILES = "profiles"
    LOGS = "logs"
    CATALOGS = "catalogs"
    ALARMS = "alarms"
    NEARBY = "nearby"
    OUTBOX = "outbox"
    TESTED = "tested"


@dataclass(frozen=True, slots=True)
class Change:
    """Something about ``topic`` changed; an empty ``subject`` means: anything of the topic may have."""

    topic: Topic
    subject: str = ""


ALL_TOPICS: Final = frozenset(Topic)
_WAITING_MOST: Final = 256


class Listener:
    """An asynchronous iterator over the changes of some topics: each that waits stands once, oldest first.

    A wait for the next one may be cancelled, e.g. by a time-out, without losing any.
    """

    def __init__(self, topics: frozenset[Topic]) -> None:
        self._topics = topics
        self._waiting: dict[Change, None] = {}
        self._arrived = asyncio.Event()

    def offer(self, change: Change) -> None:
        """Add ``change`` if it is of these topics; never waits."""
        if change.topic not in self._topics:
            return
        if len(self._waiting) >= _WAITING_MOST:
            self._waiting = {Change(topic): None for topic in {one.topic for one in self._waiting} | {change.topic}}
        else:
            self._waiting[change] = None
        self._arrived.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        change = next(iter(self._waiting))
        del self._waiting[change]
        return change


class ChangeHub:
    """Hands each published change to the listeners of its topic. Belongs to one event loop."""

    def __init__(self) -> None:
        # In the order of their coming, so that what one change sets off is always the same.
        self._listeners: dict[Listener, None] = {}
        self._watchers: list[Callable[[Change], None]] = []

    def publish(self, topic: Topic, subject: str = "") -> None:
        """Tell all listeners of ``topic``; never waits."""
        change = Change(topic, subject)
        for watcher in self._watchers:
            watcher(change)
        for listener in self._listeners:
            listener.offer(change)

    def watch(self, noticed: Callable[[Change], None]) -> None:
        """Call ``noticed`` with each change from now on, before anybody else hears of it; it must not wait."""
        self._watchers.append(noticed)

    @contextlib.asynccontextmanager
    async def subscribe(self, topics: frozenset[Topic] = ALL_TOPICS) -> AsyncIterator[Listener]:
        """The changes of ``topics`` from now on, for as long as the block runs."""
        listener = Listener(topics)
        self._listeners[listener] = None
        try:
            yield listener
        finally:
            del self._listeners[listener]

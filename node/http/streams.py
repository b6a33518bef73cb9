"""Streams of server-sent events to agents and consumers: the newest serial at once, and after each change."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from quart import Response

from federation.link.events import HEARTBEAT, HEARTBEAT_SECONDS, Event, encode_event
from node.usecases.changes import Change, ChangeHub, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What one stream tells: ``newest`` after changes of ``topics``, as long as ``allowed``.

    ``subjects``: of a topic that stands here, only changes of this subject wake the stream.
    """

    topics: frozenset[Topic]
    subjects: Mapping[Topic, str] = field(default_factory=dict)
    newest: Callable[[], Awaitable[Event]]
    allowed: Callable[[], Awaitable[bool]]
    presence: Callable[[], AbstractContextManager[None]]

    def concerns(self, change: Change) -> bool:
        """Whether ``change`` may be about what this stream tells."""
        return not change.subject or self.subjects.get(change.topic, change.subject) == change.subject


async def _events(hub: ChangeHub, feed: Feed) -> AsyncIterator[bytes]:
    told: Event | None = None
    with feed.presence():
        async with hub.subscribe(feed.topics) as changes:
            while await feed.allowed():
                newest = await feed.newest()
                yield encode_event(newest) if newest != told else HEARTBEAT
                told = newest
                await _change_or_heartbeat(changes, feed)


async def _change_or_heartbeat(changes: AsyncIterator[Change], feed: Feed) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEARTBEAT_SECONDS):
            while not feed.concerns(await anext(changes)):
                pass


def event_stream(hub: ChangeHub, feed: Feed) -> Response:
    """``feed`` as a response that never ends by itself."""
    response = Response(
        _events(hub, feed),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
    response.timeout = None
    return response

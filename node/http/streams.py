"""Streams of server-sent events to agents and consumers: the newest serial at once, and after each change."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from quart import Response

from federation.link.events import HEARTBEAT, HEARTBEAT_SECONDS, Event, encode_event
from node.usecases.changes import ChangeHub, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What one stream tells: ``newest`` after changes of ``topics``, as long as ``allowed``."""

    topics: frozenset[Topic]
    newest: Callable[[], Awaitable[Event]]
    allowed: Callable[[], Awaitable[bool]]
    presence: Callable[[], AbstractContextManager[None]]


async def _events(hub: ChangeHub, feed: Feed) -> AsyncIterator[bytes]:
    told: Event | None = None
    with feed.presence():
        async with hub.subscribe(feed.topics) as changes:
            while await feed.allowed():
                newest = await feed.newest()
                yield encode_event(newest) if newest != told else HEARTBEAT
                told = newest
                await _change_or_heartbeat(changes)


async def _change_or_heartbeat(changes: AsyncIterator[object]) -> None:
    try:
        async with asyncio.timeout(HEARTBEAT_SECONDS):
            await anext(changes)
    except TimeoutError:
        return


def event_stream(hub: ChangeHub, feed: Feed) -> Response:
    """``feed`` as a response that never ends by itself."""
    response = Response(
        _events(hub, feed),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
    response.timeout = None
    return response

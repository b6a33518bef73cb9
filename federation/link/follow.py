"""Follows a peer's event stream for ever: connects anew with full-jitter back-off, and says when to catch up."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from federation.backoff import Backoff
from federation.clock import Clock
from federation.errors import AbsentError, ConflictError, DeniedError, RemoteError, VUpdateError
from federation.link.events import Event

CONNECTED: Final = Event(name="connected")
"""Comes after each connect: what was told while away was missed, so the reader asks for the whole state once."""

FIRST_DELAY_SECONDS: Final = 0.2
MOST_DELAY_SECONDS: Final = 60.0
GOOD_STRETCH_SECONDS: Final = 10.0


class EventSource(Protocol):
    """What ``follow`` needs of a ``PeerClient``."""

    @property
    def clock(self) -> Clock: ...

    def events(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]: ...


def reconnect_backoff(rng: random.Random | None = None) -> Backoff:
    """The usual pauses between two connections: up to 0.2 s at first, up to a minute later."""
    return Backoff(FIRST_DELAY_SECONDS, MOST_DELAY_SECONDS, rng or random.SystemRandom())


def _ignore(_error: VUpdateError) -> None:
    """Let the error pass."""


async def _connection(client: EventSource, path: str, on_state: Callable[[bool], None]) -> AsyncGenerator[Event, None]:
    async with client.events(path) as events:
        on_state(True)
        try:
            yield CONNECTED
            async for event in events:
                yield event
        finally:
            on_state(False)


async def follow(
    client: EventSource,
    path: str,
    *,
    backoff: Backoff,
    on_state: Callable[[bool], None],
    on_error: Callable[[VUpdateError], None] = _ignore,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[Event, None]:
    """The events at ``path``, each connection's preceded by ``CONNECTED``; never ends by itself.

    ``on_state`` hears of each connect and disconnect, ``on_error`` why a connection failed or broke. Refusals are
    tried again as well: rights come back. Close it (``contextlib.aclosing``) when leaving the loop early.
    """
    attempt = 0
    while True:
        began: float | None = None
        try:
            async with contextlib.aclosing(_connection(client, path, on_state)) as events:
                async for event in events:
                    began = client.clock.monotonic() if event is CONNECTED else began
                    yield event
        except (RemoteError, DeniedError, AbsentError, ConflictError) as error:
            on_error(error)
        if began is not None and client.clock.monotonic() - began >= GOOD_STRETCH_SECONDS:
            attempt = 0
        await sleep(backoff.delay(attempt))
        attempt += 1

"""Tells the node the instance's state: at once when it changes, a few times a second at most, and as a heartbeat."""

import asyncio
import random
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from federation.backoff import Backoff
from federation.errors import UnreachableError, VUpdateError
from federation.state import InstanceState

HEARTBEAT_SECONDS: Final = 30.0
_GAP_SECONDS: Final = 0.2
_MOST_RETRY_SECONDS: Final = 30.0

_log: Final = structlog.get_logger("agent")


class Listener(Protocol):
    """The node, as far as it hears states."""

    async def tell_state(self, state: InstanceState) -> None: ...


class Board:
    """Tells ``listener`` what ``state`` gives; only the newest state counts."""

    def __init__(self, listener: Listener, state: Callable[[], InstanceState], rng: random.Random) -> None:
        self._listener = listener
        self._state = state
        self._rng = rng
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """The state may be another one."""
        self._changed.set()

    async def tell(self) -> None:
        """Tell, again and again; never returns."""
        backoff = Backoff(_GAP_SECONDS, _MOST_RETRY_SECONDS, self._rng)
        attempt = 0
        while True:
            self._changed.clear()
            try:
                await self._listener.tell_state(self._state())
            except (VUpdateError, OSError) as error:
                if not isinstance(error, UnreachableError):
                    _log.warning("state not taken", error=str(error))
                await asyncio.sleep(max(_GAP_SECONDS, backoff.delay(attempt)))
                attempt += 1
                continue
            attempt = 0
            await asyncio.sleep(_GAP_SECONDS)
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return

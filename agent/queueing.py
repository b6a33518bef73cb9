"""Lets the services of one agent wait for each other, as ``ordering`` decides."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from agent import ordering
from federation.names import ServiceKey
from federation.state import ServiceState

_log: Final = structlog.get_logger("agent")


class Queue:
    """Who waits for whom.

    ``states`` gives what is true of all services now; ``told`` hears that a wait began or ended.
    """

    def __init__(self, states: Callable[[], Mapping[ServiceKey, ServiceState]], told: Callable[[], None]) -> None:
        self._states = states
        self._told = told
        self._waiting: dict[ServiceKey, tuple[ServiceKey, ...]] = {}
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """The state of a service may be another one."""
        self._changed.set()

    def waits_for(self, key: ServiceKey) -> tuple[ServiceKey, ...]:
        """Whom ``key`` waits for now."""
        return self._waiting.get(key, ())

    async def turn(
        self, key: ServiceKey, after: tuple[ServiceKey, ...], *, is_unwanted: Callable[[], bool] = lambda: False
    ) -> None:
        """Wait until it is the turn of ``key``, which goes ``after`` others; within a bound, and while it is wanted."""
        if not after:
            return
        try:
            async with asyncio.timeout(ordering.MOST_SECONDS):
                await self._wait(key, after, is_unwanted)
        except TimeoutError:
            _log.warning("goes on without those it is to follow", service=key, waited_for=list(after))
        finally:
            if self._waiting.pop(key, None):
                self._told()
            self._changed.set()

    async def _wait(self, key: ServiceKey, after: tuple[ServiceKey, ...], is_unwanted: Callable[[], bool]) -> None:
        while not is_unwanted() and (others := ordering.waits_for(key, after, self._states(), self._waiting)):
            if self._waiting.get(key) != others:
                _log.info("waits for others", service=key, waits_for=list(others))
                self._waiting[key] = others
                # The others look again: they may wait for this one.
                self._changed.set()
                self._told()
            await self._next_change()

    async def _next_change(self) -> None:
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            # Looked at again now and then, as several wait on one event.
            async with asyncio.timeout(1.0):
                await self._changed.wait()

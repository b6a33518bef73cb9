"""Blocking work in a thread that hears of a cancel: the thread is told to halt, and is waited for."""

import asyncio
import threading
from collections.abc import Callable
from typing import Final, TypeVar

_T = TypeVar("_T")

HALT_SECONDS: Final = 30.0
"""How long a cancel waits for a thread, so that nothing is written any more once it is through."""


class HaltedError(Exception):
    """The work was told to stop."""


class Halt:
    """What blocking work looks at between two steps."""

    def __init__(self) -> None:
        self._told = threading.Event()

    def tell(self) -> None:
        """Ask the work to stop."""
        self._told.set()

    def check(self) -> None:
        """Stop here if asked to.

        Raises:
            HaltedError: asked to stop.
        """
        if self._told.is_set():
            raise HaltedError


async def in_thread(work: Callable[[Halt], _T]) -> _T:
    """The result of ``work``, done in a thread."""
    halt = Halt()
    future = asyncio.get_running_loop().run_in_executor(None, work, halt)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        halt.tell()
        await asyncio.wait({future}, timeout=HALT_SECONDS)
        if future.done() and not future.cancelled():
            future.exception()  # seen: the cancel is what counts
        raise

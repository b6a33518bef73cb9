"""Blocking work in a thread that is not torn in two by a cancellation."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")


async def unbroken(function: Callable[..., _T], *args: Any) -> _T:
    """What ``function(*args)`` returns, run in a thread; a cancellation is passed on only after it has ended."""
    work = asyncio.get_running_loop().run_in_executor(None, function, *args)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        if not work.cancelled():
            # Seen here, or asyncio would complain that nobody did.
            work.exception()
        raise

"""Writing what arrives piece by piece to a file, atomically, without holding up the event loop."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from federation.files import atomic_file

_T = TypeVar("_T")


async def _in_thread(work: Callable[[], _T]) -> _T:
    """Run ``work`` in a thread and wait for its end even when cancelled: no thread may outlive the file it writes."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([future])
        raise


@contextlib.asynccontextmanager
async def landing(target: Path) -> AsyncIterator[Callable[[bytes], Awaitable[int]]]:
    """Gives a function that appends; ``target`` appears, synced, when the block ends without an error.

    Raises:
        DiskFullError: no room; ``target`` is as it was and no temporary file is left.
    """
    file = atomic_file(target)
    # Two system calls, made here: a cancelled wait for a thread would leave the temporary file behind.
    stream = file.__enter__()

    async def append(chunk: bytes) -> int:
        return await _in_thread(partial(stream.write, chunk))

    try:
        yield append
    except BaseException:
        await _in_thread(partial(file.__exit__, *sys.exc_info()))
        raise
    await _in_thread(partial(file.__exit__, None, None, None))

"""Background loops outlive what passes: a full disk, a database that is away. They say so and go on after a pause.

A bug is no such thing: it still ends the process with its error.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog

from federation.errors import VUpdateError

PAUSE_SECONDS: Final = 5.0
_log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def patience(what: str) -> AsyncIterator[None]:
    """Log an error that vUpdate knows and wait a moment, so that the loop around this block may try again."""
    try:
        yield
    except VUpdateError as error:
        _log.error("background work is held up", what=what, code=error.code, error=error.message)
        await asyncio.sleep(PAUSE_SECONDS)

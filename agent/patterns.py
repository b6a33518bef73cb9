"""Looks for a recipe's pattern in text, in a process of its own: one written badly may take for ever on some texts."""

import asyncio
import contextlib
import sys
from typing import Final

SECONDS: Final = 10.0
_MATCHER: Final = (
    "import re, sys; "
    "sys.exit(not re.search(sys.argv[1], sys.stdin.buffer.read().decode('utf-8', 'replace'), re.MULTILINE))"
)


async def is_found(pattern: str, content: bytes) -> bool:
    """Whether the regular expression ``pattern`` matches in ``content``; ``^`` and ``$`` are a line's ends.

    Raises:
        TimeoutError: it takes longer than ``SECONDS``.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", _MATCHER, pattern),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(SECONDS):
            await process.communicate(content)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())
    return process.returncode == 0

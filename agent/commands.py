"""Runs one command around a switch to its end: in a session of its own, with a time limit and bounded output."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent.errors import CommandFailedError
from federation.service import Command

_OUTPUT_BYTES: Final = 256 * 1024
_READ_BYTES: Final = 64 * 1024
_SAID_CHARS: Final = 300


def _said(output: bytes) -> str:
    """The last line of what a command wrote, for the error."""
    lines = output.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last[:_SAID_CHARS]}" if last else ""


async def _output(stream: asyncio.StreamReader) -> bytes:
    """The last bytes that come, to the end."""
    kept = b""
    while chunk := await stream.read(_READ_BYTES):
        kept = (kept + chunk)[-_OUTPUT_BYTES:]
    return kept


async def _run(command: Command, cwd: Path, env: Mapping[str, str]) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *command.run,
        cwd=cwd / command.dir,
        env={**env, **command.env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    if process.stdout is None:
        raise CommandFailedError(f"{command.run[0]}: no output pipe")
    output = b""
    try:
        async with asyncio.timeout(command.timeout_seconds):
            output = await _output(process.stdout)
            return await process.wait(), output
    finally:
        # Also on cancellation and time-out, and for children that it left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())


async def run_command(command: Command, *, cwd: Path, env: Mapping[str, str]) -> None:
    """Run ``command`` in the version's tree ``cwd``.

    Raises:
        CommandFailedError: it can't be started, took too long, or ended otherwise than it should.
    """
    shown = " ".join(command.run)[:_SAID_CHARS]
    try:
        status, output = await _run(command, cwd, env)
    except TimeoutError as error:
        raise CommandFailedError(f"`{shown}` took longer than {command.timeout_seconds:g} s and was killed") from error
    except OSError as error:
        raise CommandFailedError(f"`{shown}` can't be started: {error.strerror or error}") from error
    if status != command.exit_status:
        raise CommandFailedError(f"`{shown}` ended with status {status}{_said(output)}")
    if command.output_match is not None and not re.search(command.output_match, output.decode("utf-8", "replace")):
        raise CommandFailedError(f"`{shown}` did not write {command.output_match!r}{_said(output)}")

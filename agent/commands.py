"""Runs one command around a switch to its end: in a session of its own, with a time limit and bounded output."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agent import patterns
from agent.errors import CommandFailedError, RetryLaterError
from federation.service import Command

_OUTPUT_BYTES: Final = 256 * 1024
_READ_BYTES: Final = 64 * 1024
_SAID_CHARS: Final = 300
RETRY_LATER: Final = 75
"""``EX_TEMPFAIL``: nothing is wrong with the version, only the moment is not right."""


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


def shown(command: Command) -> str:
    """``command`` for a sentence."""
    return " ".join(command.run)[:_SAID_CHARS]


async def _matches(pattern: str, output: bytes) -> bool:
    try:
        return await patterns.is_found(pattern, output)
    except TimeoutError as error:
        raise CommandFailedError(f"looking for {pattern!r} takes longer than {patterns.SECONDS:g} s") from error


async def run_command(command: Command, *, cwd: Path, env: Mapping[str, str]) -> None:
    """Run ``command`` in the version's tree ``cwd``.

    Raises:
        CommandFailedError: it can't be started, took too long, or ended otherwise than it should.
        RetryLaterError: it ended with status 75, which is not the one it should end with.
    """
    words = shown(command)
    try:
        status, output = await _run(command, cwd, env)
    except TimeoutError as error:
        raise CommandFailedError(f"`{words}` took longer than {command.timeout_seconds:g} s and was killed") from error
    except OSError as error:
        raise CommandFailedError(f"`{words}` can't be started: {error.strerror or error}") from error
    if status == RETRY_LATER and command.exit_status != RETRY_LATER:
        raise RetryLaterError(f"`{words}` asks to be tried again later{_said(output)}")
    if status != command.exit_status:
        raise CommandFailedError(f"`{words}` ended with status {status}{_said(output)}")
    if command.output_match is not None and not await _matches(command.output_match, output):
        raise CommandFailedError(f"`{words}` did not write {command.output_match!r}{_said(output)}")

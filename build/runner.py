"""Runs the commands of a recipe, and decides whether each did what it should: its status, its output, its time."""

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from build.errors import BuildFailedError
from build.guard import Guard
from build.process import MARK, Ended, HeldUpError, Log, OverBoundsError, ProcessTimeoutError, run_process
from build.slirp import Uplink, uplink
from build.walls import NO_WALLS, Call, Walls
from federation.service import Command
from federation.units import write_seconds

MATCH_SECONDS: Final = 10.0

_MATCH_SCRIPT: Final = "import re, sys; sys.exit(not re.search(sys.argv[1], sys.stdin.read(), re.MULTILINE))"


async def run_command(
    command: Command,
    *,
    root: Path,
    env: Mapping[str, str],
    log: Log,
    walls: Walls = NO_WALLS,
    guard: Guard | None = None,
) -> None:
    """Run ``command`` in its folder below ``root``, inside ``walls``, with ``env`` and its own variables.

    Raises:
        BuildFailedError: it could not start, took too long, used too much (as ``guard`` sees it), ended with another
            status or with other output.
    """
    env = {**env, **command.env, MARK: env[MARK]}
    folder = _folder(root, command.dir)
    _check_program(command.run[0], folder, env)
    call = walls.call(Call(words=tuple(command.run), folder=folder, env=env))
    log(f"$ {shlex.join(command.run)}")
    try:
        ended = await _run(call, mark=env[MARK], timeout_seconds=command.timeout_seconds, log=log, guard=guard)
    except HeldUpError as error:
        raise BuildFailedError(f"{_named(command)} got no network of its own: {error}") from error
    except OverBoundsError as error:
        raise BuildFailedError(f"{_named(command)} was stopped: {error}") from error
    except ProcessTimeoutError as error:
        limit = write_seconds(command.timeout_seconds)
        raise BuildFailedError(f"{_named(command)} was not done after {limit} and was stopped") from error
    except OSError as error:
        raise BuildFailedError(f"{_named(command)} could not be started: {error}") from error
    if ended.leftovers:
        log(f"stopped {ended.leftovers} processes that the command left behind")
    if ended.status != command.exit_status:
        raise BuildFailedError(f"{_named(command)} {_status(ended.status)}, not with status {command.exit_status}")
    if command.output_match is not None and not await _matches(command.output_match, ended.tail):
        raise BuildFailedError(f"{_named(command)} did not print what output_match asks: {command.output_match!r}")


async def _run(call: Call, *, mark: str, timeout_seconds: float, log: Log, guard: Guard | None) -> Ended:
    async with contextlib.AsyncExitStack() as stack:
        line: Uplink | None = None
        if call.wired:
            line = await stack.enter_async_context(uplink(mark, () if guard is None else guard.groups.joins))
            call = line.around(call)
        return await run_process(
            call.words,
            folder=call.folder,
            env=call.env,
            mark=mark,
            timeout_seconds=timeout_seconds,
            log=log,
            guard=guard,
            companion=line,
        )


def _named(command: Command) -> str:
    text = shlex.join(command.run)
    return f"command `{text if len(text) <= 200 else text[:200] + '…'}`"


def _status(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _folder(root: Path, relative: str) -> Path:
    """The folder ``relative`` of ``root``; a link that leads out of it is refused."""
    folder = (root / relative).resolve()
    if not folder.is_dir() or not folder.is_relative_to(root.resolve()):
        raise BuildFailedError(f"dir = {relative!r} is not a folder of the sources")
    return folder


def _check_program(word: str, folder: Path, env: Mapping[str, str]) -> None:
    """Say what is missing: ``word`` is a path below the command's folder, or a name found on the search path."""
    path = os.fspath(folder / word) if "/" in word else shutil.which(word, path=env["PATH"])
    if path is None:
        raise BuildFailedError(f"program {word!r} is not installed on this machine: install it and build again")
    # What lies elsewhere is looked for where the command runs: its folder may not be this process's.
    if Path(path).is_relative_to(folder) and (not os.access(path, os.X_OK) or Path(path).is_dir()):
        raise BuildFailedError(f"program {word!r} is not there or not executable")


async def _matches(pattern: str, text: str) -> bool:
    """Whether ``pattern`` is in ``text``; in a process of its own, since an unlucky one would never end here."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _MATCH_SCRIPT, pattern,
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"LANG": "C.UTF-8"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(MATCH_SECONDS):
            await process.communicate(text.encode(errors="replace"))
    except TimeoutError as error:
        raise BuildFailedError(f"output_match {pattern!r} takes too long to look for: write it simpler") from error
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    return process.returncode == 0

"""Starts the demo's processes, each in its own session with its own log, and ends them by their process ids."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from node.cli.demo.api import StepError

_READY_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0
_RUN_SECONDS: Final = 60.0


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that are free now, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def vupdate(*arguments: str) -> list[str]:
    """The command line of this very installation."""
    return [sys.executable, "-m", "node.cli.main", *arguments]


@dataclass(slots=True)
class Processes:
    """All processes of one demo. ``logs``: the folder of their logs; ``homes``: those of its agents."""

    logs: Path
    homes: list[str] = field(default_factory=list)
    _running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def run(self, *arguments: str, given: str = "") -> str:
        """What ``vupdate ARGUMENTS`` printed, given ``given`` on its standard input.

        Raises:
            StepError: it failed; its last words stand in it.
        """
        process = await asyncio.create_subprocess_exec(
            *vupdate(*arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_RUN_SECONDS):
                out, err = await process.communicate(given.encode())
        except TimeoutError as error:
            process.kill()
            raise StepError(f"vupdate {' '.join(arguments)} did not end within {_RUN_SECONDS:.0f} s") from error
        if process.returncode != 0:
            raise StepError(f"vupdate {' '.join(arguments)}: {(err or out).decode(errors='replace').strip()[-600:]}")
        return out.decode()

    async def start(self, name: str, *arguments: str) -> dict[str, Any]:
        """Start ``vupdate ARGUMENTS`` and wait for the line of JSON that it prints when ready.

        Raises:
            StepError: it ended, or was not ready in time; the log says why.
        """
        if name in self._running:
            raise StepError(f"{name} is running already")
        log = self.logs / f"{name}.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *vupdate(*arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._running[name] = process
        if process.stdout is None:
            raise StepError(f"{name} has no output")
        try:
            async with asyncio.timeout(_READY_SECONDS):
                line = await process.stdout.readline()
        except TimeoutError as error:
            raise StepError(f"{name} was not ready within {_READY_SECONDS:.0f} s; its log: {_tail(log)}") from error
        try:
            ready: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise StepError(f"{name} did not start; its log: {_tail(log)}") from error
        return ready

    def dead(self) -> list[str]:
        """The names of those that ended by themselves."""
        return [name for name, process in self._running.items() if process.returncode is not None]

    async def stop(self, name: str) -> None:
        """End one process: asked first, killed when it does not listen."""
        process = self._running.pop(name)
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    @contextlib.asynccontextmanager
    async def all_stopped(self) -> AsyncIterator[None]:
        """End all when the block ends: the agents first, so that they can still report."""
        try:
            yield
        finally:
            async with asyncio.TaskGroup() as group:
                for name in [name for name in self._running if "agent" in name]:
                    group.create_task(self.stop(name))
            # Services outlive their agents on purpose, so they are ended by themselves.
            for home in self.homes:
                await self.run("agent", "stop-services", "--home", home)
            async with asyncio.TaskGroup() as group:
                for name in list(self._running):
                    group.create_task(self.stop(name))


def _tail(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-800:] or "it is empty"

"""An agent inside the test's own process, and what the process table says of its services."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from agent.home import Home
from agent.journal import Journal
from agent.processes import marked
from agent.runner import run_agent, stop_services
from agent.runs import UNIT_MARK
from federation.clock import SystemClock
from federation.names import ServiceKey
from tests.support.agent_killed import MOST_SECONDS


def unit_processes(home: Path, key: str) -> list[int]:
    """The processes of a service, by their mark; shims are not among them."""
    return marked(f"{UNIT_MARK}={Home.at(home).unit(ServiceKey(key)).root}")


def shim_processes(home: Path, key: str) -> list[int]:
    """The shims of a service, by the lock that they hold."""
    lock = str(Home.at(home).unit(ServiceKey(key)).lock)
    found = []
    for entry in Path("/proc").glob("[0-9]*/fd/3"):
        with contextlib.suppress(OSError):
            if str(entry.readlink()) == lock:
                found.append(int(entry.parent.parent.name))
    return found


@contextlib.asynccontextmanager
async def running_agent(home: Path, make_journal: Callable[[Path], Journal] = Journal) -> AsyncIterator[None]:
    """An agent that runs for as long as the block; its services go on after it."""
    stop, ready = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            run_agent(home, SystemClock(), stop=stop, ready=ready.set, make_journal=make_journal), name="agent"
        )
        async with asyncio.timeout(10):
            await ready.wait()
        try:
            yield
        finally:
            stop.set()


@contextlib.asynccontextmanager
async def services_stopped(home: Path) -> AsyncIterator[None]:
    """Whatever the block leaves running in ``home`` is stopped after it."""
    try:
        yield
    finally:
        await stop_services(home)


class Killer:
    """Agents in a process of their own that kill themselves at a journal record (see ``agent_killed``)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, home: Path, number: int, mode: str) -> str:
        """Run one agent until it is dead; how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{home}\t{number}\t{mode}\n".encode())
        async with asyncio.timeout(MOST_SECONDS + 10):
            return (await self._process.stdout.readline()).decode().strip()


@contextlib.asynccontextmanager
async def killer() -> AsyncIterator[Killer]:
    """A warm process for agents that die."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.agent_killed",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Killer(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(MOST_SECONDS + 10):
            await process.wait()

"""An agent as the first process of a container: here of a process namespace of its own."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agent.home import Home
from federation.state import Phase, ServiceState
from tests.support.agent_node import AgentNode
from tests.support.agent_process import unit_processes
from tests.support.agent_services import service_file

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare"),
]

SCRIPT = """#!/bin/sh
trap 'echo stopped as asked > ended; exit 0' TERM
( setsid sh -c 'echo $$ > orphan; sleep 0.2' & )
while :; do sleep 0.1; done
"""


def runs(state: ServiceState) -> bool:
    return state.phase is Phase.RUNNING and state.committed is not None


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not is_so():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def container(home: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """``vupdate agent run`` as process 1 of a namespace; with its pid as seen from here."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"),
        *(sys.executable, "-m", "node.cli.main", "agent", "run", "--home", str(home)),
    )
    try:
        await _until(lambda: bool(_children(process.pid)))
        yield process, _children(process.pid)[0]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_the_first_process_outlives_the_agent_and_ends_with_its_services(node: AgentNode, home: Path) -> None:
    """Orphans are buried; a killed agent is started again under a service that goes on; TERM stops both in order."""
    await node.assign(
        node.publish("web", "acme-1.0.0", {"run*": SCRIPT, "vupdate.toml": service_file("web", '["./run"]')})
    )
    async with container(home) as (process, first):
        await node.until_state("web", runs)
        tree = Home.at(home).unit(node.state_of("web").key).current  # type: ignore[union-attr]
        await _until((tree / "orphan").exists)
        service = unit_processes(home, "web")
        agent = next(pid for pid in _children(first) if b"agent\0run" in Path(f"/proc/{pid}/cmdline").read_bytes())

        os.kill(agent, signal.SIGKILL)
        await _until(
            lambda: any(
                pid != agent and _state(pid) != "Z" and b"--with-services" in Path(f"/proc/{pid}/cmdline").read_bytes()
                for pid in _children(first)
            )
        )
        assert all(_state(pid) != "Z" for pid in _children(first))
        assert set(service) & set(unit_processes(home, "web"))

        os.kill(first, signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
    assert (tree / "ended").read_text() == "stopped as asked\n"
    assert not unit_processes(home, "web")

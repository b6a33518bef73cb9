"""Services as they come, from their installation over an update and a crash to their end; nothing is left of any."""

import asyncio
import contextlib
import shutil
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from agent.home import Home
from agent.runrecord import last_run
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from node.cli.demo.processes import free_ports
from tests.support import zoo
from tests.support.agent_node import AgentNode, Files
from tests.support.agent_process import running_agent, unit_processes

pytestmark = pytest.mark.e2e

MIB = 1024 * 1024


def runs(version: str) -> Callable[[ServiceState], bool]:
    return lambda state: state.phase is Phase.RUNNING and state.committed == version


def ask(port: int, path: str = "/") -> str:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())
    return ""


def tree(home: Path) -> list[psutil.Process]:
    """All that runs below the service's shim, whatever its environment says."""
    run = last_run(Home.at(home).unit(ServiceKey("web")))
    assert run is not None
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(run.shim.pid).children(recursive=True)
    return []


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def web(kind: str, port: int, version: str, folder: Path) -> Files:
    needed = {"node_web": "node", "compiled_web": "gcc"}.get(kind)
    if needed is not None and shutil.which(needed) is None:
        pytest.skip(f"{needed} is not on this machine")
    if kind == "compiled_web":
        return zoo.compiled_web(port, version, folder)
    return zoo.python_web(port, version) if kind == "python_web" else zoo.node_web(port, version)


@pytest.mark.parametrize(
    ("kind", "ended"),
    [
        ("python_web", (7, None, "exit status 7")),
        ("node_web", (1, None, "RangeError: asked to crash")),
        ("compiled_web", (None, "SEGV", "killed by signal SEGV")),
    ],
)
async def test_a_web_application_lives_its_life(
    node: AgentNode, home: Path, tmp_path: Path, kind: str, ended: tuple[int | None, str | None, str]
) -> None:
    """Installed and proved, updated, crashed and reported with how it ended, running again, and taken away."""
    (port,) = free_ports(1)
    async with running_agent(home):
        for version in ("acme-1.0.0", "acme-1.0.1"):
            await node.assign(node.publish("web", version, web(kind, port, version, tmp_path)))
            await node.until_state("web", runs(version))
            assert (await asyncio.to_thread(ask, port)).endswith(version)
        await asyncio.to_thread(ask, port, "/crash")
        await node.until(lambda: bool(node.faults))
        fault = node.faults[0]
        assert (fault.exit_status, fault.signal, fault.message) == ended
        assert (fault.version, fault.in_probation) == ("acme-1.0.1", False)
        await node.until_state("web", lambda state: state.phase is Phase.RUNNING and state.failures == 1)
        last = tree(home)
        assert alive(last)
        await node.assign()
        await node.until(lambda: not alive(last))
    assert not unit_processes(home, "web")


@pytest.mark.parametrize("make", [zoo.double_fork, zoo.deaf])
async def test_nothing_is_left_of_the_ill_mannered(node: AgentNode, home: Path, make: Callable[[str], Files]) -> None:
    """Children in sessions and environments of their own, and those that ignore TERM, end with their version."""
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", make("acme-1.0.0")))
        await node.until_state("web", runs("acme-1.0.0"))
        await node.until(lambda: len(tree(home)) >= (3 if make is zoo.double_fork else 1))
        first = tree(home)
        await node.assign(node.publish("web", "acme-1.0.1", make("acme-1.0.1")))
        await node.until_state("web", runs("acme-1.0.1"))
        assert not alive(first)
        second = tree(home)
        await node.assign()
        await node.until(lambda: not alive(second))
    assert not node.faults, "a planned stop is no fault"


@contextlib.asynccontextmanager
async def agent_alone(home: Path) -> AsyncIterator[psutil.Process]:
    """An agent in a process of its own, as an operator starts it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "node.cli.main", "agent", "run", "--with-services", "--home", str(home)),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        async with asyncio.timeout(30):
            await process.wait()


async def test_a_flood_of_output_costs_lines_that_are_said_and_never_the_agent(node: AgentNode, home: Path) -> None:
    """An agent under a service that writes at full speed stays small; each line lost is within a gap that is said."""
    async with agent_alone(home) as agent:
        await node.assign(node.publish("web", "acme-1.0.0", zoo.flood()))
        await node.until_state("web", runs("acme-1.0.0"))
        before, largest = agent.cpu_times(), 0
        for _ in range(20):
            await asyncio.sleep(0.25)
            largest = max(largest, agent.memory_info().rss)
        after = agent.cpu_times()
        assert largest < 100 * MIB
        assert after.user + after.system - before.user - before.system < 5.0, "more than a core"
        await node.until(lambda: sum(len(batch.records) for batch in node.batches) > 50_000)
    assert _unsaid_gaps([record.message for batch in node.batches for record in batch.records]) == []


def _unsaid_gaps(messages: list[str]) -> list[tuple[int, int]]:
    """Between which two numbered lines others are missing without a word on it."""
    found, before, is_said = [], 0, True
    for message in messages:
        if not message.isdecimal():
            is_said = True
            continue
        if int(message) != before + 1 and not is_said:
            found.append((before, int(message)))
        before, is_said = int(message), False
    return found

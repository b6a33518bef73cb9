"""An operator's orders to a real agent with real services, and what is true afterwards."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.control import ask
from agent.errors import NoAgentError
from agent.home import Home
from agent.offline import order_offline
from agent.orders import Act, Request
from agent.runrecord import last_run
from agent.status import read_status
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from federation.versions import ClientVersion
from tests.support.agent_node import AgentNode
from tests.support.agent_process import running_agent, unit_processes
from tests.support.agent_services import crasher, sleeper

pytestmark = pytest.mark.e2e

KEY = ServiceKey("web")


def runs(version: str) -> Callable[[ServiceState], bool]:
    return lambda state: state.phase is Phase.RUNNING and state.running == version == state.committed


async def told(home: Path, act: Act) -> ServiceState:
    answer = await ask(home, Request(act=act, service=KEY))
    assert answer.state is not None, answer
    return answer.state


async def test_what_is_stopped_stays_stopped(node: AgentNode, home: Path) -> None:
    """A stopped service has no process, is no fault, stays so over a new agent and a new version, until its start."""
    await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
    async with running_agent(home):
        await node.until_state(KEY, runs("acme-1.0.0"))
        state = await told(home, Act.STOP)
        assert (state.phase, state.halted, state.running) == (Phase.STOPPED, True, None)
        assert unit_processes(home, KEY) == []
    async with running_agent(home):
        await node.assign(node.publish(KEY, "acme-1.0.1", sleeper()))
        seen = len(node.states)
        await node.until(lambda: len(node.states) > seen and node.states[-1].revision == node.revision)
        (state,) = read_status(home).services
        assert (state.phase, state.halted, state.committed) == (Phase.STOPPED, True, "acme-1.0.0")
        assert unit_processes(home, KEY) == []
        await told(home, Act.START)
        state = await node.until_state(KEY, runs("acme-1.0.1"))
        assert not state.halted
    assert node.faults == []


async def test_hold_and_release(node: AgentNode, home: Path) -> None:
    """While updates are held the version that runs goes on; after the release the newer one is installed."""
    await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
    async with running_agent(home):
        await node.until_state(KEY, runs("acme-1.0.0"))
        assert (await told(home, Act.HOLD)).held
        await node.assign(node.publish(KEY, "acme-1.0.1", sleeper()))
        await node.until_state(KEY, lambda state: state.desired == "acme-1.0.1" and state.held)
        (state,) = read_status(home).services
        assert (state.running, state.phase) == ("acme-1.0.0", Phase.RUNNING)
        await told(home, Act.RELEASE)
        await node.until_state(KEY, runs("acme-1.0.1"))


async def test_restart_is_no_fault(node: AgentNode, home: Path) -> None:
    """A restart gives another run of the same version and counts nothing."""
    await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
    async with running_agent(home):
        await node.until_state(KEY, runs("acme-1.0.0"))
        before = last_run(Home.at(home).unit(KEY))
        await told(home, Act.RESTART)

        def another_runs() -> bool:
            now = last_run(Home.at(home).unit(KEY))
            return now is not None and before is not None and now.run != before.run and now.alive

        await node.until(another_runs)
        state = await node.until_state(KEY, runs("acme-1.0.0"))
        assert state.failures == 0
        assert len(unit_processes(home, KEY)) == 1
    assert node.faults == []


async def test_retry_tries_a_failed_version_again(node: AgentNode, home: Path) -> None:
    """A version that was put back is tried again once an operator says so, and fails with a second report."""
    await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
    async with running_agent(home):
        await node.until_state(KEY, runs("acme-1.0.0"))
        await node.assign(node.publish(KEY, "acme-1.0.1", crasher()))
        await node.until_state(KEY, lambda state: state.failed == "acme-1.0.1" and runs("acme-1.0.0")(state))
        await told(home, Act.RETRY)
        await node.until(lambda: len({fault.id for fault in node.faults}) == 2)
        await node.until_state(KEY, lambda state: state.failed == "acme-1.0.1" and runs("acme-1.0.0")(state))


async def test_a_version_that_the_disk_lost_a_part_of(node: AgentNode, home: Path) -> None:
    """Its fault names the files; a repair puts them back as signed, keeps the data, and the service runs again."""
    files = {**sleeper(), "words.txt": b"as signed", "big.bin": b"b" * 100_000}
    await node.assign(node.publish(KEY, "acme-1.0.0", files))
    async with running_agent(home):
        await node.until_state(KEY, runs("acme-1.0.0"))
        unit = Home.at(home).unit(KEY)
        tree = unit.version(ClientVersion("acme-1.0.0"))
        (tree / "words.txt").write_bytes(b"as Signed")
        (tree / "big.bin").unlink()
        before = last_run(unit)
        assert before is not None
        os.kill(before.service.pid, signal.SIGKILL)
        await node.until(lambda: bool(node.faults))
        assert node.faults[0].damaged == ("big.bin", "words.txt")
        state = await told(home, Act.REPAIR)
        assert ((tree / "words.txt").read_bytes(), (tree / "big.bin").stat().st_size) == (b"as signed", 100_000)
        state = await node.until_state(KEY, runs("acme-1.0.0"))
        assert state.error == ""
        await node.until(lambda: len(unit_processes(home, KEY)) == 1)
        assert not unit.packs.exists()
        assert not unit.staging.exists()
    assert len(node.faults) == 1


async def test_a_repair_that_can_not_be_fetched_changes_nothing(node: AgentNode, home: Path) -> None:
    """The service runs on, and the operator hears why; where only the pack is bad it starts again as it was."""
    await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
    async with running_agent(home):
        await node.until_state(KEY, runs("acme-1.0.0"))
        before = last_run(Home.at(home).unit(KEY))
        node.alter_manifest = lambda _: b"something else"
        assert (await ask(home, Request(act=Act.REPAIR, service=KEY))).code == "tampered"
        assert last_run(Home.at(home).unit(KEY)) == before
        node.alter_manifest, node.alter_pack = None, lambda content: content[:-9]
        answer = await ask(home, Request(act=Act.REPAIR, service=KEY))
        assert answer.state is None
        assert answer.message
        await node.until(lambda: last_run(Home.at(home).unit(KEY)) != before)
        await node.until_state(KEY, runs("acme-1.0.0"))
    assert node.faults == []


async def typed(home: Path, *words: str) -> str:
    """What a command prints; it has to succeed."""
    code = "import sys; from node.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "agent", *words, "--home", str(home)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_what_an_operator_types(node: AgentNode, home: Path) -> None:
    """The commands say what is true afterwards; the history lists each run and shows what it wrote."""
    await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
    async with running_agent(home):
        await node.until_state(KEY, runs("acme-1.0.0"))
        said = await typed(home, "stop", "web")
        assert said == "web: stopped, nothing of it runs (stopped by an operator)\n"
        await typed(home, "start", "web")
        await node.until_state(KEY, runs("acme-1.0.0"))
        (listed,) = json.loads(await typed(home, "services", "--json"))
        assert (listed["running"], listed["halted"]) == ("acme-1.0.0", False)
        first, second = json.loads(await typed(home, "history", "web", "--json"))
        assert (first["alive"], second["alive"], second["how"]) == (False, True, "runs")
        assert "hello from acme-1.0.0" in await typed(home, "history", "web", "--log", first["run"])


async def test_orders_without_an_agent(node: AgentNode, home: Path) -> None:
    """Without an agent a stop ends the service and is kept; a restart is refused."""
    await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
    async with running_agent(home):
        await node.until_state(KEY, runs("acme-1.0.0"))
    assert len(unit_processes(home, KEY)) == 1
    with pytest.raises(NoAgentError):
        await order_offline(home, Request(act=Act.RESTART, service=KEY))
    answer = await order_offline(home, Request(act=Act.STOP, service=KEY))
    assert answer.state is not None
    assert (answer.state.phase, answer.state.halted) == (Phase.STOPPED, True)
    assert unit_processes(home, KEY) == []
    async with running_agent(home):
        await node.until_state(KEY, lambda state: state.halted and state.running is None)
        await told(home, Act.START)
        await node.until_state(KEY, runs("acme-1.0.0"))

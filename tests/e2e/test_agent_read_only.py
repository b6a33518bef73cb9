"""A disk that turns read-only under a running agent, as a damaged one does."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.home import Home
from federation.names import ServiceKey
from federation.state import Phase
from tests.support.agent_node import AgentNode, agent_node
from tests.support.agent_process import running_agent, services_stopped, unit_processes
from tests.support.agent_services import sleeper

pytestmark = pytest.mark.e2e

KEY = ServiceKey("web")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing below ``folder`` can be opened for writing; what is open goes on. Skips where root may not mount."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount")
    bound = subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True, check=False)
    if bound.returncode != 0:
        pytest.skip("this machine does not let root mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[AgentNode]:
    async with agent_node(tmp_path / "node") as found:
        yield found


@pytest.fixture
async def home(tmp_path: Path, node: AgentNode) -> AsyncIterator[Path]:
    home = tmp_path / "agent"
    node.attach(home)
    async with services_stopped(home), running_agent(home):
        await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
        await node.until_state(KEY, lambda state: state.phase is Phase.RUNNING)
        yield home


async def test_an_update_while_the_disk_is_read_only(node: AgentNode, home: Path) -> None:
    """The state says why nothing moves, the old version runs on, and the update goes on once the disk is well."""
    before = unit_processes(home, KEY)
    with read_only(home):
        await node.assign(node.publish(KEY, "acme-1.0.1", sleeper()))
        state = await node.until_state(KEY, lambda state: "read-only" in state.error.lower())
        assert (state.running, state.committed, state.failed) == ("acme-1.0.0", "acme-1.0.0", None)
        assert unit_processes(home, KEY) == before
    await node.until_state(KEY, lambda state: state.running == "acme-1.0.1" == state.committed)
    assert sorted(path.name for path in Home(home).unit(KEY).versions.iterdir()) == ["acme-1.0.0", "acme-1.0.1"]


async def test_a_crash_while_the_disk_is_read_only(node: AgentNode, home: Path) -> None:
    """The service is started again as soon as the disk is well, and the report says why it can't say how it ended."""
    (pid,) = unit_processes(home, KEY)
    with read_only(home):
        os.kill(pid, signal.SIGSEGV)
        await node.until_state(KEY, lambda state: "read-only" in state.error.lower())
    await node.until_state(KEY, lambda state: state.phase is Phase.RUNNING and unit_processes(home, KEY) != [])
    await node.until(lambda: bool(node.faults))
    assert "the disk took no writes" in node.faults[0].message

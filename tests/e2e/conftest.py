"""A node in the test's own process and the home of an agent that is attached to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.agent_node import AgentNode, agent_node
from tests.support.agent_process import services_stopped


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[AgentNode]:
    """A node that agents can be attached to."""
    async with agent_node(tmp_path / "node") as found:
        yield found


@pytest.fixture
async def home(tmp_path: Path, node: AgentNode) -> AsyncIterator[Path]:
    """The home of an agent of ``node``; what it leaves running is stopped afterwards."""
    home = tmp_path / "agent"
    node.attach(home)
    async with services_stopped(home):
        yield home

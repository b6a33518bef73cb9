"""A disk that is full while a version is installed."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.home import Home
from federation.names import ServiceKey
from federation.state import Phase
from tests.support.agent_node import AgentNode, agent_node
from tests.support.agent_process import running_agent, services_stopped, unit_processes
from tests.support.agent_services import crasher, sleeper

pytestmark = pytest.mark.e2e

KEY = ServiceKey("web")
DISK_BYTES = 4 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small tmpfs")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[AgentNode]:
    async with agent_node(tmp_path / "node") as found:
        yield found


@pytest.fixture
async def home(disk: Path, node: AgentNode) -> AsyncIterator[Path]:
    home = disk / "agent"
    node.attach(home)
    async with services_stopped(home):
        async with running_agent(home):
            await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
            await node.until_state(KEY, lambda state: state.phase is Phase.RUNNING)
        yield home


def fill(disk: Path, leave_bytes: int) -> Path:
    """Fill the disk but for ``leave_bytes``."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with filler.open("wb") as stream:
        stream.write(b"x" * max(0, free - leave_bytes))
    return filler


@pytest.mark.parametrize("leave_bytes", [0, 8192, 600_000])
async def test_an_update_without_room(node: AgentNode, home: Path, disk: Path, leave_bytes: int) -> None:
    """The error says that the disk is full, the old version runs on, nothing half is left, and room lets it go on."""
    unit = Home(home).unit(KEY)
    before = unit_processes(home, KEY)
    filler = fill(disk, leave_bytes)
    big = {"big": os.urandom(1_000_000)}
    async with running_agent(home):
        await node.assign(node.publish(KEY, "acme-1.0.1", {**sleeper(), **big}))
        state = await node.until_state(KEY, lambda state: "no room left on the disk" in state.error)
        assert (state.running, state.committed, state.failed) == ("acme-1.0.0", "acme-1.0.0", None)
        assert unit_processes(home, KEY) == before
        assert [path.name for path in unit.versions.iterdir()] == ["acme-1.0.0"]
        filler.unlink()
        await node.until_state(KEY, lambda state: state.running == "acme-1.0.1" == state.committed)


async def test_a_bad_version_on_a_full_disk_is_put_back(node: AgentNode, home: Path, disk: Path) -> None:
    """A disk that fills up during an update can't keep the old version from coming back."""
    files = crasher(after_seconds=0.1)
    files = {**files, "run*": f"#!/bin/sh\ncat /dev/zero > {disk}/filler\nexit 3\n"}
    async with running_agent(home):
        await node.assign(node.publish(KEY, "acme-1.0.1", files))
        state = await node.until_state(KEY, lambda state: state.failed == "acme-1.0.1" and state.phase is Phase.RUNNING)
        assert state.running == "acme-1.0.0"
        assert (disk / "filler").stat().st_size > 0

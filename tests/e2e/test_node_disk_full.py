"""A node whose disk is full says so, stays up, and works again once there is room."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli.demo import queries
from node.cli.demo.api import StepError
from tests.support.processes import SERVICE, Sources, stage

pytestmark = pytest.mark.e2e
ROOM = "8m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, timeout=10, capture_output=True).returncode != 0:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


def fill(folder: Path) -> Path:
    """Take all room that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for size in (65536, 4096, 1):
            try:
                while True:
                    stream.write(b"x" * size)
            except OSError:
                continue
    return ballast


async def test_a_node_outlives_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    """A build on a full disk fails or is refused; the node answers all the while, and the next build succeeds."""
    async with stage(small_disk / "stage") as on:
        acme = await on.make_node("acme")
        sources = Sources(tmp_path / "sources", next(on.ports))
        sources.say("first")
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        ballast = await asyncio.to_thread(fill, small_disk)
        with pytest.raises((StepError, AssertionError)) as told:
            await on.build(acme)
        assert "room" in str(told.value) or "disk" in str(told.value)
        assert (await acme.ask(queries.NODE))["node"]["name"] == "acme"
        assert on.processes.dead() == []
        ballast.unlink()
        assert await on.build(acme) == "acme-1.0.0"

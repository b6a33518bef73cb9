"""An agent killed by kill −9 around each record of its journal, and the next one that finds what it left."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent import processes
from agent.home import Home
from agent.journal import Journal
from agent.plan import Step
from agent.runrecord import last_run
from agent.slots import current_version
from agent.status import read_status
from federation.names import ServiceKey
from federation.state import Phase
from tests.support.agent_node import AgentNode, agent_node
from tests.support.agent_process import Killer, killer, running_agent, services_stopped, shim_processes, unit_processes
from tests.support.agent_services import crasher, sleeper

pytestmark = pytest.mark.e2e

KEY = ServiceKey("web")
HOOKS = """
[services.web.install]
before_stop = [ { run = ["sleep", "0.02"] } ]
after_switch = [ { run = ["sleep", "0.02"] } ]
"""
GOOD_RECORDS = 11
CRASH_RECORDS = 12
MODES = ("before", "after", "during")


@dataclass(kw_only=True)
class Stage:
    """One home on which version after version is installed."""

    node: AgentNode
    home: Path
    killer: Killer
    good: str = ""
    builds: int = 0

    def _next(self) -> str:
        self.builds += 1
        return f"acme-1.0.{self.builds}"

    async def settle(self, good: str, failed: str | None) -> None:
        """A new agent comes to rest with ``good`` running."""

        def at_rest() -> bool:
            state = self.node.state_of(KEY)
            there = state is not None and (state.running, state.failed) == (good, failed)
            return there and Journal(Home(self.home).journal(KEY)).read().step is Step.REST

        async with running_agent(self.home):
            await self.node.until(at_rest)
            if failed is not None:
                await self.node.until(lambda: failed in {fault.version for fault in self.node.faults})
        self.good = good

    async def install_first(self) -> None:
        version = self._next()
        await self.node.assign(self.node.publish(KEY, version, sleeper()))
        await self.settle(version, None)

    async def die_in_update(self, number: int, mode: str, *, crashing: bool) -> None:
        """An agent dies in an update, the next one settles it."""
        version = self._next()
        files = crasher() if crashing else sleeper(says=f"build {self.builds}", more=HOOKS)
        await self.node.assign(self.node.publish(KEY, version, files))
        assert await self.killer.run(self.home, number, mode) == "killed"
        if crashing:
            await self.settle(self.good, version)
            assert len({fault.id for fault in self.node.faults if fault.version == version}) == 1
        else:
            await self.settle(version, None)

    def check(self) -> None:
        """Process table, link, journal, folders and status tell the same."""
        unit = Home.at(self.home).unit(KEY)
        record = Journal(Home(self.home).journal(KEY)).read()
        run = last_run(unit)
        assert run is not None
        assert run.alive
        assert run.version == self.good
        assert unit_processes(self.home, KEY) == [run.service.pid]
        assert processes.descendants(run.shim.pid) == [run.service.pid]
        assert shim_processes(self.home, KEY) == [run.shim.pid]
        assert current_version(unit) == self.good
        assert record.committed is not None
        assert (record.committed.version, record.target, record.step) == (self.good, None, Step.REST)
        kept = {slot.version for slot in (record.committed, record.previous) if slot is not None}
        assert {path.name for path in unit.versions.iterdir()} == kept
        assert {path.name for path in unit.index(record.committed.version).parent.iterdir()} == kept
        assert not unit.packs.exists()
        (state,) = read_status(self.home).services
        assert (state.phase, state.running, state.committed) == (Phase.RUNNING, self.good, self.good)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with agent_node(tmp_path / "node") as node, killer() as deadly:
        home = tmp_path / "agent"
        node.attach(home)
        async with services_stopped(home):
            yield Stage(node=node, home=home, killer=deadly)


@pytest.mark.parametrize("mode", MODES)
async def test_killed_in_an_update(stage: Stage, mode: str) -> None:
    """Wherever an agent dies in an update, the next one brings it to its end, and exactly the new version runs."""
    await stage.install_first()
    for number in range(1, GOOD_RECORDS + 1):
        await stage.die_in_update(number, mode, crashing=False)
        stage.check()


@pytest.mark.parametrize("mode", MODES)
async def test_killed_while_putting_back(stage: Stage, mode: str) -> None:
    """Wherever an agent dies with a version that crashes, the next one has the old version run, and one report."""
    await stage.install_first()
    for number in range(1, CRASH_RECORDS + 1):
        await stage.die_in_update(number, mode, crashing=True)
        stage.check()

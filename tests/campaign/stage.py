"""One home on which version after version is ordered, and everything of it is killed at any time."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from agent import processes
from agent.home import Home, Unit
from agent.journal import Journal
from agent.plan import Record, Step
from agent.runrecord import last_run
from agent.slots import current_version
from agent.status import read_status
from federation.names import ServiceKey
from federation.state import Phase
from tests.support.agent_node import AgentNode
from tests.support.agent_process import Killer, running_agent, shim_processes, unit_processes
from tests.support.agent_services import crasher, service_file, sleeper

KEY = ServiceKey("web")
SCENARIOS = ("update", "crash", "bad-hook", "withdraw")
_HOOKS = '[services.web.install]\nbefore_stop = [ { run = ["sleep", "0.02"] } ]\nafter_switch = [ { run = ["%s"] } ]\n'


@dataclass(kw_only=True)
class Stage:
    """``good``: what is committed, empty where nothing is."""

    node: AgentNode
    home: Path
    killer: Killer
    good: str = ""
    builds: int = 0
    worst_seconds: float = field(default=0.0)

    @property
    def unit(self) -> Unit:
        return Home.at(self.home).unit(KEY)

    def record(self) -> Record:
        return Journal(Home(self.home).journal(KEY)).read()

    async def order(self, scenario: str) -> str:
        """Order what ``scenario`` means; the version, or nothing."""
        if scenario == "withdraw":
            await self.node.assign()
            return ""
        self.builds += 1
        version = f"acme-1.0.{self.builds}"
        more = _HOOKS % ("false" if scenario == "bad-hook" else "true")
        files = crasher() if scenario == "crash" else sleeper(says=f"build {self.builds}", more=more)
        if scenario == "bad-hook":
            files = {**files, "vupdate.toml": service_file("web", '["./run"]', more=more)}
        await self.node.assign(self.node.publish(KEY, version, files))
        return version

    def settled(self, version: str, allowed: set[str]) -> bool:
        """Whether what was ordered has come to its end, with one of ``allowed`` running."""
        journal = Home(self.home).journal(KEY)
        if not version:
            return not journal.exists()
        record = self.record()
        state = self.node.state_of(KEY)
        decided = record.failed == version or (record.committed is not None and record.committed.version == version)
        rests = record.step is Step.REST and decided and state is not None and state.desired == version
        if not rests or state is None:
            return False
        return state.phase is Phase.FAILED if record.committed is None else state.running in allowed

    async def attack(self, scenario: str, victims: str, milliseconds: int) -> None:
        """One run: order, kill, let the next agent settle, and look at everything.

        Raises:
            AssertionError: two of journal, status, process table and disk tell different stories.
        """
        before = self.good
        version = await self.order(scenario)
        assert await self.killer.run(self.home, milliseconds, victims) == "killed"
        # A service killed on probation is, rightly, a version that failed.
        allowed = {"update": {before, version} if victims in ("shim", "service", "all") else {version}}
        began, told = time.monotonic(), len(self.node.states)

        def is_over() -> bool:
            # What the dead agent said last no longer counts.
            return len(self.node.states) > told and self.settled(version, allowed.get(scenario, {before}))

        async with running_agent(self.home):
            await self.node.until(is_over)
            self.worst_seconds = max(self.worst_seconds, time.monotonic() - began)
        committed = self.record().committed if version else None
        self.good = "" if committed is None else str(committed.version)
        await asyncio.to_thread(self.check)

    def check(self) -> None:
        """Process table, link, journal, folders and status tell the same."""
        record, run = self.record(), last_run(self.unit)
        running, shims = unit_processes(self.home, KEY), shim_processes(self.home, KEY)
        states = read_status(self.home).services
        kept = {str(slot.version) for slot in (record.committed, record.previous) if slot is not None}
        there = {path.name for path in self.unit.versions.iterdir()} if self.unit.versions.is_dir() else set()
        assert there == kept
        assert not self.unit.packs.exists()
        assert (current_version(self.unit) or "") == self.good
        if not self.good:
            assert (running, shims) == ([], [])
            assert all(state.running is None for state in states)
            return
        assert run is not None
        assert run.alive
        assert run.version == self.good
        assert (running, shims) == ([run.service.pid], [run.shim.pid])
        assert processes.descendants(run.shim.pid) == [run.service.pid]
        assert (record.target, record.step) == (None, Step.REST)
        assert [(one.running, one.committed) for one in states] == [(self.good, self.good)]

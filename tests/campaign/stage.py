"""One home with several services: version after version is ordered, and everything is killed at any time."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from agent import processes
from agent.home import Home, Unit
from agent.journal import Journal
from agent.plan import Record, Step
from agent.runrecord import last_run
from agent.slots import current_version
from agent.status import read_status
from federation.assignment import Assigned
from federation.names import ServiceKey
from federation.state import Phase
from tests.support.agent_node import AgentNode, Files
from tests.support.agent_process import Killer, running_agent, shim_processes, unit_processes
from tests.support.agent_services import crasher, sleeper

KEYS = (ServiceKey("db"), ServiceKey("web"))
"""The second is started and updated after the first."""

SCENARIOS = ("update", "crash", "bad-hook", "withdraw")
_HOOKS = '[services.%s.install]\nbefore_stop = [ { run = ["sleep", "0.02"] } ]\nafter_switch = [ { run = ["%s"] } ]\n'


@dataclass(kw_only=True)
class Actor:
    """One service. ``good``: what is committed, empty where nothing is; ``version``: what was ordered last."""

    node: AgentNode
    home: Path
    key: ServiceKey
    good: str = ""
    version: str = ""
    builds: int = 0
    allowed: set[str] = field(default_factory=set)

    @property
    def unit(self) -> Unit:
        return Home.at(self.home).unit(self.key)

    def record(self) -> Record:
        return Journal(Home(self.home).journal(self.key)).read()

    def publish(self, scenario: str, victims: str) -> list[Assigned]:
        """What ``scenario`` assigns: a new version, or nothing."""
        self.version = ""
        if scenario == "withdraw":
            return []
        self.builds += 1
        self.version = f"acme-1.0.{self.builds}"
        # A service killed on probation is, rightly, a version that failed.
        is_hit = victims in ("shim", "service", "all")
        self.allowed = {self.good} if scenario != "update" else {self.version, *([self.good] if is_hit else [])}
        return [self.node.publish(self.key, self.version, self._files(scenario))]

    def _files(self, scenario: str) -> Files:
        after = 'after = ["db"]\n' if self.key == "web" else ""
        more = after + _HOOKS % (self.key, "false" if scenario == "bad-hook" else "true")
        if scenario == "crash":
            return crasher(self.key)
        return sleeper(self.key, says=f"build {self.builds}", more=more)

    def is_settled(self) -> bool:
        """Whether what was ordered has come to its end, with one of the allowed versions running."""
        version, allowed = self.version, self.allowed
        journal = Home(self.home).journal(self.key)
        if not version:
            return not journal.exists()
        record = self.record()
        state = self.node.state_of(self.key)
        decided = record.failed == version or (record.committed is not None and record.committed.version == version)
        rests = record.step is Step.REST and decided and state is not None and state.desired == version
        if not rests or state is None:
            return False
        return state.phase is Phase.FAILED if record.committed is None else state.running in allowed

    def take_stock(self) -> None:
        """Note what is committed now."""
        committed = self.record().committed if self.version else None
        self.good = "" if committed is None else str(committed.version)

    def check(self) -> None:
        """Process table, link, journal, folders and status tell the same."""
        record, run = self.record(), last_run(self.unit)
        running, shims = unit_processes(self.home, self.key), shim_processes(self.home, self.key)
        states = [one for one in read_status(self.home).services if one.key == self.key]
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


@dataclass(kw_only=True)
class Stage:
    """The services of one home, their node, and who kills."""

    actors: tuple[Actor, ...]
    killer: Killer
    worst_seconds: float = 0.0

    @classmethod
    def of(cls, node: AgentNode, home: Path, killer: Killer) -> Self:
        """Nothing runs there yet."""
        return cls(actors=tuple(Actor(node=node, home=home, key=key) for key in KEYS), killer=killer)

    async def attack(self, scenarios: Sequence[str], victims: str, milliseconds: int) -> None:
        """One run: order for each service, kill, let the next agent settle, and look at everything.

        Raises:
            AssertionError: two of journal, status, process table and disk tell different stories.
        """
        node, home = self.actors[0].node, self.actors[0].home
        pairs = zip(self.actors, scenarios, strict=True)
        await node.assign(*(assigned for actor, scenario in pairs for assigned in actor.publish(scenario, victims)))
        assert await self.killer.run(home, milliseconds, victims) == "killed"
        began, told = time.monotonic(), len(node.states)

        def is_over() -> bool:
            # What the dead agent said last no longer counts.
            return len(node.states) > told and all(actor.is_settled() for actor in self.actors)

        async with running_agent(home):
            await node.until(is_over)
            self.worst_seconds = max(self.worst_seconds, time.monotonic() - began)
        for actor in self.actors:
            actor.take_stock()
            await asyncio.to_thread(actor.check)

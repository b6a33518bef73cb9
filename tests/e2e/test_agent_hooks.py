"""Commands around the switch that ask for time, hang, or leave the data changed, with a real agent."""

import asyncio
from pathlib import Path

import pytest

from agent.control import ask
from agent.home import Home
from agent.journal import Journal
from agent.orders import Act, Request
from agent.plan import Step
from agent.processes import marked
from agent.runrecord import last_run
from agent.runs import UNIT_MARK
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from tests.support.agent_node import AgentNode, Files
from tests.support.agent_process import running_agent, unit_processes
from tests.support.agent_services import service_file, sleeper

pytestmark = pytest.mark.e2e

KEY = ServiceKey("web")


def hooked(hooks: str, hook: str, *, health: str = "", name: str = "web") -> Files:
    """A service that sleeps, with the script ``hook`` for its ``hooks``."""
    more = f"[services.{name}.install]\n{hooks}\n"
    return {
        "run*": "#!/bin/sh\nexec sleep 1000\n",
        "hook*": f"#!/bin/sh\n{hook}\n",
        "vupdate.toml": service_file(name, '["./run"]', more=more, health=health),
    }


def runs(version: str, state: ServiceState) -> bool:
    return state.phase is Phase.RUNNING and state.running == version == state.committed


async def first(node: AgentNode) -> None:
    await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
    await node.until_state(KEY, lambda state: runs("acme-1.0.0", state))


async def test_a_command_that_asks_for_time_gets_it(node: AgentNode, home: Path) -> None:
    """Exit status 75 before the stop is tried again, and the old version runs meanwhile; nobody is to blame."""
    hook = 'echo not yet\ntest -e "$VUPDATE_UNIT/now" || exit 75'
    async with running_agent(home):
        await first(node)
        await node.assign(node.publish(KEY, "acme-1.0.1", hooked('before_stop = [ { run = ["./hook"] } ]', hook)))
        state = await node.until_state(KEY, lambda state: state.error.startswith("retry later: "))
        assert "not yet" in state.error
        assert (state.running, state.failed) == ("acme-1.0.0", None)
        (Home.at(home).unit(KEY).root / "now").touch()
        state = await node.until_state(KEY, lambda state: runs("acme-1.0.1", state))
        assert state.error == ""
    assert node.faults == []


async def test_a_rollback_says_what_touched_the_data(node: AgentNode, home: Path) -> None:
    """A version put back after its migration began is told with the migration that nobody undid."""
    hooks = 'after_switch = [ { run = ["./hook", "--all"] } ]'
    files = hooked(hooks, "exit 0", health='command = ["false"]\n')
    files = {**files, "vupdate.toml": str(files["vupdate.toml"]).replace('deadline = "5s"', 'deadline = "300ms"')}
    async with running_agent(home):
        await first(node)
        await node.assign(node.publish(KEY, "acme-1.0.1", files))
        state = await node.until_state(
            KEY, lambda state: state.failed == "acme-1.0.1" and state.running == "acme-1.0.0"
        )
        assert "not undone: ./hook --all" in state.error


async def test_a_command_that_hangs_is_ended_with_its_children(node: AgentNode, home: Path) -> None:
    """A command over its time is killed with what it started, and the update is off; the old version ran throughout."""
    hooks = 'before_stop = [ { run = ["./hook"], timeout = "300ms" } ]'
    async with running_agent(home):
        await first(node)
        before = unit_processes(home, KEY)
        await node.assign(node.publish(KEY, "acme-1.0.1", hooked(hooks, "sleep 1000 &\nsleep 1000")))
        state = await node.until_state(KEY, lambda state: state.failed == "acme-1.0.1")
        assert "took longer than 0.3 s" in state.error
        await node.until(lambda: marked(f"{UNIT_MARK}={Home.at(home).unit(KEY).root}") == before)


async def test_a_pattern_that_never_ends_is_given_up_on(
    node: AgentNode, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pattern that would take for ever holds up nothing but its own update, and that for a while only."""
    monkeypatch.setattr("agent.patterns.SECONDS", 0.5)
    hooks = "before_stop = [ { run = [\"./hook\"], output_match = '(a+)+$' } ]"
    async with running_agent(home):
        await first(node)
        files = hooked(hooks, "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")
        await node.assign(node.publish(KEY, "acme-1.0.1", files))
        state = await node.until_state(KEY, lambda state: state.failed == "acme-1.0.1")
        assert "takes longer than 0.5 s" in state.error
        assert state.running == "acme-1.0.0"


async def test_services_start_in_their_order(node: AgentNode, home: Path) -> None:
    """A service that names another under `after` is installed and started after that one is through."""
    web = {
        "run*": "#!/bin/sh\nexec sleep 1000\n",
        "vupdate.toml": service_file("web", '["./run"]', more='after = ["zdb", "absent"]'),
    }
    slow = {
        "run*": "#!/bin/sh\nsleep 1\ntouch ready\nexec sleep 1000\n",
        "vupdate.toml": service_file("zdb", '["./run"]', health='command = ["test", "-e", "ready"]\n'),
    }
    started = {}
    async with running_agent(home):
        await node.assign(node.publish(KEY, "acme-1.0.0", web), node.publish("zdb", "acme-1.0.0", slow))
        for key in (KEY, ServiceKey("zdb")):
            await node.until_state(key, lambda state: runs("acme-1.0.0", state))
            run = last_run(Home.at(home).unit(key))
            assert run is not None
            started[str(key)] = run.started
    assert (started["web"] - started["zdb"]).total_seconds() > 1


async def test_who_waits_for_others_still_hears_orders(node: AgentNode, home: Path) -> None:
    """An update that waits for another service's is left at once by a hold, and begun again by the release."""
    web = {
        "run*": "#!/bin/sh\nexec sleep 1000\n",
        "vupdate.toml": service_file("web", '["./run"]', more='after = ["zdb"]'),
    }
    blocked = hooked('before_stop = [ { run = ["./hook"], timeout = "60s" } ]', "exec sleep 50", name="zdb")
    async with running_agent(home):
        first = [node.publish(KEY, "acme-1.0.0", web), node.publish("zdb", "acme-1.0.0", sleeper("zdb"))]
        await node.assign(*first)
        for key in (KEY, ServiceKey("zdb")):
            await node.until_state(key, lambda state: runs("acme-1.0.0", state))
        await node.assign(node.publish(KEY, "acme-1.0.1", web), node.publish("zdb", "acme-1.0.1", blocked))
        journal = Journal(Home.at(home).journal(KEY))
        await node.until_state(ServiceKey("zdb"), lambda state: state.phase is not Phase.RUNNING)
        await until_step(journal, Step.BEFORE_STOP)
        await node.until_state(KEY, lambda state: state.error == "waits for zdb, which it runs after")
        await ask(home, Request(act=Act.HOLD, service=KEY))
        await until_step(journal, Step.REST)
        resting = await node.until_state(KEY, lambda state: state.held and not state.error)
        assert runs("acme-1.0.0", resting)
        await ask(home, Request(act=Act.RELEASE, service=KEY))
        await until_step(journal, Step.BEFORE_STOP)
        await node.assign(*first)
        await node.until_state(KEY, lambda state: runs("acme-1.0.0", state))
        await until_step(journal, Step.REST)


async def until_step(journal: Journal, step: Step) -> None:
    """Within ten seconds; the wait for another service may take five minutes."""
    async with asyncio.timeout(10):
        while journal.read().step is not step:
            await asyncio.sleep(0.05)

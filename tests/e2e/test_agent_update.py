"""An agent with real services and a real link: installs, updates, puts back, reports."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from agent import history
from agent.home import Home
from agent.recordfile import RecordFile
from agent.runrecord import last_run
from agent.slots import current_version
from agent.status import read_status
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from tests.support.agent_node import AgentNode
from tests.support.agent_process import running_agent, unit_processes
from tests.support.agent_services import crasher, service_file, sleeper

pytestmark = pytest.mark.e2e

READY = 'command = ["test", "-e", "ready"]\n'


def runs(version: str) -> Callable[[ServiceState], bool]:
    return lambda state: state.phase is Phase.RUNNING and state.running == version == state.committed


def put_back(old: str, failed: str) -> Callable[[ServiceState], bool]:
    return lambda state: state.failed == failed and runs(old)(state)


async def test_install_and_update(node: AgentNode, home: Path) -> None:
    """A version that is assigned is installed, runs, and gives way to the next one."""
    one = node.publish("web", "acme-1.0.0", sleeper())
    two = node.publish("web", "acme-1.0.1", sleeper(says="hi"))
    async with running_agent(home):
        await node.assign(one)
        state = await node.until_state("web", runs("acme-1.0.0"))
        assert state.moved is not None
        assert state.moved.base is None
        await node.assign(two)
        state = await node.until_state("web", runs("acme-1.0.1"))
        assert state.moved is not None
        assert state.moved.base == "acme-1.0.0"
        assert 0 < state.moved.moved_bytes < state.moved.full_bytes * 2
        assert len(unit_processes(home, "web")) == 1
        await node.until(lambda: "hi from acme-1.0.1" in node.log_text())
        phases = [one.phase for told in node.states for one in told.services]
        assert Phase.PROBATION in phases
    assert "hello from acme-1.0.0" in node.log_text()
    assert node.faults == []


async def test_put_back(node: AgentNode, home: Path) -> None:
    """A version that crashes on probation is put back, reported, and not tried again; the one after it is."""
    one = node.publish("web", "acme-1.0.0", sleeper())
    two = node.publish("web", "acme-1.0.1", crasher())
    three = node.publish("web", "acme-1.0.2", sleeper())
    async with running_agent(home):
        await node.assign(one)
        await node.until_state("web", runs("acme-1.0.0"))
        await node.assign(two)
        state = await node.until_state("web", put_back("acme-1.0.0", "acme-1.0.1"))
        assert "exit status 3" in state.error
        await node.until(lambda: bool(node.faults))
    async with running_agent(home):
        told = len(node.states)
        await node.assign(two)
        await node.until(lambda: len(node.states) > told and node.states[-1].revision == node.revision)
        assert put_back("acme-1.0.0", "acme-1.0.1")(await node.until_state("web", lambda _: True))
        await node.assign(three)
        state = await node.until_state("web", runs("acme-1.0.2"))
        assert (state.failed, state.error) == (None, "")
    (fault,) = node.faults
    assert (fault.reason, fault.exit_status, fault.in_probation) == ("exited", 3, True)
    assert (fault.version, fault.put_back) == ("acme-1.0.1", "acme-1.0.0")
    assert any("giving up" in line for line in fault.log)
    kept = Home(home).unit(ServiceKey("web")).faults / fault.id / "report.json"
    assert kept.is_file()


async def test_a_first_version_that_fails(node: AgentNode, home: Path) -> None:
    """Where there is nothing to put back, nothing runs, and the state says so."""
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", crasher()))
        state = await node.until_state("web", lambda state: state.phase is Phase.FAILED)
        assert (state.failed, state.running, state.committed) == ("acme-1.0.0", None, None)
    unit = Home(home).unit(ServiceKey("web"))
    assert current_version(unit) is None
    assert unit_processes(home, "web") == []
    assert list(unit.versions.iterdir()) == []


async def test_a_command_that_does_not_exist(node: AgentNode, home: Path) -> None:
    """A version whose program is missing is put back with the reason."""
    files = {"vupdate.toml": service_file("web", '["./absent"]')}
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
        await node.assign(node.publish("web", "acme-1.0.1", files))
        state = await node.until_state("web", put_back("acme-1.0.0", "acme-1.0.1"))
        assert "./absent: No such file" in state.error
        await node.until(lambda: bool(node.faults))
    assert (node.faults[0].reason, node.faults[0].in_probation) == ("start-failed", True)


async def test_a_service_that_never_gets_healthy(node: AgentNode, home: Path) -> None:
    """A version that runs but does not answer before its deadline is put back as unhealthy."""
    health = 'tcp = "127.0.0.1:1"\n'
    toml = service_file("web", '["sleep", "1000"]', health=health).replace('deadline = "5s"', 'deadline = "500ms"')
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
        await node.assign(node.publish("web", "acme-1.0.1", {"vupdate.toml": toml}))
        state = await node.until_state("web", put_back("acme-1.0.0", "acme-1.0.1"))
        assert "not healthy in time" in state.error
        await node.until(lambda: bool(node.faults))
    assert node.faults[0].reason == "unhealthy"
    assert "127.0.0.1" in node.faults[0].message or "refused" in node.faults[0].message.lower()


async def test_a_hook_that_fails_before_the_stop(node: AgentNode, home: Path) -> None:
    """When a command before the stop fails, the old version never stops."""
    hook = '[services.web.install]\nbefore_stop = [ { run = ["sh", "-c", "echo no room; exit 9"] } ]\n'
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
        before = unit_processes(home, "web")
        await node.assign(node.publish("web", "acme-1.0.1", sleeper(more=hook)))
        state = await node.until_state("web", put_back("acme-1.0.0", "acme-1.0.1"))
        assert "status 9: no room" in state.error
        assert unit_processes(home, "web") == before


async def test_a_hook_that_hangs_after_the_switch(node: AgentNode, home: Path) -> None:
    """A command past its time limit is killed with its children, and the old version comes back."""
    hook = '[services.web.install]\nafter_switch = [ { run = ["sh", "-c", "sleep 999 & wait"], timeout = "200ms" } ]\n'
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
        await node.assign(node.publish("web", "acme-1.0.1", sleeper(more=hook)))
        state = await node.until_state("web", put_back("acme-1.0.0", "acme-1.0.1"))
        assert "took longer than" in state.error
        assert len(unit_processes(home, "web")) == 1


async def test_data_outlives_versions(node: AgentNode, home: Path) -> None:
    """What a service keeps in its data folders is there for the next version, also after one that failed."""
    script = '#!/bin/sh\necho "$VUPDATE_VERSION" >> var/data/seen\nexec sleep 1000\n'
    toml = service_file("web", '["./run"]', more='data = ["var/data"]')
    files = {"run*": script, "vupdate.toml": toml}
    async with running_agent(home):
        for build in range(2):
            version = f"acme-1.0.{build}"
            await node.assign(node.publish("web", version, {**files, "build": str(build)}))
            await node.until_state("web", runs(version))
    unit = Home(home).unit(ServiceKey("web"))
    assert (unit.data / "var/data/seen").read_text().split() == ["acme-1.0.0", "acme-1.0.1"]
    assert (unit.current / "var/data").is_symlink()


async def test_one_service_does_not_hold_another(node: AgentNode, home: Path) -> None:
    """A service that can't be installed leaves the others alone; roles are services of their own."""
    good = node.publish("web", "acme-1.0.0", sleeper())
    role = node.publish("web:worker", "acme-1.0.0", sleeper(says="I am %%role%%"))
    bad = node.publish("db", "acme-2.0.0", {"readme": "no service file"})
    async with running_agent(home):
        await node.assign(good, role, bad)
        await node.until_state("web", runs("acme-1.0.0"))
        await node.until_state("web:worker", runs("acme-1.0.0"))
        state = await node.until_state("db", lambda state: state.phase is Phase.FAILED)
        assert "vupdate.toml" in state.error


async def test_a_service_that_is_no_longer_assigned(node: AgentNode, home: Path) -> None:
    """It is stopped and its versions go; its data stays; a later assignment brings it again."""
    more = 'data = ["data"]'
    one = node.publish("web", "acme-1.0.0", sleeper(more=more))
    async with running_agent(home):
        await node.assign(one)
        await node.until_state("web", runs("acme-1.0.0"))
        unit = Home(home).unit(ServiceKey("web"))
        (unit.data / "data" / "kept").write_text("x")
        await node.assign()
        await node.until(lambda: node.states[-1].services == () and node.states[-1].revision == node.revision)
        assert unit_processes(home, "web") == []
        assert not unit.current.is_symlink()
        assert list(unit.versions.iterdir()) == []
        assert read_status(home).services == ()
        await node.assign(one)
        await node.until_state("web", runs("acme-1.0.0"))
        assert (unit.data / "data" / "kept").is_file()


async def test_services_outlive_their_agent(node: AgentNode, home: Path) -> None:
    """An agent that ends stops nothing; the next one finds the same process, also while the node is away."""
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
    before = unit_processes(home, "web")
    assert len(before) == 1
    assert runs("acme-1.0.0")(read_status(home).services[0])
    node.away = True
    async with running_agent(home):
        node.away = False
        node.states.clear()
        await node.until_state("web", runs("acme-1.0.0"))
    assert unit_processes(home, "web") == before
    assert node.faults == []


async def test_a_crash_after_the_commit(node: AgentNode, home: Path) -> None:
    """A committed version that ends is reported and started again; a planned stop is no fault."""
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
        (pid,) = unit_processes(home, "web")
        os.kill(pid, signal.SIGSEGV)
        await node.until(lambda: bool(node.faults))
        state = await node.until_state("web", lambda state: state.failures == 1 and runs("acme-1.0.0")(state))
        assert state.last_exit == "killed by signal SEGV"
        assert unit_processes(home, "web") != [pid]
        await node.until(lambda: any(len(told.runs) == 2 and told.runs[-1].alive for told in node.histories))
    first, second = node.histories[-1].runs
    assert (first.version, first.signal, first.alive, second.ended) == ("acme-1.0.0", "SEGV", False, None)
    assert {batch.run for batch in node.batches} <= {first.run, second.run}
    (fault,) = node.faults
    assert (fault.reason, fault.signal, fault.in_probation, fault.put_back) == ("signalled", "SEGV", False, None)


async def test_a_shim_that_is_killed(node: AgentNode, home: Path) -> None:
    """When a shim dies, its service and that one's children die with it, and a new run begins."""
    script = "#!/bin/sh\nsleep 1000 &\n(setsid sleep 1000 &)\ntouch ready\nexec sleep 1000\n"
    files = {"run*": script, "vupdate.toml": service_file("web", '["./run"]', health=READY)}
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", files))
        await node.until_state("web", runs("acme-1.0.0"))
        before = unit_processes(home, "web")
        assert len(before) == 3
        run = last_run(Home.at(home).unit(ServiceKey("web")))
        assert run is not None
        os.kill(run.shim.pid, signal.SIGKILL)
        await node.until_state("web", lambda state: state.failures == 1 and runs("acme-1.0.0")(state))
        await node.until(lambda: bool(node.faults))
        assert not {*before} & {*unit_processes(home, "web")}
    assert node.faults[0].reason == "signalled"


async def test_a_service_that_ignores_its_signal(node: AgentNode, home: Path) -> None:
    """A service that does not end by its signal is killed after its grace, with all of its children."""
    script = "#!/bin/sh\ntrap '' TERM\n(setsid sleep 1000 &)\ntouch ready\nwhile :; do sleep 1000; done\n"
    toml = service_file("web", '["./run"]', health=READY).replace('grace = "2s"', 'grace = "200ms"')
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", {"run*": script, "vupdate.toml": toml}))
        await node.until_state("web", runs("acme-1.0.0"))
        before = unit_processes(home, "web")
        assert len(before) == 3
        await node.assign(node.publish("web", "acme-1.0.1", sleeper()))
        await node.until_state("web", runs("acme-1.0.1"))
        assert not {*before} & {*unit_processes(home, "web")}
    assert node.faults == []


async def test_an_altered_base_costs_the_full_pack(node: AgentNode, home: Path) -> None:
    """A service that changed its own files can't spoil an update: the whole image is fetched."""
    big = {"big": "x" * 100_000}
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", {**sleeper(), **big}))
        await node.until_state("web", runs("acme-1.0.0"))
        (Home(home).unit(ServiceKey("web")).current / "big").write_text("changed by the service")
        await node.assign(node.publish("web", "acme-1.0.1", {**sleeper(says="new"), **big}))
        state = await node.until_state("web", runs("acme-1.0.1"))
    assert [base is None for base in node.pack_bases] == [True, False, True]
    assert state.moved is not None
    assert state.moved.base is None
    assert state.moved.moved_bytes > state.moved.full_bytes
    assert (Home(home).unit(ServiceKey("web")).current / "big").read_text() == big["big"]


async def test_what_happens_while_the_node_is_away_arrives_later(node: AgentNode, home: Path) -> None:
    """Faults and logs wait on disk until the node is back, also for another agent, and arrive."""
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
        await node.until(lambda: "hello" in node.log_text())
        node.away = True
        (pid,) = unit_processes(home, "web")
        os.kill(pid, signal.SIGKILL)
        spool = Home(home).spool / "faults"
        # Nothing is told while the node is away, so the disk is looked at.
        async with asyncio.timeout(20):
            while not (spool.is_dir() and list(spool.iterdir()) and unit_processes(home, "web") not in ([], [pid])):
                await asyncio.sleep(0.05)
    node.batches.clear()
    async with running_agent(home):
        node.away = False
        await node.until(lambda: bool(node.faults) and "hello" in node.log_text())
    assert [fault.signal for fault in node.faults] == ["KILL"]


async def test_an_agents_own_file_is_above_the_node(node: AgentNode, home: Path) -> None:
    """What the file does not name never begins, whatever is assigned; the node is told what it allows."""
    place = Home(home)
    place.attach(replace(place.attached(), fixed=(ServiceKey("web:blue"),)))
    async with running_agent(home):
        await node.assign(
            node.publish("web", "acme-1.0.0", sleeper()), node.publish("web:blue", "acme-1.0.0", sleeper())
        )
        await node.until_state("web:blue", runs("acme-1.0.0"))
        assert node.states[-1].fixed == ("web:blue",)
        assert [one.key for one in node.states[-1].services] == ["web:blue"]
        assert [one.key for one in read_status(home).services] == ["web:blue"]
    assert unit_processes(home, "web") == []


async def test_a_slow_node_holds_up_no_service(node: AgentNode, home: Path) -> None:
    """A crashed service is back before the next answer comes, and an update comes through all the same."""
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
        node.slow_seconds = 2
        (pid,) = unit_processes(home, "web")
        asked = len(node.states)
        os.kill(pid, signal.SIGSEGV)
        async with asyncio.timeout(node.slow_seconds):
            while unit_processes(home, "web") in ([], [pid]):
                await asyncio.sleep(0.02)
        assert len(node.states) == asked
        await node.assign(node.publish("web", "acme-1.0.1", sleeper()))
        await node.until_state("web", runs("acme-1.0.1"))
        await node.until(lambda: bool(node.faults))


async def test_the_environment_holds_nothing_of_the_agent(
    node: AgentNode, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service sees its recipe's variables and who it is, not the agent's environment."""
    monkeypatch.setenv("AGENT_SECRET", "s3cret")
    more = 'env = { COLOUR = "red %%service%%", VUPDATE_RUN = "forged" }'
    script = "#!/bin/sh\nenv\nexec sleep 1000\n"
    files = {"run*": script, "vupdate.toml": service_file("web", '["./run"]', more=more)}
    async with running_agent(home):
        await node.assign(node.publish("web:blue", "acme-1.0.0", files))
        await node.until(lambda: "COLOUR=red web" in node.log_text())
    text = node.log_text()
    assert "VUPDATE_SERVICE=web:blue" in text
    assert "VUPDATE_RUN=00000001-" in text
    assert "s3cret" not in text


async def test_no_line_is_lost_when_agents_change(node: AgentNode, home: Path) -> None:
    """Output goes on while no agent runs, and each line arrives once, in order, when the next one comes."""
    script = "#!/bin/sh\ni=0\nwhile [ $i -lt 400 ]; do i=$((i+1)); echo line $i; sleep 0.005; done\nexec sleep 1000\n"
    files = {"run*": script, "vupdate.toml": service_file("web", '["./run"]')}
    await node.assign(node.publish("web", "acme-1.0.0", files))
    async with running_agent(home):
        await node.until_state("web", runs("acme-1.0.0"))
        await node.until(lambda: "line 50\n" in node.log_text())
    async with running_agent(home):
        await node.until(lambda: "line 400" in node.log_text())
    assert node.log_text().split("\n") == [f"line {number}" for number in range(1, 401)]


async def test_a_service_whose_port_is_taken(node: AgentNode, home: Path) -> None:
    """A version that can't take its port is put back, and the reason stands in the fault report."""
    taken = node.url.rpartition(":")[2]
    script = f"import http.server\nhttp.server.HTTPServer(('127.0.0.1', {taken}), None).serve_forever()\n"
    health = f'http = "http://127.0.0.1:{taken}/"\n'
    bad = {"serve.py": script, "vupdate.toml": service_file("web", '["python3", "serve.py"]', health=health)}
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", sleeper()))
        await node.until_state("web", runs("acme-1.0.0"))
        await node.assign(node.publish("web", "acme-1.0.1", bad))
        await node.until_state("web", put_back("acme-1.0.0", "acme-1.0.1"))
        await node.until(lambda: bool(node.faults))
    assert node.faults[0].message == "OSError: [Errno 98] Address already in use"


async def test_a_service_that_answers(node: AgentNode, home: Path) -> None:
    """A service whose health is asked by HTTP is committed once it answers; after an update the new one does."""
    script = (
        "import http.server, os, time\n"
        "class Page(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers()\n"
        "        self.wfile.write(os.environ['VUPDATE_VERSION'].encode())\n"
        "time.sleep(0.3)\n"
        "server = http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Page)\n"
        "server.serve_forever()\n"
    )
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    toml = service_file(
        "web", '["python3", "serve.py"]', more=f'env = {{ PORT = "{port}" }}', health=f'http = "{url}"\n'
    )
    async with running_agent(home), aiohttp.ClientSession() as session:
        for version in ("acme-1.0.0", "acme-1.0.1"):
            await node.assign(node.publish("web", version, {"serve.py": script, "vupdate.toml": toml}))
            await node.until_state("web", runs(version))
            async with session.get(url) as answer:
                assert await answer.text() == version
        # It sleeps before it answers, so an agent that tells too early that it runs again is caught here.
        os.kill(unit_processes(home, "web")[0], signal.SIGKILL)
        await node.until_state("web", lambda state: state.failures == 1 and runs("acme-1.0.1")(state))
        async with session.get(url) as answer:
            assert await answer.text() == "acme-1.0.1"


async def test_restart_policy_never(node: AgentNode, home: Path) -> None:
    """A service that may end is left ended, told as stopped, and no fault; the next version is installed."""
    script = "#!/bin/sh\nuntil [ -e data/end ]; do sleep 0.05; done\n"
    toml = service_file("web", '["./run"]', more='data = ["data"]').replace(
        'policy = "always"', 'policy = "on-failure"'
    )
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", {"run*": script, "vupdate.toml": toml}))
        await node.until_state("web", runs("acme-1.0.0"))
        (Home(home).unit(ServiceKey("web")).data / "data" / "end").touch()
        state = await node.until_state("web", lambda state: state.phase is Phase.STOPPED)
        assert (state.running, state.failures, state.last_exit) == (None, 0, "exit status 0")
    assert node.faults == []
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.1", sleeper()))
        await node.until_state("web", runs("acme-1.0.1"))


async def test_a_journal_that_can_not_be_read_holds_nobody_else(node: AgentNode, home: Path) -> None:
    """The service whose journal is of another format says so and is left as it is; the others go on."""
    one, two = node.publish("web", "acme-1.0.0", sleeper()), node.publish("db", "acme-1.0.0", sleeper("db"))
    async with running_agent(home):
        await node.assign(one, two)
        await node.until_state("web", runs("acme-1.0.0"))
        await node.until_state("db", runs("acme-1.0.0"))
    before = unit_processes(home, "db")
    RecordFile(Home(home).journal(ServiceKey("db"))).write(b'{"step":"of a later version"}')
    node.states.clear()
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.1", sleeper()), two)
        state = await node.until_state("db", lambda state: bool(state.error))
        assert "can't be read" in state.error
        await node.until_state("web", runs("acme-1.0.1"))
    assert unit_processes(home, "db") == before


async def test_numbers_of_runs_go_on_when_a_service_comes_again(node: AgentNode, home: Path) -> None:
    """The logs of a service that left and came again are told apart from those before, and all arrive."""
    one = node.publish("web", "acme-1.0.0", sleeper())
    async with running_agent(home):
        for _ in range(2):
            await node.assign(one)
            await node.until_state("web", runs("acme-1.0.0"))
            await node.assign()
            await node.until(lambda: node.states[-1].services == () and node.states[-1].revision == node.revision)
        await node.assign(one)
        await node.until(lambda: node.log_text().count("hello") == 3)
    assert len(history.earlier_runs(Home(home).unit(ServiceKey("web")))) == 2

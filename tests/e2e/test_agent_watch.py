"""Real services that use too much, hang, or leave children behind, and an agent that looks after them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.home import Home
from agent.runrecord import last_run
from federation.state import Phase, ServiceState
from tests.support.agent_node import AgentNode, Files
from tests.support.agent_process import running_agent, unit_processes
from tests.support.agent_services import service_file

pytestmark = pytest.mark.e2e

HEALTH = 'command = ["test", "-e", "ready"]\n'


def service(script: str, *, more: str = "", health: str = "") -> Files:
    return {"run*": script, "vupdate.toml": service_file("web", '["./run"]', more=more, health=health)}


def run_again(failures: int) -> Callable[[ServiceState], bool]:
    return lambda state: state.phase is Phase.RUNNING and state.failures >= failures


def runs(state: ServiceState) -> bool:
    return state.phase is Phase.RUNNING and state.committed is not None


async def test_too_much_memory_is_a_fault(node: AgentNode, home: Path) -> None:
    """A service whose tree grows over its memory bound is stopped, reported as over its limit, and started again."""
    eater = (
        "#!/usr/bin/env python3\nimport os, time\nif os.fork():\n    time.sleep(1000)\n"
        "while not os.path.exists('go'):\n    time.sleep(0.05)\nkept = b'x' * 200_000_000\ntime.sleep(1000)\n"
    )
    limits = 'limits = { memory = "120MB", cpu = "800%/1s" }'
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", service(eater, more=limits)))
        await node.until_state("web", runs)
        unit = Home.at(home).unit(node.state_of("web").key)  # type: ignore[union-attr]
        before = last_run(unit)
        assert before is not None
        (unit.current / "go").touch()
        await node.until(lambda: bool(node.faults))
        (unit.current / "go").unlink()
        state = await node.until_state("web", run_again(1))
        assert "stopped as a fault: used" in state.last_exit
    fault = node.faults[0]
    assert fault.reason == "over-limit"
    assert "MiB of memory, allowed are" in fault.message
    assert not before.service.alive
    assert json.loads(unit.condemned.read_text())["reason"] == "over-limit"


async def test_a_service_that_hangs_is_started_again(node: AgentNode, home: Path) -> None:
    """A service that was ready and fails its checks is stopped as a fault and started again."""
    hangs = "#!/bin/sh\ntouch ready\nexec sleep 1000\n"
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", service(hangs, health=HEALTH)))
        await node.until_state("web", runs)
        unit = Home.at(home).unit(node.state_of("web").key)  # type: ignore[union-attr]
        (unit.current / "ready").unlink()
        state = await node.until_state("web", run_again(1))
        assert "checks in a row failed" in state.last_exit
        assert state.failed is None
    assert node.faults[0].reason == "unhealthy"


async def test_a_condemned_run_is_ended_by_the_next_agent(node: AgentNode, home: Path) -> None:
    """An agent that died between its verdict and the stop is followed by one that stops the run and tells why."""
    sleeps = "#!/bin/sh\nexec sleep 1000\n"
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", service(sleeps)))
        await node.until_state("web", runs)
        unit = Home.at(home).unit(node.state_of("web").key)  # type: ignore[union-attr]
    run = last_run(unit)
    assert run is not None
    assert run.alive
    unit.condemned.write_text(json.dumps({"run": run.run, "reason": "over-limit", "problem": "used too much"}))
    async with running_agent(home):
        await node.until_state("web", run_again(1))
        await node.until(lambda: bool(node.faults))
    assert [(fault.reason, fault.message) for fault in node.faults] == [("over-limit", "used too much")]


async def test_no_child_survives_a_stop(node: AgentNode, home: Path) -> None:
    """Children that left for sessions of their own and ignore the signal are gone once the service is withdrawn."""
    stays = "while :; do sleep 1; done"
    inner = f'(setsid sh -c "trap : TERM; {stays}" &)'
    forks = f"#!/bin/sh\ntrap '' TERM\n(setsid sh -c 'trap : TERM; {inner}; {stays}' &)\n{stays}\n"
    more = 'stop = { signal = "TERM", grace = "200ms" }'
    written = service_file("web", '["./run"]').replace('stop = { signal = "TERM", grace = "2s" }', more)
    files = {"run*": forks, "vupdate.toml": written}
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", files))
        await node.until_state("web", runs)
        key = node.state_of("web").key  # type: ignore[union-attr]
        await node.until(lambda: len(unit_processes(home, key)) >= 3)
        await node.assign()
        await node.until(lambda: not unit_processes(home, key))
    assert node.faults == []


async def test_files_of_a_fault_are_put_aside(node: AgentNode, home: Path) -> None:
    """What a crashed service left under a name of `faults.files` lies with its report, and no longer in its tree."""
    dumps = "#!/bin/sh\nsleep 1\ntest -e dumped || { touch dumped; echo memory > core.1; exit 7; }\nexec sleep 1000\n"
    more = 'faults = { files = ["core*"] }'
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", service(dumps, more=more)))
        await node.until(lambda: bool(node.faults))
        state = await node.until_state("web", run_again(1))
        unit = Home.at(home).unit(state.key)
    assert (unit.faults / node.faults[0].id / "files" / "core.1").read_text() == "memory\n"
    assert not (unit.current / "core.1").exists()
    assert (unit.current / "run").exists()


@pytest.mark.skipif(
    Path("/proc/sys/kernel/core_pattern").read_text().strip() != "core", reason="the kernel sends cores elsewhere"
)
@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize(
    "ends", ["kill -ABRT $$", f"exec {sys.executable} -c 'import time; held = b\"x\" * (48 << 20); time.sleep(1000)'"]
)
async def test_a_core_is_left_where_the_recipe_asks_for_one(
    ends: str, *, wanted: bool, node: AgentNode, home: Path
) -> None:
    """The kernel's core of a service that crashed, or that was stopped for its memory, lies with the report."""
    script = f"#!/bin/sh\ntest -e fell && exec sleep 1000\ntouch fell\nsleep 1\n{ends}\n"
    bounds = f'memory = "32MB", core_dump = {str(wanted).lower()}'
    more = f'limits = {{ {bounds} }}\nfaults = {{ files = ["core*"] }}'
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", service(script, more=more)))
        await node.until(lambda: bool(node.faults))
        state = await node.until_state("web", run_again(1))
        unit = Home.at(home).unit(state.key)
    cores = list((unit.faults / node.faults[0].id / "files").glob("core*"))
    assert len(cores) == int(wanted)
    for core in cores:
        head = core.read_bytes()[:18]
        assert head[:4] == b"\x7fELF"
        assert int.from_bytes(head[16:18], "little") == 4, "an ELF file of the type core (elf.h, ET_CORE)"


async def test_a_service_says_by_its_output_that_it_is_ready(node: AgentNode, home: Path) -> None:
    """A version whose output matches ``health.log`` passes its probation; one that never says so is put back."""
    says = "#!/bin/sh\necho starting\necho 'listening on port 80'\nexec sleep 1000\n"
    mute = "#!/bin/sh\necho starting\nexec sleep 1000\n"
    health = "log = '^listening on port [0-9]+$'\n"
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", service(says, health=health)))
        await node.until_state("web", runs)
        await node.assign(node.publish("web", "acme-1.0.1", service(mute, health=health)))
        state = await node.until_state("web", lambda state: state.failed is not None and runs(state))
    assert state.running == "acme-1.0.0"
    assert "no line of its output matches" in state.error

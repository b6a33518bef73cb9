"""An agent under a real systemd, by the unit that ``vupdate agent unit`` prints."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agent.home import Home
from agent.runrecord import last_run
from agent.unitfile import AgentUnit
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from tests.support import systemd as machine
from tests.support.agent_node import AgentNode
from tests.support.agent_process import unit_processes
from tests.support.agent_services import service_file
from tests.support.systemd import Systemd, systemd

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(machine.missing()), reason=machine.missing())]

UNIT = "vupdate-agent.service"
PROGRAM = Path(sys.executable).parent / "vupdate"
# Leaves a child that has cleared its environment, so that no mark shows it.
SCRIPT = """#!/bin/sh
env -i /bin/sh -c 'trap "" TERM; while :; do sleep 0.2; done' &
while :; do sleep 0.1; done
"""
QUICK = "[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\nRestartSec=100ms\n"


def runs(state: ServiceState) -> bool:
    return state.phase is Phase.RUNNING and state.committed is not None


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.05)


def group_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text().splitlines()[-1].rpartition("/")[2]


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Systemd]:
    async with systemd(tmp_path / "machine") as found:
        yield found


@pytest.fixture
async def attached(host: Systemd, node: AgentNode) -> Path:
    """The home of an agent inside, as seen from here; its node has one service for it."""
    home = host.path("/var/lib/vupdate-agent")
    node.attach(home)
    await node.assign(
        node.publish("web", "acme-1.0.0", {"run*": SCRIPT, "vupdate.toml": service_file("web", '["./run"]')})
    )
    return home


def install(host: Systemd, user: str = "") -> None:
    unit = AgentUnit(program=PROGRAM, home=Path("/var/lib/vupdate-agent"), user=user)
    folder = host.path("/etc/systemd/system")
    (folder / UNIT).write_text(unit.text)
    (folder / f"{UNIT}.d").mkdir()
    (folder / f"{UNIT}.d/quick.conf").write_text(QUICK)


async def main_pid(host: Systemd) -> int:
    return int(await host.shows(UNIT, "MainPID"))


async def started_again(host: Systemd, *, times: int) -> None:
    """Wait until systemd has started the agent anew and was told that it is ready."""
    async with asyncio.timeout(40):
        while await host.shows(UNIT, "NRestarts") != str(times) or await host.shows(UNIT, "ActiveState") != "active":
            await asyncio.sleep(0.05)


def service_pids() -> list[int]:
    """The processes of the service, by the home that they see."""
    return unit_processes(Path("/var/lib/vupdate-agent"), "web")


async def test_the_unit_keeps_the_agent_and_the_agent_its_services(
    host: Systemd, attached: Path, node: AgentNode
) -> None:
    """Ready when it says so; killed, hung or stopped, the agent comes back to the same processes of its services."""
    install(host)
    await host.systemctl("daemon-reload")
    await host.systemctl("start", UNIT)
    assert await host.shows(UNIT, "StatusText") == "looking after services"
    await node.until_state("web", runs)
    service = set(service_pids())
    assert service

    await host.ran("kill", "-KILL", str(await main_pid(host)))
    await started_again(host, times=1)
    assert set(service_pids()) & service

    # A loop that hangs says nothing more; systemd's watchdog ends it.
    await host.ran("kill", "-STOP", str(await main_pid(host)))
    await started_again(host, times=2)
    assert set(service_pids()) & service

    await host.systemctl("stop", UNIT)
    assert await host.shows(UNIT, "Result") == "success"
    assert set(service_pids()) & service
    await host.systemctl("start", UNIT)
    _, said = await host.ran(str(PROGRAM), "agent", "status", "--home", "/var/lib/vupdate-agent", "--json")
    assert [one["phase"] for one in json.loads(said)["services"]] == ["running"], said
    assert set(service_pids()) & service


@pytest.mark.parametrize("user", ["", "nobody"])
async def test_a_run_has_a_control_group_of_its_own(user: str, host: Systemd, attached: Path, node: AgentNode) -> None:
    """Stopped, nothing of the run is left: not even a child without the run's marks, after a kill of agent and shim."""
    install(host, user)
    if user:
        for path in (attached, *attached.rglob("*")):
            shutil.chown(path, user)
    await host.systemctl("daemon-reload")
    await host.systemctl("start", UNIT)
    await node.until_state("web", runs)
    pids = service_pids()
    assert all(group_of(pid).startswith("web-") for pid in pids)
    run = last_run(Home(attached).unit(ServiceKey("web")))
    assert run is not None
    group = host.path(run.group)
    inside = (group / "cgroup.procs").read_text().split()
    assert len(inside) > len(pids), "the child without marks is in the group too"

    status, said = await host.ran("kill", "-KILL", str(await main_pid(host)), str(run.shim.pid))
    assert status == 0, said
    await until(lambda: not group.exists())
    await node.until_state("web", lambda state: state.phase is Phase.RUNNING and bool(service_pids()))
    again = last_run(Home(attached).unit(ServiceKey("web")))
    assert again is not None
    assert again.run != run.run

"""The agent and its service manager: the unit file, and what is told over the manager's socket."""

import asyncio
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from agent.home import Home
from agent.notify import Manager
from agent.settings import Place, environment
from agent.unitfile import AgentUnit
from federation.errors import InvalidValueError
from federation.names import InstanceName, NodeName, ServiceKey
from federation.versions import ClientVersion


def lines(unit: AgentUnit) -> list[str]:
    return unit.text.splitlines()


def test_a_unit_that_leaves_services_alone() -> None:
    """The agent says when it is ready and alive, and only it is stopped, not what it looks after."""
    found = lines(AgentUnit(program=Path("/usr/bin/vupdate"), home=Path("/srv/agent")))
    assert "ExecStart=/usr/bin/vupdate agent run --home /srv/agent" in found
    assert {"Type=notify", "KillMode=process", "Restart=always", "WatchdogSec=60"} <= set(found)
    assert not any(line.startswith("User=") for line in found)


def test_odd_paths_are_quoted() -> None:
    """Blanks, quotes, percent and dollar signs reach the agent as they are."""
    unit = AgentUnit(program=Path("/opt/v u/vupdate"), home=Path('/srv/100% "$x"\\y'), user="web-1")
    assert r'ExecStart="/opt/v u/vupdate" agent run --home "/srv/100%% \"$$x\"\\y"' in lines(unit)
    assert "User=web-1" in lines(unit)


@pytest.mark.parametrize(
    ("home", "user"), [("/srv/a\nExecStartPre=/bin/evil", ""), ("srv", ""), ("/srv", "a\nb"), ("/srv", "a b")]
)
def test_a_unit_can_say_nothing_else(home: str, user: str) -> None:
    """A path or a name can't add a line of its own."""
    with pytest.raises(InvalidValueError):
        AgentUnit(program=Path("/usr/bin/vupdate"), home=Path(home), user=user)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """The unit is valid in the eyes of systemd itself."""
    program = shutil.which("true")
    assert program is not None
    file = tmp_path / "vupdate-agent.service"
    file.write_text(AgentUnit(program=Path(program), home=tmp_path / "a b%").text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    said = [line for line in done.stderr.splitlines() if "vupdate-agent.service" in line]
    # A systemd before 254 passes over the one name that it does not know.
    assert not [line for line in said if "'DelegateSubgroup'" not in line]


@pytest.mark.parametrize("kind", ["path", "abstract"])
async def test_the_manager_hears_each_word(kind: str, tmp_path: Path) -> None:
    """Ready, alive and stopping arrive as datagrams, on a socket with a path or an abstract name."""
    name = str(tmp_path / "s") if kind == "path" else f"@vupdate-test-{tmp_path.name}-{tmp_path.parent.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.settimeout(5)
        heard.bind(name if kind == "path" else f"\0{name[1:]}")
        manager = Manager.of({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": "7"}, 7)
        manager.ready()
        assert heard.recv(999).startswith(b"READY=1\n")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(manager.keep_alive())
            alive = [await asyncio.to_thread(heard.recv, 999) for _ in range(3)]
            task.cancel()
        assert alive == [b"WATCHDOG=1"] * 3
        manager.stopping()
        last = b"WATCHDOG=1"
        while last == b"WATCHDOG=1":
            last = heard.recv(999)
        assert last.startswith(b"STOPPING=1\n")


def test_without_a_manager_nothing_is_told() -> None:
    """No socket, a manager that is gone, or a watchdog meant for another process: the agent goes on."""
    Manager.of({}, 7).ready()
    Manager.of({"NOTIFY_SOCKET": "/nonexistent/socket"}, 7).ready()
    meant_for_another = Manager.of({"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "8"}, 7)
    assert meant_for_another._watchdog_seconds is None


def test_services_are_not_told_of_the_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service can't speak to systemd in the agent's name: it never learns the socket."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    monkeypatch.setenv("WATCHDOG_USEC", "1")
    place = Place(node=NodeName("acme"), instance=InstanceName("web-1"))
    found = environment(Home(tmp_path).unit(ServiceKey("web")), ClientVersion("acme-1.0.0"), place)
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC"} & set(found)

"""Recipes that may have the network, and look for what listens on this machine only."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from build.bounds import Bounds
from build.errors import BuildFailedError
from build.sandbox import unavailable, unconnected
from build.slirp import PROGRAM
from tests.support.sandboxed import Node

ROOT = Path(__file__).parents[2]
MISSING = asyncio.run(unavailable()) if shutil.which("bwrap") else "bubblewrap is not installed"
MISSING = MISSING or asyncio.run(unconnected())
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

REACH = """
import socket, struct, sys
port, own, abstract = int(sys.argv[1]), sys.argv[2], sys.argv[3]
DEVICE, INDEX, ANY_INDEX = 25, 50, struct.pack("!I", socket.if_nametoindex("tap0"))
loopback = ["127.0.0.1", "127.0.0.53", "10.0.2.2", "10.0.2.3", "255.255.255.255", "0.0.0.0"]
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for way in ("plain", "device", "index"):
        for address in (own, *loopback):
            with socket.socket(socket.AF_INET, kind) as one:
                one.settimeout(10 if address == own else 0.3)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                if way == "device":
                    one.setsockopt(socket.SOL_SOCKET, DEVICE, b"tap0")
                elif way == "index":
                    one.setsockopt(socket.IPPROTO_IP, INDEX, ANY_INDEX)
                try:
                    one.connect((address, port))
                    one.send(f"{address} by {way}".encode())
                except OSError as error:
                    print(address, way, error)
for place in (("::1", port), ("::ffff:127.0.0.1", port), ("fd00::2", port)):
    with socket.socket(socket.AF_INET6) as one:
        one.settimeout(0.3)
        try:
            one.connect(place)
            print("reached", place)
        except OSError as error:
            print(place, error)
with socket.socket(socket.AF_UNIX) as one:
    try:
        one.connect("\\0" + abstract)
        print("reached", abstract)
    except OSError as error:
        print(error)
print("looked")
"""


@dataclass
class Listeners:
    """Servers on all addresses of this machine, by one port. ``heard``: by which address each was reached, and how."""

    port: int
    abstract: str
    heard: list[str] = field(default_factory=list)


@contextlib.contextmanager
def listening() -> Iterator[Listeners]:
    """TCP and UDP of both families and an abstract socket."""
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("0.0.0.0", 0)))  # noqa: S104  # that is what is looked for
        port = tcp.getsockname()[1]
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("", port))
        six = stack.enter_context(socket.create_server(("::", port), family=socket.AF_INET6))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        found = Listeners(port, f"hostile-{os.getpid()}")
        abstract.bind(f"\0{found.abstract}")
        abstract.listen()

        def accept(server: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        found.heard.append(str(connection.getsockname()))

        def receive() -> None:
            while said := udp.recv(200):
                found.heard.append(said.decode())

        threads = [threading.Thread(target=accept, args=(one,)) for one in (tcp, six, abstract)]
        threads.append(threading.Thread(target=receive))
        for thread in threads:
            thread.start()
        try:
            yield found
        finally:
            for one in (tcp, six, abstract):
                one.shutdown(socket.SHUT_RDWR)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", port))
            for thread in threads:
                thread.join()


def own_address() -> str:
    """An address of this machine that is not its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return str(one.getsockname()[0])


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node; after the test nothing of its builds runs any more, in the sandbox or beside it."""
    node = Node(tmp_path)
    yield node
    assert node.processes() == []
    assert node.marked() == []


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


async def test_the_host_s_loopback_is_out_of_reach(node: Node) -> None:
    """By no address, family or trick with the device; an address of the host that the net sees too is in reach."""
    own = own_address()
    node.repo.write("reach.py", REACH)
    with listening() as host:
        told = await node.told(f"python3 reach.py {host.port} {own} {host.abstract}", network=True)
        await until(lambda: len(host.heard) >= 6)
    assert told.splitlines()[-1] == "looked"
    assert "reached" not in told
    ways = [f"{own} by {way}" for way in ("plain", "device", "index")]
    assert sorted(host.heard) == sorted([*ways, *[str((own, host.port))] * 3])


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root and iproute2")
async def test_the_host_s_mounts_stay_as_they_are(node: Node) -> None:
    """slirp4netns puts its view of the files away, shared mounts such as those of ``ip netns`` among them."""
    name = f"vup-{os.getpid()}-kept"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        before = Path("/proc/self/mountinfo").read_text()
        assert name in before
        assert await unconnected() == ""
        await node.build("true", network=True)
        assert Path("/proc/self/mountinfo").read_text() == before
        subprocess.run(["ip", "netns", "exec", name, "true"], check=True)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


async def test_names_are_asked_for_at_a_server_inside(node: Node) -> None:
    """The host's own may be on its loopback; nothing else of the network's settings is missing."""
    told = await node.told("cat /etc/resolv.conf; cat /etc/hosts; cat /proc/net/route", network=True)
    assert told.splitlines()[0] == "nameserver 10.0.2.3"
    assert "localhost" in told
    assert "tap0\t00000000" in told


async def test_no_descriptor_gets_in(node: Node) -> None:
    """What bwrap is held back and let go by is not there for the command."""
    told = await node.told("ls -l /proc/self/fd; grep -E 'CapEff|NoNewPrivs' /proc/self/status", network=True)
    assert len([line for line in told.splitlines() if "->" in line]) <= 4
    assert "CapEff:\t0000000000000000" in told


@pytest.mark.parametrize(
    ("script", "seconds", "told"),
    [("true", 30, ""), ("exit 3", 30, "ended with status 3"), ("sleep 60", 1, "was not done after 1s")],
)
async def test_the_way_out_ends_with_the_command(script: str, seconds: int, told: str, node: Node) -> None:
    """After success, failure and a time-out; it counts as nothing that was left behind."""
    with pytest.raises(BuildFailedError, match=told) if told else contextlib.nullcontext():
        await node.build(script, network=True, seconds=seconds)
    assert node.marked() == []
    assert not any("left behind" in line for line in node.log if not told)


async def test_the_way_out_ends_with_a_build_over_its_bounds(node: Node) -> None:
    """As with any other end."""
    with pytest.raises(BuildFailedError, match="commands were not done after 1s"):
        await node.build("sleep 20", network=True, bounds=Bounds(seconds=1.0))
    assert node.marked() == []


@pytest.mark.parametrize("moment", ["$ sh", "begun"])
async def test_a_cancel_ends_the_way_out(moment: str, node: Node) -> None:
    """While it is being made, and when the command runs."""
    reached = asyncio.Event()
    node.told_line = lambda line: reached.set() if line.startswith(moment) else None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(node.build("echo begun; sleep 60", network=True))
        await reached.wait()
        task.cancel()
        await asyncio.wait([task])
    assert node.marked() == []


KILLED = """
import asyncio, pathlib, sys
from tests.support.sandboxed import Node
node = Node(pathlib.Path(sys.argv[1]))
node.told_line = lambda line: print(line, flush=True)
asyncio.run(node.build("cp /bin/sleep hostile-sleep; echo begun; ./hostile-sleep 60", network=True))
"""


async def test_a_node_that_is_killed_leaves_no_way_out(tmp_path: Path) -> None:
    """SIGKILL, which nobody can answer: bwrap and slirp4netns see that it is gone."""
    seen = Node(tmp_path)
    home = tmp_path / "killed"
    home.mkdir()
    with subprocess.Popen([sys.executable, "-c", KILLED, home], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        while process.stdout.readline() not in ("begun\n", ""):
            pass
        assert len(seen.marked()) == 1
        process.send_signal(signal.SIGKILL)
    await until(lambda: seen.marked() == [] and seen.processes() == [])


async def test_what_keeps_a_network_from_being_made_is_told(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build fails before its command has begun."""
    program = tmp_path / "bin" / PROGRAM
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no tun device >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("build.slirp._PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(BuildFailedError, match="got no network of its own: slirp4netns can't make it: no tun device"):
        await node.build("echo begun", network=True)
    assert "begun" not in node.log
    assert "no network can be made for a sandbox here: slirp4netns can't make it" in await unconnected()


SOMEBODY = "import asyncio; from build.sandbox import unconnected; print(asyncio.run(unconnected()) or 'connected')"
READS_US = "import subprocess, sys, build.sandbox; subprocess.run([sys.executable, '-c', ''], check=True)"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to be somebody else")
def test_a_node_that_is_not_root_makes_one_too() -> None:
    """In the same way, with what its user may do."""

    def run(python: str, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", python, "-B", "-c", script],
            capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip

    able = [one for one in (sys.executable, "/usr/bin/python3") if run(one, READS_US).returncode == 0]
    if not able:
        pytest.skip("no Python that another user can run has what this needs")
    assert run(able[0], SOMEBODY).stdout == "connected\n"

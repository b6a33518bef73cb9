"""Recipes that try to get out of the sandbox, or to use up the machine that builds them."""

import asyncio
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from build.bounds import Bounds
from build.confinement import Confinement
from build.developer import DeveloperBuild, build_developer
from build.errors import BuildFailedError
from build.sandbox import _HIDDEN, _LIMIT, _SHELTER, _kernel, _system, unavailable
from build.source import SourceRequest
from federation.limits import MIB
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from tests.support.sandboxed import SECRET, Node

MISSING = asyncio.run(unavailable()) if shutil.which("bwrap") else "bubblewrap is not installed"
REACH = """
import socket, sys
for kind, place in ((socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))), (socket.AF_UNIX, "\\0" + sys.argv[2])):
    try:
        socket.socket(kind).connect(place)
        print("reached")
    except OSError as error:
        print(error)
"""
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node; after the test nothing of its builds runs any more, and its key is as it was."""
    node = Node(tmp_path)
    yield node
    assert node.processes() == []
    assert (tmp_path / "keys/node.pem").read_text() == SECRET


async def test_the_node_s_keys_can_t_be_read(node: Node) -> None:
    """Neither by their path, nor by a search of the whole file system, nor by another process's view of it."""
    told = await node.told(
        f"cat {node.folder}/keys/node.pem; cat ../../../keys/node.pem; cat /proc/*/root{node.folder}/keys/node.pem;"
        f" find / -xdev -name node.pem; grep -rs 'own secret' /home /etc /tmp /cache /build /r??t; true"
    )
    assert SECRET not in told
    assert "node.pem\n" not in told.replace("cat: ", "")


async def test_secrets_of_the_host_are_not_there(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process can be seen, no password file, no variable of the node; the user is nobody in particular."""
    monkeypatch.setenv("VUPDATE_TOKEN", SECRET)
    told = await node.told("env; cat /etc/shadow /etc/passwd /proc/1/environ; ls /r??t /home; ps -e | wc -l; id -u")
    assert SECRET not in told
    assert str(node.folder) not in told
    assert told.splitlines()[-1] == "1000"
    assert int(told.splitlines()[-2]) < 10


async def test_nothing_is_written_outside(node: Node) -> None:
    """The system, its folders and its devices can't be written; what is written to /tmp is gone with the build."""
    told = await node.told(
        f"touch /usr/hostile; touch /etc/hostile; touch /hostile; mkdir -p {node.folder}/hostile; touch /dev/sda;"
        " touch /run/hostile; touch /dev/hostile; mount -t tmpfs none /build; touch /tmp/hostile-file && echo tmp ok"
    )
    assert told.count("Read-only file system") >= 5
    assert "tmp ok" in told
    for path in ("/usr/hostile", "/etc/hostile", "/hostile", "/tmp/hostile-file", f"{node.folder}/hostile"):
        assert not Path(path).exists()


SETTINGS = """
import os
for folder, folders, names in os.walk("/proc"):
    if folder == "/proc":
        folders[:] = [name for name in folders if not name.isdigit()]
    for name in names:
        path = os.path.join(folder, name)
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW))
            print("writable", path)
        except OSError:
            pass
print("looked")
"""


async def test_no_setting_of_the_kernel_can_be_written(node: Node) -> None:
    """Whoever the node runs as: what root owns in the kernel's own tree is as good as the whole machine."""
    node.repo.write("settings.py", SETTINGS)
    told = await node.told(
        "python3 settings.py; head -c 1 /proc/kcore 2>/dev/null | wc -c; cat /proc/keys 2>/dev/null | wc -c"
    )
    # Hidden files read as empty; what is written to them goes nowhere.
    told = "\n".join(line for line in told.splitlines() if line.removeprefix("writable /proc/") not in _HIDDEN)
    assert told.split() == ["looked", "0", "0"]


async def test_shared_memory_counts_as_disk(node: Node) -> None:
    """No folder in memory lets a build fill what the bounds don't see."""
    with pytest.raises(BuildFailedError, match="to the disk"):
        await node.build("while :; do head -c 10M /dev/urandom >> /dev/shm/x; done", bounds=Bounds(disk_bytes=50 * MIB))


async def test_no_privilege_can_be_had(node: Node) -> None:
    """No capabilities, no way to new ones, and no user namespace in which there would be some."""
    told = await node.told(
        "grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; unshare -U true || echo no namespace; "
        "nsenter -t 1 -m true || echo no entry"
    )
    assert "CapEff:\t0000000000000000" in told
    assert "CapBnd:\t0000000000000000" in told
    assert "NoNewPrivs:\t1" in told
    assert "no namespace" in told


async def test_there_is_no_network_unless_allowed(node: Node) -> None:
    """A service on the host's loopback, and an abstract socket, are out of reach of a build without the network."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        name = f"hostile-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        script = f"python3 reach.py {server.getsockname()[1]} {name}"
        node.repo.write("reach.py", REACH)
        assert "reached" not in await node.told(script)
        # Without slirp4netns the host's network is the only one that there is to have.
        node.confinement = replace(node.confinement, no_own_network="slirp4netns is not there")
        assert (await node.told(script, network=True)).count("reached") == 2
        assert "the commands have the host's network, its loopback too: slirp4netns is not there" in node.log


async def test_a_node_can_keep_the_network_to_itself(node: Node) -> None:
    """Where the node allows no build the network, a recipe that asks for it fails and says so."""
    node.repo.write("vupdate.toml", '[services.shop.run]\ncommand = ["./run"]\n[services.shop.build]\nnetwork = true\n')
    node.repo.commit()
    request = DeveloperBuild(
        service=ServiceName("shop"),
        version=DeveloperVersion("acme-1.0.0"),
        sources=(SourceRequest(name="shop", url=node.repo.url),),
        work=node.folder / "work",
        cache=node.folder / "cache",
        confinement=Confinement(sandbox=True, network=False),
    )
    with pytest.raises(BuildFailedError, match="lets no build have it"):
        await build_developer(request, node.log.append)


async def test_processes_left_behind_end_with_the_command(node: Node) -> None:
    """Daemons without the build's environment, session and parents are gone when the command has ended."""
    await node.build(
        "cp /bin/sleep hostile-sleep; for n in 1 2 3; do"
        " setsid env -i sh -c './hostile-sleep 600 </dev/null >/dev/null 2>&1 &' & done; sleep 0.3"
    )
    assert node.processes() == []


async def test_a_fork_bomb_is_stopped(node: Node) -> None:
    """A build that multiplies without end fails within seconds, and all of it is gone."""
    bomb = "cp /bin/sleep hostile-sleep; bomb() { while :; do ./hostile-sleep 50 & bomb & done; }; bomb"
    with pytest.raises(BuildFailedError, match="processes at once"):
        await node.build(bomb, bounds=Bounds(processes=200))
    assert node.processes() == []


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to be somebody else")
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_the_kernel_bounds_the_processes_of_a_node_that_is_not_root(shell: str) -> None:
    """Without control groups the limit set inside the sandbox holds, whichever shell sets it."""
    count = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done; echo all"
    words = [*_SHELTER, "--unshare-net", *_system(), *_kernel(), "--dev", "/dev", "--", shell, "-c", _LIMIT, "sh", "10"]
    somebody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "bwrap"]
    done = subprocess.run(
        [*somebody, *words, "/bin/sh", "-c", count],
        capture_output=True, text=True, check=False, timeout=30, cwd="/", env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert "fork" in done.stderr
    assert "all" not in done.stdout


async def test_memory_is_bounded(node: Node) -> None:
    """A build that fills the memory is stopped, and says what it used."""
    script = "exec python3 -c 'held = []\nwhile True: held.append(b\"x\" * (1 << 20))'"
    with pytest.raises(BuildFailedError, match="memory, allowed are 256 MiB"):
        await node.build(script, bounds=Bounds(memory_bytes=256 * MIB))


@pytest.mark.parametrize("place", ["out", "/tmp", "$HOME", "/cache"])
async def test_the_disk_is_bounded(place: str, node: Node) -> None:
    """A build that fills the disk, wherever it may write, is stopped."""
    with pytest.raises(BuildFailedError, match="to the disk"):
        await node.build(
            f"while :; do head -c 10M /dev/urandom >> {place}/hostile; done", bounds=Bounds(disk_bytes=100 * MIB)
        )


async def test_many_small_files_are_bounded(node: Node) -> None:
    """Files without content use up the disk's table of them, and count."""
    script = "cd out; n=0; while :; do n=$((n+1)); : > $n; done"
    with pytest.raises(BuildFailedError, match="more than 5000 files"):
        await node.build(script, bounds=Bounds(files=5000))


async def test_time_is_bounded_for_all_commands_together(node: Node) -> None:
    """Many commands that each stay within their limit end with the build's own."""
    with pytest.raises(BuildFailedError, match="commands were not done after 1s"):
        await node.build("sleep 20", bounds=Bounds(seconds=1.0))
    assert node.processes() == []


async def test_a_cancel_ends_all_of_it(node: Node) -> None:
    """A build that is cancelled is gone with all that it started, hidden or not."""
    started = asyncio.Event()
    node.told_line = lambda line: started.set() if line == "hidden" else None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            node.build("cp /bin/sleep hostile-sleep; setsid env -i ./hostile-sleep 60 & echo hidden; sleep 60")
        )
        await started.wait()
        task.cancel()
        await asyncio.wait([task])
    assert node.processes() == []


@pytest.mark.parametrize("link", ["ln -s {keys} out/keys", "rm -rf out; ln -s {keys} out", "ln -s ../../../keys out/k"])
async def test_links_out_of_the_image_get_nowhere(link: str, node: Node) -> None:
    """The copy is done outside the sandbox, but follows no link that leads there."""
    with pytest.raises(BuildFailedError):
        await node.build(link.format(keys=node.folder / "keys"))
    assert not list((node.folder / "work/tree").rglob("node.pem"))


async def test_a_build_can_t_reach_another_service_s_downloads(node: Node) -> None:
    """What one build leaves in the shared downloads can't get into a build of another service."""
    other = node.folder / "cache/packages/other"
    other.mkdir(parents=True)
    (other / "wheel").write_text("good")
    told = await node.told("find /cache -name wheel; echo evil > /cache/../cache/other-wheel; ls /cache")
    assert "wheel" in told
    assert (other / "wheel").read_text() == "good"
    assert not (node.folder / "cache/packages/other-wheel").exists()
    assert "/cache/" not in told


async def test_a_socket_of_the_terminal_is_not_there(node: Node) -> None:
    """A build has no controlling terminal to push input into, and no descriptor but the usual three."""
    told = await node.told("ls -l /proc/self/fd; : < /dev/tty")
    assert "No such device" in told or "cannot open /dev/tty" in told
    lines = [line for line in told.splitlines() if "->" in line]
    assert len(lines) <= 4, lines
    assert threading.active_count() > 0

"""Nodes on a local network of network namespaces, with real multicast: seen, paired by a code, followed, forgotten."""

import asyncio
import contextlib
import json
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from federation.discovery import SERVICE_TYPE, Announcement
from node.cli.demo.processes import vupdate
from tests.support.netns import NETWORK, Host, local_network, missing

pytestmark = pytest.mark.e2e

WITHIN = 40.0
RECIPE = """
[services.shop.build]
copy = [ { from = "*.txt" } ]
[services.shop.run]
command = ["sleep", "1"]
"""
READER = """
import asyncio, base64, json, sys
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

async def main(wanted):
    lan, found = AsyncZeroconf(), asyncio.Queue()
    browser = AsyncServiceBrowser(lan.zeroconf, "TYPE", handlers=[
        lambda zeroconf, service_type, name, state_change: found.put_nowait(name)
        if state_change is ServiceStateChange.Added else None])
    names = {await found.get() for _ in range(wanted)}
    for name in sorted(names):
        info = AsyncServiceInfo("TYPE", name)
        assert await info.async_request(lan.zeroconf, 5000)
        print(json.dumps({"name": name, "port": info.port, "addresses": info.parsed_addresses(),
                          "txt": base64.b64encode(info.text).decode()}))
    await browser.async_cancel()
    await lan.async_close()

asyncio.run(main(int(sys.argv[1])))
""".replace("TYPE", SERVICE_TYPE)


@pytest.fixture(scope="module", autouse=True)
def spaces() -> None:
    """Skips where there can be no namespaces."""
    if reason := missing():
        pytest.skip(reason)


@contextlib.asynccontextmanager
async def nodes(folder: Path, *names: str) -> AsyncIterator[list[Host]]:
    """A node on each machine, listening on all its addresses, not yet started."""
    async with local_network(folder, *names) as hosts:
        for host in hosts:
            await host.vupdate("init", "--name", host.name, "--host", "0.0.0.0")  # noqa: S104  # a namespace of its own
        yield hosts


async def until(what: str, host: Host, met: Callable[[], Any], within: float = WITHIN) -> Any:
    """What ``met`` gives once it gives anything."""
    try:
        async with asyncio.timeout(within):
            while not (found := await met()):
                await asyncio.sleep(1.0)
            return found
    except TimeoutError:
        pytest.fail(f"{what}: not seen on {host.name} within {within:.0f} s; its log: {host.log()}")


async def nearby(host: Host) -> dict[str, dict[str, Any]]:
    found = (await host.vupdate("nearby"))["nodes"]
    return {one["name"]: one for one in found}


async def sees(host: Host, name: str, within: float = WITHIN) -> dict[str, Any]:
    async def met() -> dict[str, Any] | None:
        return (await nearby(host)).get(name)

    found: dict[str, Any] = await until(f"{name} nearby", host, met, within)
    return found


def shop(host: Host) -> str:
    """A Git repository with a service of one file."""
    import git

    folder = host.folder / "shop"
    repository = git.Repo.init(folder, initial_branch="main")
    (folder / "vupdate.toml").write_text(RECIPE)
    (folder / "greeting.txt").write_text("hello")
    repository.git.add(all=True)
    actor = git.Actor("tester", "tester@example.org")
    repository.index.commit("first", author=actor, committer=actor)
    return str(folder)


async def pair(acme: Host, globex: Host) -> None:
    """``globex`` takes from ``acme``, each operator confirming by what the other one reads to him."""
    begun = await globex.vupdate("pair", "acme")
    there = (await acme.vupdate("pairings"))[0]
    assert there["id"] == begun["id"]
    assert there["code"] == begun["code"]
    assert re.fullmatch(r"[0-9]{6}", begun["code"])
    confirm = ("pairing", "confirm", begun["id"], "--code")
    waiting = await acme.vupdate(*confirm, begun["code"], "--profile", "public", "--no-wait")
    assert waiting["stage"] == "COMPARING"
    assert (await globex.vupdate("provider", "list")) == []
    linked = await globex.vupdate(*confirm, there["code"])
    assert linked["stage"] == "LINKED"


async def offers(globex: Host) -> list[dict[str, Any]]:
    """The versions from ``acme`` that are on ``globex`` whole."""
    return [one for one in await globex.vupdate("versions", "list", "shop") if one["version"].startswith("acme-")]


async def test_two_machines_see_each_other_pair_and_exchange_a_version(tmp_path: Path) -> None:
    """Through the command line alone; then the provider gets another address and is followed to it."""
    async with nodes(tmp_path, "acme", "globex") as (acme, globex):
        await acme.serve()
        started = time.monotonic()
        await globex.serve()
        seen = await sees(globex, "acme")
        print(f"\nseen {time.monotonic() - started:.1f} s after the start of the other node's process, with polling")
        assert seen["relation"] == "STRANGER"
        assert seen["urls"] == [f"https://{NETWORK}.1:7420"]
        assert (await sees(acme, "globex"))["urls"] == [f"https://{NETWORK}.2:7420"]

        await acme.vupdate("service", "add", "shop", shop(acme))
        await acme.vupdate("build", "shop")
        await acme.vupdate("profile", "set", "public", "shop")
        await pair(acme, globex)
        assert (await nearby(globex))["acme"]["relation"] == "PROVIDER"
        assert (await nearby(acme))["globex"]["relation"] == "CONSUMER"
        assert await until("a version of acme's", globex, lambda: offers(globex))

        acme.move(f"{NETWORK}.11")
        wanted = [f"https://{NETWORK}.11:7420"]

        async def moved() -> bool:
            return (await nearby(globex)).get("acme", {}).get("urls") == wanted

        await until("the new address", globex, moved)

        async def reached() -> bool:
            (provider,) = await globex.vupdate("provider", "list")
            return bool(provider["url"] == wanted[0])

        await until("the provider at its new address", globex, reached, within=90.0)


async def test_a_node_that_goes_away_disappears(tmp_path: Path) -> None:
    """At once when it ends in peace; a killed one when it was not heard for two and a half minutes (not waited for)."""
    async with nodes(tmp_path, "acme", "globex") as (acme, globex):
        await acme.serve()
        await globex.serve()
        await sees(globex, "acme")
        await acme.stop("node")

        async def gone() -> bool:
            return "acme" not in await nearby(globex)

        await until("that acme has gone", globex, gone, within=15.0)
        # And it is seen again when it is back.
        await acme.serve()
        await sees(globex, "acme")


async def test_two_nodes_of_one_name_are_both_seen(tmp_path: Path) -> None:
    """MDNS gives one of them another record name; their ids tell them apart, and the name alone names none."""
    async with nodes(tmp_path, "acme", "globex", "initech") as (acme, globex, initech):
        for host in (acme, initech):
            config = host.data / "config.toml"
            config.write_text(config.read_text().replace(f'"{host.name}"', '"shared"'))
            await host.serve()
        await globex.serve()

        async def both() -> list[str] | None:
            found = [one["id"] for one in (await globex.vupdate("nearby"))["nodes"] if one["name"] == "shared"]
            return found if len(set(found)) == 2 else None

        assert await until("both", globex, both)
        status, _, err = await globex.ran(sys.executable, "-m", "node.cli.main", "pair", "shared")
        assert (status, "2 nodes nearby call themselves shared" in err) == (5, True)


async def test_a_network_that_is_not_there_yet_does_not_end_the_node(tmp_path: Path) -> None:
    """It starts without an address, serves its operator, and is announced once it gets one."""
    async with nodes(tmp_path, "acme", "globex") as (acme, globex):
        address = acme.address
        status, _, err = await acme.ran("ip", "addr", "flush", "dev", "eth0")
        assert status == 0, err
        await acme.serve()
        await globex.serve()
        assert await nearby(acme) == {}
        assert "local network can't be used" in acme.log()
        acme.move(address)
        await sees(globex, "acme", within=60.0)


async def test_other_programs_read_the_announcement(tmp_path: Path) -> None:
    """A browser of another process finds the service by its type, with port, address and a whole TXT record."""
    async with nodes(tmp_path, "acme", "globex") as (acme, globex):
        await acme.serve()
        await globex.serve()
        await sees(globex, "acme")
        status, out, err = await globex.ran(sys.executable, "-c", READER, "2")
        assert status == 0, err
        found = {one["name"]: one for one in map(json.loads, out.splitlines())}
        one = found[f"acme.{SERVICE_TYPE}"]
        assert (one["port"], one["addresses"]) == (7420, [f"{NETWORK}.1"])
        import base64

        announcement = Announcement.from_txt(base64.b64decode(one["txt"]))
        assert (announcement.name, announcement.urls) == ("acme", (f"https://{NETWORK}.1:7420",))


BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=SOCKET</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/>
<allow send_type="method_call"/><allow receive_type="method_call"/>
<allow send_type="signal"/><allow receive_type="signal"/><allow send_requested_reply="true"/>
<allow receive_type="method_return"/><allow receive_type="error"/></policy></busconfig>
"""


async def test_avahi_reads_the_announcement(tmp_path: Path) -> None:
    """The usual mDNS program of Linux, an implementation of its own."""
    programs = ("avahi-daemon", "avahi-browse", "dbus-daemon", "mount")
    if absent := [one for one in programs if shutil.which(one) is None]:
        pytest.skip(f"there is no program {', '.join(absent)}")
    async with nodes(tmp_path, "acme", "globex") as (acme, globex):
        await acme.serve()
        socket, config = tmp_path / "bus", tmp_path / "bus.conf"
        config.write_text(BUS.replace("SOCKET", str(socket)))
        bus = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}
        await globex.start("bus", "dbus-daemon", f"--config-file={config}", "--nofork", "--print-address")
        # The daemon's process id is kept in a folder that a running one of the machine may hold: ours lies over it.
        folder = "/run/avahi-daemon"
        over = f"mkdir -p {folder} && mount -t tmpfs none {folder} && echo ready"
        daemon = f"{over} && exec avahi-daemon --no-drop-root --no-rlimits --no-chroot"
        await globex.start("avahi", "sh", "-c", daemon, more=bus)

        async def browsed() -> str | None:
            kind = SERVICE_TYPE.removesuffix(".local.")
            status, out, _ = await globex.ran("avahi-browse", "--resolve", "--parsable", "--terminate", kind, more=bus)
            lines = [line for line in out.splitlines() if status == 0 and line.startswith("=") and ";acme;" in line]
            return lines[0] if lines else None

        line = await until("acme", globex, browsed)
        fields = line.split(";")
        assert (fields[7], fields[8]) == (f"{NETWORK}.1", "7420")
        announcement = Announcement.from_txt(_in_order(re.findall(r'"([^"]*)"', fields[9])))
        assert announcement.name == "acme"


def _in_order(strings: list[str]) -> bytes:
    """The record's strings in the order in which they were announced, as tools may show them in another one."""
    values = dict(one.split("=", 1) for one in strings)
    ordered = [f"{key}={values[key]}".encode() for key in ("v", "id", "key", "name", "url", "at", "made", "sig")]
    return b"".join(bytes([len(one)]) + one for one in ordered)


async def test_an_agent_finds_its_node_at_its_new_address(tmp_path: Path) -> None:
    """Nobody goes to the host: once its node is away for a while it listens, asks for the proof, and goes on there."""
    async with local_network(tmp_path, "acme", "globex") as (acme, host):
        url = f"https://{NETWORK}.1:7420"
        await acme.vupdate("init", "--name", "acme", "--host", "0.0.0.0", "--url", url)  # noqa: S104  # of its own
        await acme.serve()
        enrolment = await acme.vupdate("agent", "enrolment", "web-1")
        home = str(host.folder / "agent")
        await host.vupdate("agent", "enrol", "--home", home, given=enrolment["text"])
        await host.start("agent", *vupdate("agent", "run", "--home", home))

        async def connected() -> bool:
            (instance,) = await acme.vupdate("instance", "list")
            return bool(instance["connected"])

        await until("the agent", acme, connected)
        acme.move(f"{NETWORK}.11")

        async def found_again() -> bool:
            return f"{NETWORK}.11" in (host.folder / "agent/agent.toml").read_text() and await connected()

        await until("the agent at the node's new address", acme, found_again, within=150.0)
        assert f'"https://{NETWORK}.11:7420"' in (host.folder / "agent/agent.toml").read_text()
        await host.stop("agent")

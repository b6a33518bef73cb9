"""How a node closes its builds in: by its settings, and by what the machine can do."""

from pathlib import Path

import pytest

from build.bounds import Bounds
from build.errors import SandboxError
from federation.limits import GIB
from node.buildconfig import read_build_settings
from node.usecases.confining import Confining


def confining(sandbox: str, problem: str, *, anyhow: bool = False, network: bool = False, lack: str = "") -> Confining:
    async def unavailable() -> str:
        return problem

    async def unconnected() -> str:
        return lack

    return Confining(
        sandbox=sandbox,
        network=network,
        tools=(Path("/opt/java"),),
        bounds=Bounds(),
        peers_network=True,
        peers_without_sandbox=anyhow,
        unavailable=unavailable,
        unconnected=unconnected,
    )


@pytest.mark.parametrize(
    ("sandbox", "problem", "closed"),
    [("auto", "", True), ("auto", "no bwrap", False), ("on", "", True), ("off", "", False)],
)
async def test_a_build_is_closed_in_as_the_settings_say(sandbox: str, problem: str, *, closed: bool) -> None:
    """Where there can be no sandbox, ``auto`` does without and says so in the build's log."""
    log: list[str] = []
    found = await confining(sandbox, problem).own(log.append)
    assert (found.sandbox, found.network, found.tools) == (closed, False, (Path("/opt/java"),))
    assert log == (["no sandbox around this build: no bwrap"] if problem else [])


async def test_no_build_without_a_sandbox_where_it_is_on() -> None:
    """The message says what is missing, and how to do without."""
    with pytest.raises(SandboxError, match="no bwrap; or let own builds"):
        await confining("on", "no bwrap").own(lambda _: None)


async def test_a_peer_s_build_is_always_closed_in() -> None:
    """Whatever own builds do; without a sandbox only where the settings say so by name."""
    assert (await confining("off", "").foreign()).sandbox
    with pytest.raises(SandboxError, match="no build for a peer without a sandbox: no bwrap"):
        await confining("auto", "no bwrap").foreign()
    assert not (await confining("auto", "no bwrap", anyhow=True).foreign()).sandbox


async def test_without_slirp4netns_own_builds_have_the_host_s_network_and_peers_none() -> None:
    """Each with the reason; where nobody may have the network, it is no matter."""
    lacking = confining("on", "", network=True, lack="no slirp4netns")
    own, foreign = await lacking.own(lambda _: None), await lacking.foreign()
    assert (own.network, own.no_own_network) == (True, "no slirp4netns")
    assert (foreign.network, foreign.no_own_network) == (False, "no slirp4netns")
    whole = confining("on", "", network=True)
    own, foreign = await whole.own(lambda _: None), await whole.foreign()
    assert (own.network, own.no_own_network, foreign.network) == (True, "", True)
    closed = await confining("on", "", lack="no slirp4netns").own(lambda _: None)
    assert (closed.network, closed.no_own_network) == (False, "")


def test_the_settings_of_builds_are_read() -> None:
    """Sizes and times are written as in recipes."""
    table = {"sandbox": "on", "network": False, "tools": ["/opt/x"], "memory": "2GiB", "time": "10m", "processes": 50}
    settings, mistakes = read_build_settings(table)
    assert mistakes == []
    assert (settings.sandbox, settings.network, settings.tools) == ("on", False, (Path("/opt/x"),))
    assert settings.bounds == Bounds(memory_bytes=2 * GIB, seconds=600.0, processes=50)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"sandbox": "maybe"}, "build.sandbox 'maybe' is none of auto, on, off"),
        ({"network": "yes"}, "build.network is neither true nor false"),
        ({"tools": ["opt"]}, "build.tools is not a list such as"),
        ({"memory": "much"}, "build.memory: 'much' is not a size"),
        ({"time": 5}, "build.time: '5' is not"),
        ({"processes": 0}, "build.processes 0 is not a number from 2"),
        ({"peers": -1}, "build.peers -1 is not a number from 0 to 64"),
        ({"peers_load": 0}, "build.peers_load 0 is not a number above 0, to 1000"),
        ({"peers_sources": "https://"}, "build.peers_sources is not a list such as"),
        ({"peers_network": 1}, "build.peers_network is neither true nor false"),
        ({"walls": 1}, "unknown key 'build.walls'"),
        (5, "build is not a table"),
    ],
)
def test_mistakes_in_the_settings_are_named(table: object, told: str) -> None:
    """Each with its key."""
    _, mistakes = read_build_settings(table)
    assert len(mistakes) == 1
    assert mistakes[0].startswith(told)

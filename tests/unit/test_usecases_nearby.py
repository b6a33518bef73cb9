"""What the operator sees of the local network."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from federation.discovery import FORGET_SECONDS, Heard
from federation.mdns import LanError, lan_addresses
from node.config import load_settings
from node.usecases.changes import Change, Topic
from node.usecases.nearby import Nearby, Relation
from tests.support.nodes import Member, Network
from tests.support.pairing import heard, two

ANYWHERE = "0.0.0.0"  # noqa: S104  # a setting; nothing listens here


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A network without nodes."""
    return Network(tmp_path)


async def changes_of(member: Member, work: Callable[[], Awaitable[None]]) -> int:
    """How often listeners are told that something nearby changed while ``work`` is done."""
    told = 0
    async with member.use.changes.subscribe(frozenset({Topic.NEARBY})) as changes:
        await work()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                async for change in changes:
                    told += change == Change(Topic.NEARBY)
    return told


async def test_nodes_are_shown_with_what_they_are_to_this_one(network: Network) -> None:
    """Stranger, provider, consumer, or both."""
    acme, globex = await two(network)
    others = {name: network.add(name) for name in ("initech", "umbrella")}
    await network.link(acme, globex, "public")
    await network.link(globex, acme, "public")
    await others["initech"].share("public", "shop")
    await network.link(others["initech"], globex, "public")
    for member in (acme, *others.values()):
        await globex.use.nearby.hear(heard(member))
    seen = {str(one.name): one.relation for one in await globex.use.nearby.all()}
    assert seen == {"acme": Relation.BOTH, "initech": Relation.PROVIDER, "umbrella": Relation.STRANGER}
    await acme.use.nearby.hear(heard(globex))
    assert [one.relation for one in await acme.use.nearby.all()] == [Relation.BOTH]


async def test_listeners_are_told_of_changes_and_of_nothing_else(network: Network) -> None:
    """A node that is heard again every minute wakes nobody."""
    acme, globex = await two(network)
    nearby = globex.use.nearby

    async def same() -> None:
        for _ in range(3):
            await nearby.hear(heard(acme))
            await nearby.hear(None)

    assert await changes_of(globex, same) == 1
    assert await changes_of(globex, same) == 0

    async def silence() -> None:
        network.later(seconds=FORGET_SECONDS + 1)
        await nearby.hear(None)

    assert await changes_of(globex, silence) == 1
    assert await nearby.all() == []


async def test_an_address_is_known_as_long_as_its_node_is_heard(network: Network) -> None:
    """By the node's id, for whoever searches a peer that has moved."""
    acme, globex = await two(network)
    await globex.use.nearby.hear(heard(acme))
    assert globex.use.nearby.urls_of(acme.key.id) == [acme.url]
    assert globex.use.nearby.urls_of(globex.key.id) == []
    network.later(seconds=FORGET_SECONDS + 1)
    assert globex.use.nearby.urls_of(acme.key.id) == []


async def test_a_node_that_does_not_listen_says_so(network: Network) -> None:
    """So that an empty list is not taken for an empty network."""
    acme = network.add("acme")
    assert (await acme.use.nearby.look()).on is False
    await acme.use.nearby.run()


class _TroubleError(Exception):
    """Ends a test's loop."""


async def test_trouble_of_the_network_is_outlived(network: Network) -> None:
    """No interface, no multicast: it tries again; when the addresses changed it begins anew at once."""
    acme = network.add("acme")
    tries = 0

    async def listen(hear: Callable[[Heard | None], Awaitable[None]]) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise LanError("no interface")
        if tries == 4:
            raise _TroubleError
        await hear(None)

    backoff = replace(acme.use.nearby._backoff, first=0.001, most=0.002)
    nearby = Nearby(
        table=acme.use.nearby._table,
        links=acme.use.links,
        hub=acme.use.changes,
        clock=network.clock,
        backoff=backoff,
        listen=listen,
    )
    with pytest.raises(_TroubleError):
        async with asyncio.timeout(10):
            await nearby.run()
    assert tries == 4


@pytest.mark.parametrize(
    ("lines", "host", "discovers"),
    [
        ("", "127.0.0.1", False),
        ("", "::1", False),
        ("", "localhost", False),
        ("", ANYWHERE, True),
        ('discovery = "off"\n', ANYWHERE, False),
        ('discovery = "on"\n', "127.0.0.1", True),
    ],
)
def test_a_node_is_announced_where_others_can_reach_it(tmp_path: Path, lines: str, host: str, discovers: bool) -> None:
    """Unless its operator says otherwise."""
    url = "https://acme.example:7420"
    (tmp_path / "config.toml").write_text(f'name = "acme"\nhost = "{host}"\nport = 7420\nurl = "{url}"\n{lines}')
    assert load_settings(tmp_path).discovers == discovers


def test_loopback_and_the_lan_are_kept_apart() -> None:
    """A node that listens on loopback announces nothing else, and one that does not never announces loopback."""
    assert lan_addresses("127.0.0.1") == ("127.0.0.1",)
    assert not {one for one in lan_addresses(ANYWHERE) if one.startswith("127.") or ":" in one}
    assert lan_addresses("192.0.2.250") == ()


def test_a_node_without_discovery_pays_nothing_for_it() -> None:
    """The library of mDNS takes memory: it is not even imported."""
    look = "import sys, node.bootstrap; print([one for one in ('zeroconf', 'ifaddr') if one in sys.modules])"
    asked = [sys.executable, "-c", look]
    assert subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout.strip() == "[]"

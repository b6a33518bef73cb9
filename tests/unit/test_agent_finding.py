"""An agent whose node is gone from its address."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from agent import finding
from agent.finding import NodeFinder
from agent.home import Attached, Home
from agent.trust import NodeTrust
from federation.clock import SystemClock
from federation.discovery import Announcer, Heard
from federation.errors import TamperedError
from federation.keys import PrivateKey
from federation.link.client import PeerClient
from federation.names import InstanceName, NodeName

NODE, OTHER, AGENT = (PrivateKey(bytes([number] * 32)) for number in (1, 2, 3))
OLD, NEW = "https://10.0.0.1:7420", "https://10.0.0.2:7420"


@dataclass
class Client:
    url: str = OLD
    hurried: int = 0

    def move(self, url: str) -> None:
        self.url = url

    def hurry(self) -> None:
        self.hurried += 1


@dataclass
class Lan:
    """A local network where the node's key is proven at ``proven`` only."""

    heard: list[Heard] = field(default_factory=list)
    proven: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)
    listened: int = 0

    def announce(self, key: PrivateKey, url: str) -> None:
        announcer = Announcer(key=key, name=NodeName("acme"), url=url, port=7420, tls=url.startswith("https"))
        self.heard.append(Heard(instance="acme", txt=announcer.txt((), SystemClock().now())))

    @contextlib.asynccontextmanager
    async def listening(self, _host: str) -> AsyncIterator["asyncio.Queue[Heard]"]:
        self.listened += 1
        queue: asyncio.Queue[Heard] = asyncio.Queue()
        for one in self.heard:
            queue.put_nowait(one)
        yield queue

    async def move(self, home: Path, url: str) -> Attached:
        self.tried.append(url)
        if url not in self.proven:
            raise TamperedError("somebody else answers there")
        place = Home.at(home)
        place.attach(moved := replace(place.attached(), url=url))
        return moved


@pytest.fixture
def lan(monkeypatch: pytest.MonkeyPatch) -> Lan:
    made = Lan()
    monkeypatch.setattr(finding, "listening", made.listening)
    monkeypatch.setattr(finding, "move", made.move)
    monkeypatch.setattr(finding, "_LISTEN_SECONDS", 0.05)
    return made


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def finder(tmp_path: Path, client: Client) -> NodeFinder:
    home = Home.at(tmp_path)
    home.attach(
        attached := Attached(url=OLD, node=NodeName("acme"), node_key=NODE.public, instance=InstanceName("web-1"))
    )
    trust = NodeTrust(home, attached)
    asked = cast("PeerClient", client)
    return NodeFinder(home, asked, trust, SystemClock(), own=AGENT.public.id, on_found=client.hurry, lost_seconds=0.01)


async def test_it_goes_where_the_node_proves_itself(
    lan: Lan, client: Client, finder: NodeFinder, tmp_path: Path
) -> None:
    """The new address is used at once, and by the next agent."""
    lan.announce(NODE, NEW)
    lan.proven.add(NEW)
    assert await finder.search() == NEW
    assert (client.url, Home.at(tmp_path).attached().url) == (NEW, NEW)
    assert client.hurried == 1


async def test_what_is_announced_is_only_a_hint(lan: Lan, client: Client, finder: NodeFinder) -> None:
    """Where the key is not proven it does not go, and it asks each place once."""
    lan.announce(NODE, NEW)
    lan.announce(NODE, NEW)
    assert await finder.search() is None
    assert (client.url, lan.tried) == (OLD, [NEW])


async def test_other_nodes_and_the_place_that_is_gone_are_not_tried(lan: Lan, finder: NodeFinder) -> None:
    """Only the node whose id is known, and not where it is sought already."""
    lan.announce(OTHER, NEW)
    lan.announce(NODE, OLD)
    assert await finder.search() is None
    assert lan.tried == []


async def test_tls_is_not_given_up(lan: Lan, finder: NodeFinder) -> None:
    """An announcement can't lead the agent to where everybody could read along."""
    lan.announce(NODE, "http://10.0.0.2:7420")
    lan.proven.add("http://10.0.0.2:7420")
    assert await finder.search() is None
    assert lan.tried == []


async def test_it_listens_only_while_the_node_is_away(lan: Lan, client: Client, finder: NodeFinder) -> None:
    """A node that is there is not sought; one that went away is, until it is found."""
    lan.announce(NODE, NEW)
    finder.connected(True)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(finder.watch())
        await asyncio.sleep(0.1)
        assert lan.listened == 0
        lan.proven.add(NEW)
        finder.connected(False)
        async with asyncio.timeout(10):
            while client.url != NEW:
                await asyncio.sleep(0.01)
        finder.connected(True)
        await asyncio.sleep(0.05)
        seen = lan.listened
        await asyncio.sleep(0.1)
        assert lan.listened == seen
        watching.cancel()


async def test_a_search_without_a_result_is_no_trouble_of_the_network(
    finder: NodeFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With real multicast on loopback: that nobody announces the node is not told as if mDNS could not be used."""
    monkeypatch.setattr(finding, "_LISTEN_SECONDS", 0.5)
    monkeypatch.setattr(finder, "_host", "127.0.0.1")
    assert await finder.search() is None

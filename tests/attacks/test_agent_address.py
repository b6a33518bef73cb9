"""An agent is told of another address of its node, and somebody else answers there."""

from pathlib import Path

import pytest
from aiohttp import web

from agent.home import Attached, Home
from agent.moving import move
from federation.errors import InvalidValueError, TamperedError, UnreachableError
from federation.keys import PrivateKey
from federation.names import InstanceName, NodeName
from tests.support.clock import FakeClock
from tests.support.tls_peers import TlsPeer, self_made, served

NODE = PrivateKey(b"p" * 32)
OTHER = PrivateKey(b"x" * 32)
OLD = "http://127.0.0.1:9"


async def answering(_: web.Request) -> web.StreamResponse:
    return web.Response()


def peer(key: PrivateKey) -> TlsPeer:
    return TlsPeer(key=key, allowed=OTHER.public, clock=FakeClock(), handler=answering)


def attached(home: Path, node: str = "acme") -> Home:
    place = Home(home)
    place.attach(Attached(url=OLD, node=NodeName(node), node_key=NODE.public, instance=InstanceName("web-1")))
    return place


async def test_the_agent_follows_its_own_node(tmp_path: Path) -> None:
    """Where its node proves itself, over TLS too, the agent takes the address, and keeps everything else."""
    place, shown = attached(tmp_path), self_made()
    before = place.attached()
    node = peer(NODE)
    node.vouched = [shown.digest]
    async with served(node, shown):
        await move(tmp_path, node.url)
        assert place.attached().url == node.url.removesuffix("/")
    assert place.attached().node_key == before.node_key


async def test_another_node_is_refused(tmp_path: Path) -> None:
    """A node with another key, or under another name, or one that is not there, changes nothing."""
    place = attached(tmp_path)
    stranger, own = peer(OTHER), peer(NODE)
    async with served(stranger, None):
        with pytest.raises(TamperedError):
            await move(tmp_path, stranger.url)
    place = attached(tmp_path, "globex")
    async with served(own, None):
        with pytest.raises(TamperedError, match="calls itself acme"):
            await move(tmp_path, own.url)
    with pytest.raises(UnreachableError):
        await move(tmp_path, OLD)
    with pytest.raises(InvalidValueError):
        await move(tmp_path, "ftp://node.example")
    assert place.attached().url == OLD

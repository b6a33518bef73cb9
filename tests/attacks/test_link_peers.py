"""Attacks by a peer on the node that asks it: nothing is taken beyond its bound, and the disk stays as it was."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from federation import limits
from federation.errors import OversizedError, RemoteError, UnreachableError
from federation.keys import PrivateKey
from federation.link.client import PeerClient, peer_session
from tests.support.clock import FakeClock
from tests.support.link_server import FakePeer, Handler, client_of, serving

CONSUMER = PrivateKey(b"c" * 32)
PROVIDER = PrivateKey(b"p" * 32)
BOUND = 100_000


@contextlib.asynccontextmanager
async def linked(handler: Handler) -> AsyncIterator[PeerClient]:
    peer = FakePeer(key=PROVIDER, allowed=CONSUMER.public, clock=FakeClock(), handler=handler)
    async with serving(peer), client_of(peer, CONSUMER) as client:
        yield client


@contextlib.asynccontextmanager
async def raw_peer(answer: bytes) -> AsyncIterator[PeerClient]:
    """A peer that answers any request by exactly these bytes, and then closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, peer_session() as session:
        url = f"http://127.0.0.1:{port}"
        yield PeerClient(session, url, PROVIDER.public, CONSUMER, FakeClock())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that holds an older download."""
    path = tmp_path / "pack"
    path.write_bytes(b"old")
    return path


def untouched(target: Path) -> bool:
    """The older download is still there, and no temporary file beside it."""
    return target.read_bytes() == b"old" and list(target.parent.iterdir()) == [target]


async def endless(request: web.Request) -> web.StreamResponse:
    """Sends without an end and without saying how much."""
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await answer.prepare(request)
    while True:
        await answer.write(b"x" * 10_000)


async def test_a_body_without_an_end(target: Path) -> None:
    """A peer that never stops sending is cut off at the bound."""
    async with linked(endless) as client:
        with pytest.raises(OversizedError):
            await client.get("/x", most_bytes=BOUND)
        with pytest.raises(OversizedError):
            await client.download("/x", {}, target, most_bytes=BOUND)
    assert untouched(target)


async def test_an_event_without_an_end() -> None:
    """A stream of one endless line is cut off at the bound of an event."""
    async with linked(endless) as client:
        with pytest.raises(OversizedError):
            async with client.events("/x") as events:
                await anext(aiter(events))


async def test_a_refusal_without_an_end() -> None:
    """Errors are bodies too."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500, body=b"x" * 10 * limits.MIB)

    async with linked(handler) as client:
        with pytest.raises(OversizedError):
            await client.get("/x", most_bytes=BOUND)


async def test_an_announced_length_over_the_bound(target: Path) -> None:
    """What is announced as too large is not even begun."""
    async with raw_peer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n") as client:
        with pytest.raises(OversizedError, match="announced"):
            await client.download("/x", {}, target, most_bytes=BOUND)
    assert untouched(target)


async def test_an_announced_length_that_is_not_reached(target: Path) -> None:
    """A body cut short by whoever stands in the middle is never taken for whole."""
    async with raw_peer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort") as client:
        with pytest.raises(UnreachableError):
            await client.download("/x", {}, target, most_bytes=BOUND)
        with pytest.raises(UnreachableError):
            await client.get("/x", most_bytes=BOUND)
    assert untouched(target)


async def test_an_announced_length_that_is_exceeded() -> None:
    """What comes after the announced end is not part of the body."""
    async with raw_peer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nsmuggled") as client:
        assert await client.get("/x", most_bytes=BOUND) == b"ok"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_a_redirect_is_not_followed(target: Path, status: int) -> None:
    """A peer can't send our signed requests, or our trust in its address, elsewhere."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": elsewhere.url})

    async def reached(request: web.Request) -> web.Response:
        return web.Response(body=b"x")

    elsewhere = FakePeer(key=PROVIDER, allowed=CONSUMER.public, clock=FakeClock(), handler=reached)
    async with serving(elsewhere), linked(handler) as client:
        with pytest.raises(RemoteError, match="elsewhere"):
            await client.get("/x", most_bytes=BOUND)
        with pytest.raises(RemoteError, match="elsewhere"):
            await client.post("/x", b"{}")
        with pytest.raises(RemoteError, match="elsewhere"):
            await client.download("/x", {}, target, most_bytes=BOUND)
        assert elsewhere.seen == []
    assert untouched(target)


async def test_a_compressed_bomb(target: Path) -> None:
    """A small answer that unpacks to a huge one is refused, since no packed answer was asked for."""
    bomb = gzip.compress(bytes(50 * limits.MIB))
    assert len(bomb) < BOUND

    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    async with linked(handler) as client:
        with pytest.raises(RemoteError, match="encoding"):
            await client.get("/x", most_bytes=BOUND)
        with pytest.raises(RemoteError, match="encoding"):
            await client.download("/x", {}, target, most_bytes=BOUND)
    assert untouched(target)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhellooo",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
    ],
    ids=["nothing", "ssh", "negative", "two-lengths", "bad-chunk", "long-header", "many-headers"],
)
async def test_an_answer_that_is_not_http(target: Path, answer: bytes) -> None:
    """Whatever answers, the error is one that callers know, and the disk stays as it was."""
    async with raw_peer(answer) as client:
        with pytest.raises(RemoteError):
            await client.get("/x", most_bytes=BOUND)
        with pytest.raises(RemoteError):
            await client.download("/x", {}, target, most_bytes=BOUND)
    assert untouched(target)


async def test_a_cookie_is_not_kept() -> None:
    """A peer can't mark us, also where its address has a name."""

    async def handler(request: web.Request) -> web.Response:
        answer = web.Response(body=request.headers.get("Cookie", "none").encode())
        answer.set_cookie("mark", "1")
        return answer

    peer = FakePeer(key=PROVIDER, allowed=CONSUMER.public, clock=FakeClock(), handler=handler)
    async with serving(peer):
        peer.url = peer.url.replace("127.0.0.1", "localhost")
        async with client_of(peer, CONSUMER) as client:
            await client.get("/x", most_bytes=BOUND)
            assert await client.get("/x", most_bytes=BOUND) == b"none"

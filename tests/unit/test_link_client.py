"""Asking a peer over HTTP: against a real server on loopback that believes only signed requests."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from federation import limits
from federation.errors import (
    AbsentError,
    ConflictError,
    DeniedError,
    DiskFullError,
    InvalidValueError,
    OversizedError,
    UnreachableError,
)
from federation.keys import PrivateKey
from federation.link.client import USUAL_TIMEOUTS, PeerClient, Timeouts, peer_session
from federation.link.events import HEARTBEAT, Event, EventStreamError, encode_event
from federation.link.follow import CONNECTED, follow, reconnect_backoff
from tests.support.clock import FakeClock
from tests.support.limited import files_up_to
from tests.support.link_server import SHORT_TIMEOUTS, FakePeer, Handler, client_of, error_answer, serving

CONSUMER = PrivateKey(b"c" * 32)
PROVIDER = PrivateKey(b"p" * 32)
STRANGER = PrivateKey(b"s" * 32)
MOST = 1 * limits.MIB


@contextlib.asynccontextmanager
async def linked(
    handler: Handler, *, key: PrivateKey = CONSUMER, timeouts: Timeouts = USUAL_TIMEOUTS
) -> AsyncIterator[tuple[PeerClient, FakePeer]]:
    """A client and the peer that it asks."""
    peer = FakePeer(key=PROVIDER, allowed=CONSUMER.public, clock=FakeClock(), handler=handler)
    async with serving(peer), client_of(peer, key, timeouts) as client:
        yield client, peer


async def empty(request: web.Request) -> web.Response:
    return web.Response(status=204)


async def test_a_get_is_signed_and_answered() -> None:
    """Path and query arrive as they were signed, and the body comes back."""

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=f"{request.path} {request.query['from']}".encode())

    async with linked(handler) as (client, peer):
        body = await client.get("/federation/v1/packs/abc", {"from": "a b/c+d=é"}, most_bytes=MOST)
        assert body.decode() == "/federation/v1/packs/abc a b/c+d=é"
        assert len(peer.seen) == 1


async def test_a_post_carries_its_body() -> None:
    """A body arrives as it was signed; 204 gives an empty answer."""
    async with linked(empty) as (client, peer):
        assert await client.post("/agent/v1/state", b'{"x":1}') == b""
        assert [(one.method, one.body) for one in peer.seen] == [("POST", b'{"x":1}')]
        assert await client.post("/agent/v1/state", b"") == b""


async def test_many_requests_at_once_are_each_believed() -> None:
    """Requests side by side over several connections each have a signature of their own."""
    async with linked(empty) as (client, peer):
        async with asyncio.TaskGroup() as group:
            for _ in range(40):
                group.create_task(client.get("/x", most_bytes=MOST))
        assert len(peer.seen) == 40


async def test_a_stranger_is_denied_with_the_reason() -> None:
    """A request by another key is refused by its rule, and the rule's code is known here."""
    async with linked(empty, key=STRANGER) as (client, peer):
        with pytest.raises(DeniedError) as caught:
            await client.get("/x", most_bytes=MOST)
        assert getattr(caught.value, "remote_code", "") == "bad-signature"
        assert peer.seen == []


@pytest.mark.parametrize("kind", [AbsentError, ConflictError, DeniedError])
async def test_a_refusal_has_the_class_of_its_code(kind: type[AbsentError | ConflictError | DeniedError]) -> None:
    """What the peer refuses is an error of the same meaning here."""

    async def handler(request: web.Request) -> web.Response:
        return error_answer(409, kind("that is how it is"))

    async with linked(handler) as (client, _):
        with pytest.raises(kind, match="that is how it is"):
            await client.post("/x", b"{}")


async def test_a_body_too_large_is_not_sent() -> None:
    """What every peer would refuse costs no way there."""
    async with linked(empty) as (client, peer):
        with pytest.raises(OversizedError):
            await client.post("/x", b"x" * (limits.REQUEST_BODY_BYTES + 1))
        assert peer.seen == []


async def test_a_node_that_is_not_there_is_unreachable() -> None:
    """No connection is an error that names the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else gets the port, and nobody answers
        await find_unreachable(f"http://127.0.0.1:{taken.getsockname()[1]}")


async def find_unreachable(url: str) -> None:
    async with peer_session() as session:
        client = PeerClient(session, url, PROVIDER.public, CONSUMER, FakeClock())
        with pytest.raises(UnreachableError, match=url):
            await client.get("/x", most_bytes=MOST)


async def test_an_address_is_checked() -> None:
    """A client can't be made for what is no address of a node."""
    async with peer_session() as session:
        with pytest.raises(InvalidValueError):
            PeerClient(session, "http://x/prefix", PROVIDER.public, CONSUMER, FakeClock())


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy named in the environment sees nothing of the talk between nodes."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with linked(empty) as (client, peer):
        await client.get("/x", most_bytes=MOST)
        assert len(peer.seen) == 1


async def test_a_peer_that_says_nothing_is_unreachable() -> None:
    """A peer that takes a request and never answers does not hold the caller."""

    async def handler(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with linked(handler, timeouts=SHORT_TIMEOUTS) as (client, _):
        with pytest.raises(UnreachableError, match="in time"):
            await client.get("/x", most_bytes=MOST)


def sends(content: bytes, *, then_breaks: bool = False, gate: asyncio.Event | None = None) -> Handler:
    """Answers with ``content`` in pieces; then breaks the connection, or waits for ``gate`` first."""

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Vupdate-Pack-Base": "", "Vupdate-Full-Bytes": "7"})
        await answer.prepare(request)
        for start in range(0, len(content), 100_000):
            await answer.write(content[start : start + 100_000])
        if gate is not None:
            gate.set()
            await asyncio.Event().wait()
        if then_breaks and request.transport is not None:
            request.transport.abort()
        return answer

    return handler


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A file that holds an older download."""
    path = tmp_path / "pack"
    path.write_bytes(b"old")
    return path


def untouched(target: Path) -> bool:
    """The older download is still there, and no temporary file beside it."""
    return target.read_bytes() == b"old" and list(target.parent.iterdir()) == [target]


async def test_a_download_lands_whole(target: Path) -> None:
    """A large body takes the file's place, with its size and headers, and nothing else is left in the folder."""
    content = os.urandom(3 * limits.MIB)
    async with linked(sends(content)) as (client, peer):
        downloaded = await client.download("/p", {"from": "x"}, target, most_bytes=4 * limits.MIB)
    assert downloaded.bytes == len(content)
    assert downloaded.headers["vupdate-full-bytes"] == "7"
    assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]
    assert [one.query for one in peer.seen] == ["from=x"]


async def test_a_download_that_breaks_leaves_no_trace(target: Path) -> None:
    """A connection lost half-way is unreachable, the older file stays, the temporary one is gone."""
    async with linked(sends(b"x" * 300_000, then_breaks=True)) as (client, _):
        with pytest.raises(UnreachableError):
            await client.download("/p", {}, target, most_bytes=MOST)
    assert untouched(target)


async def test_a_download_that_stalls_is_given_up(target: Path) -> None:
    """However large a download may be, silence ends it."""
    async with linked(sends(b"x" * 300_000, gate=asyncio.Event()), timeouts=SHORT_TIMEOUTS) as (client, _):
        with pytest.raises(UnreachableError, match="in time"):
            await client.download("/p", {}, target, most_bytes=MOST)
    assert untouched(target)


async def test_a_cancelled_download_leaves_no_trace(target: Path) -> None:
    """Cancellation passes through and cleans up."""
    gate = asyncio.Event()
    async with linked(sends(b"x" * 300_000, gate=gate)) as (client, _):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(client.download("/p", {}, target, most_bytes=MOST))
            await gate.wait()
            task.cancel()
        assert task.cancelled()
    assert untouched(target)


async def test_a_download_onto_a_full_disk_changes_nothing(target: Path) -> None:
    """No room is told as such, not as a fault of the peer; the client works on."""
    content = b"x" * 2 * limits.MIB
    async with linked(sends(content)) as (client, _):
        with pytest.raises(DiskFullError, match="free some space"), files_up_to(limits.MIB):
            await client.download("/p", {}, target, most_bytes=4 * limits.MIB)
        assert await client.get("/p", most_bytes=4 * limits.MIB) == content
    assert untouched(target)


async def test_a_refused_download_touches_no_file(target: Path) -> None:
    """A refusal is read before any file is made."""

    async def handler(request: web.Request) -> web.Response:
        return error_answer(404, AbsentError("no such image"))

    async with linked(handler) as (client, _):
        with pytest.raises(AbsentError, match="no such image"):
            await client.download("/p", {}, target, most_bytes=MOST)
    assert untouched(target)


def streams(*pieces: bytes, ends: bool = True) -> Handler:
    """An event stream of ``pieces`` that then ends, or falls silent."""

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for piece in pieces:
            await answer.write(piece)
        if not ends:
            await asyncio.Event().wait()
        return answer

    return handler


OFFER = Event(name="offer", data='{"serial":3}')


async def test_events_arrive_as_they_are_sent() -> None:
    """Events come through with heartbeats between them, and the iterator ends with the stream."""
    handler = streams(HEARTBEAT, encode_event(OFFER), HEARTBEAT, encode_event(OFFER))
    async with linked(handler) as (client, _), client.events("/federation/v1/events") as events:
        assert [event async for event in events] == [OFFER, OFFER]


async def test_a_stream_without_a_sign_of_life_is_unreachable() -> None:
    """When not even a heartbeat comes in time, the stream is taken for dead."""
    silent = streams(encode_event(OFFER), ends=False)
    async with linked(silent, timeouts=Timeouts(heartbeat_seconds=0.3)) as (client, _), asyncio.timeout(20):
        with pytest.raises(UnreachableError, match="in time"):
            await read_all(client)


async def read_all(client: PeerClient) -> list[Event]:
    async with client.events("/events") as events:
        return [event async for event in events]


async def test_heartbeats_keep_a_stream_alive() -> None:
    """A stream that has nothing to tell for longer than the limit lives on by its heartbeats."""

    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for _ in range(8):
            await answer.write(HEARTBEAT)
            await asyncio.sleep(0.15)
        await answer.write(encode_event(OFFER))
        return answer

    async with linked(handler, timeouts=Timeouts(heartbeat_seconds=1.0)) as (client, _):
        assert await read_all(client) == [OFFER]


async def test_what_is_no_event_stream_is_refused() -> None:
    """A page where a stream is due is an error, not an endless wait."""
    async with linked(sends(b"<html>")) as (client, _):
        with pytest.raises(EventStreamError):
            async with client.events("/events"):
                raise AssertionError


async def test_leaving_a_stream_closes_its_connection() -> None:
    """A reader that has enough leaves no connection open at the peer."""
    ended = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return await streams(encode_event(OFFER), ends=False)(request)
        finally:
            ended.set()

    async with linked(handler) as (client, _):
        async with client.events("/events") as events:
            assert await anext(aiter(events)) == OFFER
        async with asyncio.timeout(5):
            await ended.wait()


async def test_following_a_real_peer_through_a_broken_connection() -> None:
    """The stream breaks, the follower comes back, catches up and goes on."""
    async with linked(streams(encode_event(OFFER))) as (client, peer):
        states: list[bool] = []
        stream = follow(client, "/events", backoff=reconnect_backoff(), on_state=states.append, sleep=no_pause)
        seen = []
        async with contextlib.aclosing(stream) as events:
            async for event in events:
                seen.append(event)
                if len(seen) == 4:
                    break
        assert seen == [CONNECTED, OFFER, CONNECTED, OFFER]
        assert states == [True, False, True, False]
        assert len(peer.seen) == 2


async def no_pause(_: float) -> None:
    """Go on at once."""

"""TLS to a peer: its node key vouches for whatever certificate it shows, on real connections on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from federation import limits
from federation.errors import TamperedError, UnreachableError
from federation.keys import PrivateKey
from federation.link.client import PeerClient, peer_session
from federation.link.events import Event, encode_event
from federation.link.pinned import PinnedConnections, certificate_shown
from tests.support.clock import FakeClock
from tests.support.link_server import client_of
from tests.support.tls_peers import HOST, Authority, Shown, TlsPeer, self_made, served

CONSUMER = PrivateKey(b"c" * 32)
PROVIDER = PrivateKey(b"p" * 32)
MOST = 1 * limits.MIB


async def answering(request: web.Request) -> web.StreamResponse:
    return web.Response(body=request.path.encode())


def a_peer(*vouched: Shown) -> TlsPeer:
    return TlsPeer(
        key=PROVIDER,
        allowed=CONSUMER.public,
        clock=FakeClock(),
        handler=answering,
        vouched=[one.digest for one in vouched],
    )


@contextlib.asynccontextmanager
async def linked(shown: Shown) -> AsyncIterator[tuple[PeerClient, TlsPeer]]:
    """A client and the peer that it asks over TLS."""
    peer = a_peer(shown)
    async with served(peer, shown), client_of(peer, CONSUMER) as client:
        yield client, peer


@pytest.mark.parametrize("kind", ["self-made", "of an authority that nobody knows here", "for other names", "expired"])
async def test_any_certificate_will_do_that_the_peer_vouches_for(kind: str) -> None:
    """What stands in a certificate is for browsers: the peer's key decides, by name, by address, with any authority."""
    shown = {
        "self-made": self_made(),
        "of an authority that nobody knows here": Authority().issue(),
        "for other names": self_made(hosts=["elsewhere.example"]),
        "expired": Authority().issue(days=0),
    }[kind]
    async with linked(shown) as (client, peer):
        assert await client.get("/x", most_bytes=MOST) == b"/x"
        assert peer.url.startswith("https:")
        assert len(peer.seen) == 1


async def test_one_proof_serves_all_requests_and_clients_of_a_session() -> None:
    """The certificate is pinned: further requests, downloads and streams cost nothing more."""
    shown = self_made()
    peer = a_peer(shown)
    async with served(peer, shown), peer_session() as session:
        pinned = PinnedConnections(session)
        for _ in range(2):
            client = PeerClient(session, peer.url, PROVIDER.public, CONSUMER, peer.clock, pinned=pinned)
            async with asyncio.TaskGroup() as group:
                for _ in range(8):
                    group.create_task(client.get("/x", most_bytes=MOST))
        before = peer.proofs
        await client.get("/x", most_bytes=MOST)
        assert peer.proofs == before <= 8


async def test_streams_run_over_tls() -> None:
    """Events come as they do without TLS."""

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(encode_event(Event(id="1", name="offer", data="{}")))
        return response

    shown = self_made()
    async with linked(shown) as (client, peer):
        peer.handler = stream
        async with client.events("/events") as events:
            assert [event.id async for event in events] == ["1"]


async def test_a_renewed_certificate_is_proven_anew_and_taken() -> None:
    """The peer starts again under another certificate: the next request goes through, after one more proof."""
    old, new = self_made(), Authority().issue()
    peer = a_peer(old)
    async with peer_session() as session:
        async with served(peer, old):
            client = PeerClient(session, peer.url, PROVIDER.public, CONSUMER, peer.clock)
            await client.get("/x", most_bytes=MOST)
            port = int(peer.url.rstrip("/").rpartition(":")[2])
        peer.vouched = [new.digest]
        async with served(peer, new, port):
            assert await client.get("/y", most_bytes=MOST) == b"/y"
        assert peer.proofs == 2


async def test_a_pinned_certificate_stays_when_another_one_is_not_proven() -> None:
    """Once the stranger at the address is gone, the peer is believed again at once."""
    own, strangers = self_made(), self_made()
    peer = a_peer(own)
    async with peer_session() as session:
        async with served(peer, own):
            client = PeerClient(session, peer.url, PROVIDER.public, CONSUMER, peer.clock)
            await client.get("/x", most_bytes=MOST)
            port = int(peer.url.rstrip("/").rpartition(":")[2])
        stranger = TlsPeer(
            key=CONSUMER, allowed=CONSUMER.public, clock=peer.clock, handler=answering, vouched=[strangers.digest]
        )
        async with served(stranger, strangers, port):
            with pytest.raises(TamperedError, match="does not hold"):
                await client.get("/x", most_bytes=MOST)
        proofs = peer.proofs
        async with served(peer, own, port):
            assert await client.get("/x", most_bytes=MOST) == b"/x"
        assert peer.proofs == proofs


async def test_a_node_that_is_not_there_or_speaks_no_tls_is_unreachable() -> None:
    """Neither is a sign of an attack."""
    peer = a_peer()
    async with served(peer, None), peer_session() as session:
        url = peer.url.replace("http:", "https:")
        client = PeerClient(session, url, PROVIDER.public, CONSUMER, peer.clock)
        with pytest.raises(UnreachableError, match="can't be reached"):
            await client.get("/x", most_bytes=MOST)
        assert peer.seen == []
    async with peer_session() as session:
        client = PeerClient(session, url, PROVIDER.public, CONSUMER, peer.clock)
        with pytest.raises(UnreachableError):
            await client.get("/x", most_bytes=MOST)


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_peer_that_is_busy_is_unreachable_for_now(status: int) -> None:
    """A proof that is put off is no failed proof."""
    shown = self_made()
    peer = a_peer(shown)

    async def busy(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    peer.instead = busy
    async with served(peer, shown), client_of(peer, CONSUMER) as client:
        with pytest.raises(UnreachableError, match="try again"):
            await client.get("/x", most_bytes=MOST)


async def test_what_a_server_shows_is_read_without_asking_it_anything() -> None:
    """The certificate is known after the handshake."""
    shown = self_made()
    peer = a_peer(shown)
    async with served(peer, shown):
        assert await certificate_shown(peer.url.rstrip("/")) == shown.digest
        assert peer.url.startswith(f"https://{HOST}:")
        assert (peer.proofs, peer.seen) == (0, [])

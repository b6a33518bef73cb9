"""Attacks on TLS between nodes: whoever lacks the peer's node key gets nothing but a nonce, and changes nothing."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from federation import limits
from federation.errors import RemoteError, TamperedError
from federation.keys import PrivateKey
from federation.link.client import PeerClient, peer_session
from federation.link.identity_proof import IDENTITY_PATH
from tests.support.clock import FakeClock
from tests.support.link_server import Handler, client_of
from tests.support.tls_peers import HOST, Authority, Middle, Shown, TlsPeer, self_made, served

CONSUMER = PrivateKey(b"c" * 32)
PROVIDER = PrivateKey(b"p" * 32)
ATTACKER = PrivateKey(b"a" * 32)
MOST = 1 * limits.MIB
PLAIN_HEADERS = {"host", "user-agent", "accept", "accept-encoding"}


async def answering(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"a version")


def always(*, status: int = 200, body: bytes = b"") -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body)

    return answer


def the_provider(*vouched: Shown, prover: PrivateKey | None = None) -> TlsPeer:
    return TlsPeer(
        key=PROVIDER,
        allowed=CONSUMER.public,
        clock=FakeClock(),
        handler=answering,
        vouched=[one.digest for one in vouched],
        prover=prover,
    )


@contextlib.asynccontextmanager
async def client_at(url: str) -> AsyncIterator[PeerClient]:
    """The consumer, that believes its provider to be at ``url``."""
    async with peer_session() as session:
        yield PeerClient(session, url, PROVIDER.public, CONSUMER, FakeClock())


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """A file that holds an older download."""
    path = tmp_path / "pack"
    path.write_bytes(b"old")
    return path


async def refused(client: PeerClient, held: Path, error: type[RemoteError] = TamperedError) -> None:
    """Asking, sending and downloading all end in ``error``, and the disk is as it was."""
    with pytest.raises(error):
        await client.get("/federation/v1/link", most_bytes=MOST)
    with pytest.raises(error):
        await client.post("/federation/v1/faults", b'{"log":"our secrets"}', most_bytes=MOST)
    with pytest.raises(error):
        await client.download("/federation/v1/packs/x", {}, held, most_bytes=MOST)
    assert held.read_bytes() == b"old"
    assert list(held.parent.iterdir()) == [held]


async def test_one_in_the_middle_who_passes_everything_on_is_refused(held: Path) -> None:
    """He decrypts with a certificate of his own; the provider's true and fresh proof does not name it."""
    own = self_made()
    provider = the_provider(own)
    async with served(provider, own):
        middle = Middle(real=provider.url)
        async with served(middle, self_made()), client_at(middle.url) as client:
            await refused(client, held)
        assert provider.proofs > 0
        assert provider.seen == []
        assert {(method, path) for method, path, _ in middle.requests} == {("GET", IDENTITY_PATH)}
        assert all(set(headers) <= PLAIN_HEADERS for _, _, headers in middle.requests)


async def test_a_certificate_that_a_known_authority_issued_for_the_name_helps_nobody(held: Path) -> None:
    """Authorities are not asked: a certificate got by fraud is one that the provider does not name."""
    own, authority = self_made(), Authority()
    provider = the_provider(own)
    async with served(provider, own):
        middle = Middle(real=provider.url)
        async with served(middle, authority.issue(HOST)), client_at(middle.url) as client:
            await refused(client, held)
    assert provider.seen == []


async def test_a_stranger_at_the_address_is_refused(held: Path) -> None:
    """He names his own certificate, in a statement that only his own key signs."""
    shown = self_made()
    stranger = the_provider(shown, prover=ATTACKER)
    async with served(stranger, shown), client_of(stranger, CONSUMER) as client:
        await refused(client, held)
    assert stranger.seen == []


async def test_a_recorded_proof_is_refused(held: Path) -> None:
    """An old proof that names a certificate whose key was stolen answers another nonce."""
    stolen = self_made()
    provider = the_provider(stolen)
    recorded: list[bytes] = []
    async with served(provider, stolen), client_of(provider, CONSUMER) as client:

        async def recording(request: web.Request) -> web.StreamResponse:
            answer = provider.identity(request)
            assert isinstance(answer.body, bytes)
            recorded.append(answer.body)
            return answer

        provider.instead = recording
        assert await client.get("/x", most_bytes=MOST) == b"a version"
    thief = the_provider(stolen)
    thief.instead = always(body=recorded[0])
    async with served(thief, stolen), client_of(thief, CONSUMER) as client:
        await refused(client, held)
    assert thief.seen == []


async def test_a_stranger_who_comes_between_later_is_refused(held: Path) -> None:
    """After the link ran well for a while, another certificate at the same address gets no request."""
    own = self_made()
    provider = the_provider(own)
    async with peer_session() as session:
        async with served(provider, own):
            client = PeerClient(session, provider.url, PROVIDER.public, CONSUMER, FakeClock())
            assert await client.get("/x", most_bytes=MOST) == b"a version"
            port = int(provider.url.rstrip("/").rpartition(":")[2])
        elsewhere = the_provider(own)
        async with served(elsewhere, own):
            middle = Middle(real=elsewhere.url)
            async with served(middle, self_made(), port):
                await refused(client, held)
        assert elsewhere.seen == []
        assert {path for _, path, _ in middle.requests} <= {IDENTITY_PATH}


def redirecting(elsewhere: str) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": elsewhere + request.path_qs.lstrip("/")})

    return answer


async def test_a_redirect_to_a_place_without_tls_is_not_followed(held: Path) -> None:
    """Neither of the proof nor of a request: nothing arrives at the place it names."""
    plain = the_provider()
    shown = self_made()
    async with served(plain, None):
        liar = the_provider(shown)
        liar.instead = redirecting(plain.url)
        async with served(liar, shown), client_of(liar, CONSUMER) as client:
            await refused(client, held)
        provider = the_provider(shown)
        provider.handler = redirecting(plain.url)
        async with served(provider, shown), client_of(provider, CONSUMER) as client:
            await refused(client, held, RemoteError)
    assert (plain.proofs, plain.seen) == (0, [])


async def test_a_server_without_tls_at_a_tls_address_gets_no_request(held: Path) -> None:
    """There is no way back to plain HTTP: who strips TLS off has to answer a handshake."""
    plain = the_provider()
    async with served(plain, None), client_at(plain.url.replace("http:", "https:")) as client:
        await refused(client, held, RemoteError)
    assert (plain.proofs, plain.seen) == (0, [])


@pytest.mark.parametrize("status", [200, 204, 302, 400, 401, 403, 404, 409, 418, 500])
async def test_an_answer_without_a_proof_is_no_answer_of_the_peer(status: int, held: Path) -> None:
    """One in between can't say "not found" or "not allowed" in the peer's name: each such answer is an attack."""
    shown = self_made()
    liar = the_provider(shown)
    body = b'{"code":"not-found","message":"there is no newer root"}'
    liar.instead = always(status=status, body=body)
    async with served(liar, shown), client_of(liar, CONSUMER) as client:
        await refused(client, held)
    assert liar.seen == []


async def test_an_endless_proof_is_cut_off(held: Path) -> None:
    """No more is read than a proof can have."""
    shown = self_made()
    sent: list[int] = []

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while len(sent) < 10_000:
                await response.write(b"x" * 64 * 1024)
                sent.append(1)
        return response

    liar = the_provider(shown)
    liar.instead = endless
    async with served(liar, shown), client_of(liar, CONSUMER) as client:
        await refused(client, held, RemoteError)
    assert len(sent) < 10_000

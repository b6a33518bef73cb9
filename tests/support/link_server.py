"""A peer on loopback for tests of the client: a real HTTP server that believes only well-signed requests."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import format_datetime

from aiohttp import web
from aiohttp.test_utils import TestServer

from federation import codec
from federation.clock import Clock
from federation.errors import VUpdateError
from federation.keys import PrivateKey, PublicKey
from federation.link.client import USUAL_TIMEOUTS, PeerClient, Timeouts, peer_session
from federation.link.messages import ErrorBody
from federation.link.signature import HttpRequest, RequestVerifier

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SHORT_TIMEOUTS = Timeouts(stall_seconds=0.3)
"""For tests in which the peer falls silent, and only for them: on a busy machine an answer may take this long."""


@dataclass(kw_only=True)
class FakePeer:
    """Answers with ``handler`` whatever ``allowed`` has signed; ``seen`` holds the requests it believed."""

    key: PrivateKey
    allowed: PublicKey
    clock: Clock
    handler: Handler
    seen: list[HttpRequest] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        self._verifier = RequestVerifier(self.key.id, self.clock)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Verify, then let the test's handler answer."""
        received = HttpRequest.received(
            method=request.method,
            path=request.rel_url.raw_path,
            query=request.rel_url.raw_query_string,
            headers=request.headers.items(),
            body=await request.read(),
        )
        try:
            self._verifier.verify(received, self.allowed)
        except VUpdateError as error:
            answer = error_answer(401, error)
            answer.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
            return answer
        self.seen.append(received)
        return await self.handler(request)


def error_answer(status: int, error: VUpdateError) -> web.Response:
    """An answer as a node gives it."""
    return web.Response(status=status, body=codec.encode(ErrorBody.of(error)), content_type="application/json")


@contextlib.asynccontextmanager
async def serving(peer: FakePeer) -> AsyncIterator[FakePeer]:
    """``peer`` on a free port of loopback."""
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", peer.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0.1)
    try:
        peer.url = str(server.make_url("/"))
        yield peer
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def client_of(peer: FakePeer, key: PrivateKey, timeouts: Timeouts = USUAL_TIMEOUTS) -> AsyncIterator[PeerClient]:
    """A client that signs by ``key`` and speaks to ``peer``."""
    async with peer_session() as session:
        yield PeerClient(session, peer.url, peer.key.public, key, peer.clock, timeouts=timeouts)

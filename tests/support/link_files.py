"""A file that a fake peer serves by ranges: honestly but over bad lines, or lying in a chosen way."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from federation import limits
from federation.backoff import Backoff
from federation.digest import Digest
from federation.keys import PrivateKey
from federation.link.client import Downloaded, PeerClient, peer_session
from federation.link.download import Patience
from node.http.ranges import UnsatisfiableRangeError, asked_span
from tests.support.clock import FakeClock
from tests.support.link_server import FakePeer, Handler, serving

PIECE_BYTES = 16_384
CONSUMER = PrivateKey(b"c" * 32)
PROVIDER = PrivateKey(b"p" * 32)
CONTENT = random.Random(1).randbytes(3 * limits.MIB + 12_345)
MOST = 8 * limits.MIB


async def at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


PATIENCE = Patience(backoff=Backoff(0.1, 1.0, random.Random(1)), sleep=at_once)


@contextlib.asynccontextmanager
async def provider(handler: Handler, key: PrivateKey = PROVIDER) -> AsyncIterator[PeerClient]:
    """A client of a peer that serves one file."""
    peer = FakePeer(key=key, allowed=CONSUMER.public, clock=FakeClock(), handler=handler)
    async with serving(peer), peer_session() as session:
        yield PeerClient(session, peer.url, key.public, CONSUMER, peer.clock, patience=PATIENCE)


async def fetch(client: PeerClient, target: Path, path: str = "/pack", most: int = MOST) -> Downloaded:
    return await client.download(path, {"from": "x"}, target, most_bytes=most)


@dataclass(kw_only=True)
class Served:
    """``content``, of which each answer brings at most ``breaks``' next number of bytes before the line is cut.

    ``asked``: the Range headers so far; ``sent``: body bytes so far; ``alter``: what an answer's headers become.
    """

    content: bytes
    breaks: Iterator[int] = field(default_factory=lambda: iter(()))
    etag: str = ""
    alter: Callable[[dict[str, str]], dict[str, str]] = lambda headers: headers
    added: bytes = b""
    chunked: bool = False
    knows_ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    sent: int = 0

    @property
    def tag(self) -> str:
        return self.etag or f'"{Digest.of(self.content)}"'

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.headers.get("Range"))
        headers = {"ETag": self.tag, "Accept-Ranges": "bytes", "Vupdate-Full-Bytes": "7"}
        asked = {name.lower(): value for name, value in request.headers.items()} if self.knows_ranges else {}
        try:
            span = asked_span(asked, size=len(self.content), etag=self.tag)
        except UnsatisfiableRangeError:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.content)}"})
        body = self.content if span is None else self.content[span.first : span.first + span.size]
        if span is not None:
            headers["Content-Range"] = span.content_range(len(self.content))
        return await self._send(request, body + self.added, 200 if span is None else 206, self.alter(headers))

    async def _send(
        self, request: web.Request, body: bytes, status: int, headers: dict[str, str]
    ) -> web.StreamResponse:
        answer = web.StreamResponse(status=status, headers=headers)
        if self.chunked or self.added:
            answer.enable_chunked_encoding()
        else:
            answer.content_length = len(body)
        await answer.prepare(request)
        whole, most = len(body), next(self.breaks, len(body))
        body = body[:most]
        for start in range(0, len(body), PIECE_BYTES):
            await answer.write(body[start : start + PIECE_BYTES])
            self.sent += len(body[start : start + PIECE_BYTES])
        if most < whole and request.transport is not None:
            # The line is cut when what was written has left, so that a test knows how much arrived.
            while request.transport.get_write_buffer_size():
                await asyncio.sleep(0.001)
            request.transport.abort()
        return answer

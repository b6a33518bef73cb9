"""What stands for sockets between nodes in one process: real signatures, routes and streams, no network and no waiting.

A ``Wire`` can be cut, slowed and lied on; what travels over it is what would travel over the network.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from multidict import CIMultiDict
from quart import Quart
from quart.testing.connections import HTTPDisconnectError, TestHTTPConnection

from federation.backoff import Backoff
from federation.clock import Clock
from federation.errors import OversizedError, UnreachableError
from federation.keys import PrivateKey, PublicKey
from federation.link.answers import error_of_answer
from federation.link.download import Answer, Download, Downloaded, Patience
from federation.link.events import Event, EventParser
from federation.link.request import HttpRequest
from federation.link.signature import signed_headers

Tamper = Callable[[str, bytes], bytes]
"""Given the path asked for and the answer, the answer that arrives."""

_PIECE_BYTES = 64 * 1024


def honest(_path: str, content: bytes) -> bytes:
    """What arrives is what was sent."""
    return content


async def fair(_of: str, _to: str) -> None:
    """Every request arrives at once."""


@dataclass
class Wire:
    """What lies between the nodes of a network. ``tampers``: what happens to answers, by (who asks, who answers).

    ``weather`` is awaited before each request with the same pair: it may take time, or raise ``UnreachableError``.
    ``sleep`` is what everybody waits with who pauses before he tries again: until something moves, unless another one
    is given.
    """

    tampers: dict[tuple[str, str], Tamper] = field(default_factory=dict)
    weather: Callable[[str, str], Awaitable[None]] = fair
    sleep: Callable[[float], Awaitable[object]] | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    told_of_pauses: list[Callable[[], object]] = field(default_factory=list)
    _open: dict[TestHTTPConnection, tuple[str, str]] = field(default_factory=dict)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def tamper(self, of: str, to: str) -> Tamper:
        return self.tampers.get((of, to), honest)

    def cut(self, cut: Callable[[str, str], bool]) -> None:
        """Break the open streams between (who asks, who answers) for which ``cut`` holds."""
        for connection, (of, to) in list(self._open.items()):
            if cut(of, to):
                connection._receive_queue.put_nowait(HTTPDisconnectError())

    def moved(self) -> None:
        """Something changed: who waits to try again tries now."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        """Wait before the next try."""
        if self.sleep is not None:
            await self.sleep(seconds)
        else:
            moved = self._moved
            for told in self.told_of_pauses:
                told()
            await moved.wait()

    @contextlib.contextmanager
    def opened(self, connection: TestHTTPConnection, of: str, to: str) -> Iterator[None]:
        self._open[connection] = (of, to)
        try:
            yield
        finally:
            del self._open[connection]


@dataclass
class WirePeer:
    """A ``Peer``: ``of`` asks the application of ``to``, by its key; ``app`` is ``None`` where nobody answers."""

    wire: Wire
    of: str
    to: str
    app: Quart | None
    url: str
    peer: PublicKey
    key: PrivateKey
    clock: Clock

    async def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        added: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        app = await self._reach(path)
        request = HttpRequest(method=method, path=path, query=urlencode(query or {}), body=body)
        client = app.test_client()
        ask = client.post if method == "POST" else client.get
        response = await ask(request.target, headers={**self._signed(request), **(added or {})}, data=body)
        content = await response.get_data(as_text=False)
        tampered = self.wire.tamper(self.of, self.to)(path, content)
        return response.status_code, CIMultiDict(response.headers.items()), tampered

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, most_bytes: int) -> bytes:
        return self._bounded(await self._checked("GET", path, query), most_bytes)

    async def post(self, path: str, body: bytes, *, most_bytes: int = 10**7) -> bytes:
        return self._bounded(await self._checked("POST", path, body=body), most_bytes)

    async def download(self, path: str, query: Mapping[str, str], target: Path, *, most_bytes: int) -> Downloaded:
        @contextlib.asynccontextmanager
        async def ask(added: Mapping[str, str]) -> AsyncIterator[Answer]:
            status, headers, content = await self.ask("GET", path, query, added=added)
            if status >= 400:
                raise error_of_answer(self.url, status, content)

            async def pieces(_most: int) -> AsyncGenerator[bytes, None]:
                for start in range(0, len(content), _PIECE_BYTES):
                    yield content[start : start + _PIECE_BYTES]

            yield Answer(status=status, headers=headers, length=len(content), pieces=pieces)

        return await Download(
            ask,
            target,
            origin=f"{self.peer.id} {path}?{urlencode(query)}",
            url=f"{self.url}{path}",
            most_bytes=most_bytes,
            patience=Patience(backoff=Backoff(0.1, 1.0, random.Random(7)), tries=0, sleep=self.wire.pause),
        ).run()

    @contextlib.asynccontextmanager
    async def events(self, path: str) -> AsyncIterator[AsyncIterator[Event]]:
        app = await self._reach(path)
        request = HttpRequest(method="GET", path=path)
        connection = app.test_client().request(request.target, method="GET", headers=self._signed(request))
        async with connection:
            assert isinstance(connection, TestHTTPConnection)
            try:
                with self.wire.opened(connection, self.of, self.to):
                    await connection.send_complete()
                    first = await self._next(connection)
                    if connection.status_code is None or connection.status_code >= 400:
                        raise error_of_answer(self.url, connection.status_code or 500, first)
                    yield self._events(connection, first, path)
            finally:
                await connection.disconnect()

    async def _events(self, connection: TestHTTPConnection, first: bytes, path: str) -> AsyncIterator[Event]:
        parser, piece = EventParser(), first
        while piece:
            for event in parser.feed(self.wire.tamper(self.of, self.to)(path, piece)):
                yield event
            piece = await self._next(connection)

    async def _next(self, connection: TestHTTPConnection) -> bytes:
        try:
            return await connection.receive()
        except HTTPDisconnectError as error:
            raise UnreachableError(f"the connection to {self.url} broke") from error

    async def _reach(self, path: str) -> Quart:
        self.wire.asked.append((self.of, self.to, path))
        await self.wire.weather(self.of, self.to)
        if self.app is None:
            raise UnreachableError(f"{self.url} does not answer")
        return self.app

    def _signed(self, request: HttpRequest) -> dict[str, str]:
        return signed_headers(request, key=self.key, audience=self.peer.id, now=self.clock.now())

    async def _checked(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        status, _, content = await self.ask(method, path, query, body)
        if status >= 400:
            raise error_of_answer(self.url, status, content)
        return content

    def _bounded(self, content: bytes, most_bytes: int) -> bytes:
        if len(content) > most_bytes:
            raise OversizedError(f"{self.url} sent more than {most_bytes} bytes: refused")
        return content

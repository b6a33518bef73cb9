"""Asks a peer over HTTP: every request signed, every wait and every body bounded, every failure an error of ours.

Over TLS nothing is sent before the peer has proven that the certificate shown is its own (``pinned``). The peer's
answers are not signed; what must be believed is a statement inside the body, which the caller verifies.
"""

import contextlib
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

import aiohttp
import yarl

from federation import limits
from federation.clock import Clock
from federation.errors import OversizedError, RemoteError, UnreachableError
from federation.keys import PrivateKey, PublicKey
from federation.link import events
from federation.link.address import check_url
from federation.link.answers import ERROR_BODY_BYTES, PeerDeniedError, error_of_answer, plain_text
from federation.link.download import Answer, Download, Downloaded, Patience, check_status, usual_patience
from federation.link.events import Event, EventParser, EventStreamError
from federation.link.peertime import PeerTime
from federation.link.pinned import Pin, PinnedConnections
from federation.link.request import HttpRequest
from federation.link.signature import signed_headers

__all__ = ["USUAL_TIMEOUTS", "Downloaded", "PeerClient", "Timeouts", "peer_session"]

_NO_QUERY: Final[Mapping[str, str]] = MappingProxyType({})
_READ_BYTES: Final = 256 * limits.KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: to be connected; without a byte; for a whole small exchange; without a sign of life on a stream."""

    connect_seconds: float = 10.0
    stall_seconds: float = 60.0
    whole_seconds: float = 120.0
    heartbeat_seconds: float = 45.0

    @property
    def of_exchange(self) -> aiohttp.ClientTimeout:
        """For requests with a small answer."""
        return aiohttp.ClientTimeout(
            total=self.whole_seconds, sock_connect=self.connect_seconds, sock_read=self.stall_seconds
        )

    @property
    def of_download(self) -> aiohttp.ClientTimeout:
        """For answers of any length."""
        return aiohttp.ClientTimeout(
            total=None, connect=self.stall_seconds, sock_connect=self.connect_seconds, sock_read=self.stall_seconds
        )

    @property
    def of_stream(self) -> aiohttp.ClientTimeout:
        """For an event stream."""
        return aiohttp.ClientTimeout(
            total=None, connect=self.stall_seconds, sock_connect=self.connect_seconds, sock_read=self.heartbeat_seconds
        )


USUAL_TIMEOUTS: Final = Timeouts()


def peer_session() -> aiohttp.ClientSession:
    """A session for ``PeerClient``: no cookies, no proxies from the environment, nothing unpacked on the way."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=_READ_BYTES,
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=16),
        headers={"User-Agent": "vupdate", "Accept-Encoding": "identity"},
    )


def _unread(content: aiohttp.StreamReader) -> bytes:
    """What had arrived when the connection broke: aiohttp has it, but only raises from then on."""
    return b"".join(getattr(content, "_buffer", ()))


class PeerClient:
    """The node at ``url`` that holds ``peer``'s key, asked in the name of ``key``'s owner."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        peer: PublicKey,
        key: PrivateKey,
        clock: Clock,
        *,
        timeouts: Timeouts = USUAL_TIMEOUTS,
        patience: Patience | None = None,
        pinned: PinnedConnections | None = None,
        on_skew: Callable[[float], None] | None = None,
    ) -> None:
        """``pinned``: what clients on one session share; without it, this one proves its peer for itself.

        ``on_skew``: sign by the peer's clock where it refuses ours, and tell by how many seconds it is ahead.
        """
        self.url = check_url(url)
        self.clock = clock
        self._session = session
        self._peer = peer
        self._audience = peer.id
        self._key = key
        self._timeouts = timeouts
        self._patience = patience
        self._pinned = pinned or PinnedConnections(session)
        self._on_skew = on_skew
        self._time = PeerTime(self.url, clock, on_skew)

    def move(self, url: str) -> None:
        """Ask the peer at ``url`` from now on; what is under way goes on where it was.

        Raises:
            InvalidValueError: it is no address of a node.
        """
        self.url = check_url(url)
        self._time = PeerTime(self.url, self.clock, self._on_skew)

    async def get(self, path: str, query: Mapping[str, str] = _NO_QUERY, *, most_bytes: int) -> bytes:
        """The body of ``path``.

        Raises:
            AbsentError, DeniedError, ConflictError, RemoteError: what the peer answered (see ``answers``).
            UnreachableError: no connection, or it broke or stalled.
            OversizedError: more than ``most_bytes``.
        """
        request = HttpRequest(method="GET", path=path, query=urlencode(query))
        return await self._exchange(request, most_bytes)

    async def post(self, path: str, body: bytes, *, most_bytes: int = limits.RESPONSE_BODY_BYTES) -> bytes:
        """The answer to JSON ``body`` sent to ``path``; empty for 204.

        Raises:
            OversizedError: ``body`` over ``limits.REQUEST_BODY_BYTES``, which is not sent, or the answer over
                ``most_bytes``; others as ``get``.
        """
        if len(body) > limits.REQUEST_BODY_BYTES:
            raise OversizedError(f"a request body of {len(body)} bytes is over {limits.REQUEST_BODY_BYTES}: not sent")
        return await self._exchange(HttpRequest(method="POST", path=path, body=body), most_bytes)

    async def download(self, path: str, query: Mapping[str, str], target: Path, *, most_bytes: int) -> Downloaded:
        """The body of ``path`` in the file ``target``, which appears whole and synced or not at all.

        It continues after a break, here or when called again with the same path, query and target; see ``download``.
        There is no limit to the whole time, only to how long nothing comes.

        Raises:
            TamperedError: a lying answer.
            DiskFullError: no room; others as ``get``.
        """
        request = HttpRequest(method="GET", path=path, query=urlencode(query))

        @contextlib.asynccontextmanager
        async def ask(headers: Mapping[str, str]) -> AsyncIterator[Answer]:
            async with self._answer(request, self._timeouts.of_download, headers) as answer:
                check_status(answer.status, self.url)
                pieces = functools.partial(self._chunks, answer)
                yield Answer(status=answer.status, headers=answer.headers, length=answer.content_length, pieces=pieces)

        return await Download(
            ask,
            target,
            origin=f"{self._audience} {request.target}",
            url=f"{self.url}{path}",
            most_bytes=most_bytes,
            patience=self._patience or usual_patience(),
        ).run()

    @contextlib.asynccontextmanager
    async def events(self, path: str) -> AsyncIterator[AsyncIterator[Event]]:
        """The event stream at ``path``; the iterator ends when the peer ends the stream.

        Raises:
            UnreachableError: also from the iterator, when not even a heartbeat came in time.
            OversizedError, EventStreamError: from the iterator; others as ``get``.
        """
        request = HttpRequest(method="GET", path=path)
        async with self._answer(request, self._timeouts.of_stream) as answer:
            if answer.content_type != events.CONTENT_TYPE:
                raise EventStreamError(f"{self.url}{path} is no event stream but {plain_text(answer.content_type, 80)}")
            async with contextlib.aclosing(self._events(answer)) as found:
                yield found

    async def _exchange(self, request: HttpRequest, most_bytes: int) -> bytes:
        async with self._answer(request, self._timeouts.of_exchange) as answer:
            self._check_announced(answer, most_bytes)
            return await self._whole(answer, most_bytes)

    @contextlib.asynccontextmanager
    async def _answer(
        self, request: HttpRequest, limit: aiohttp.ClientTimeout, added: Mapping[str, str] = _NO_QUERY
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The good answer to ``request``; only what the connection does is explained, not errors of the block."""
        signed_by = self._time.ahead
        answer = await self._sent(request, limit, added)
        try:
            try:
                await self._check(answer)
            except PeerDeniedError as error:
                self._time.learn(error.remote_code, answer.headers.get("Date", ""))
                if self._time.ahead == signed_by:
                    raise
                answer.release()
                answer = await self._sent(request, limit, added)
                await self._check(answer)
            yield answer
        finally:
            # Closes the connection where the body was not read to its end.
            answer.release()

    async def _sent(
        self, request: HttpRequest, limit: aiohttp.ClientTimeout, added: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        with self._explained():
            try:
                return await self._ask(request, limit, added, await self._pinned.proven(self.url, self._peer))
            except aiohttp.ServerFingerprintMismatch:
                # The certificate was renewed, or somebody stands in between: the peer's own word tells.
                return await self._ask(request, limit, added, await self._pinned.proven_anew(self.url, self._peer))

    async def _ask(
        self, request: HttpRequest, limit: aiohttp.ClientTimeout, added: Mapping[str, str], pin: Pin
    ) -> aiohttp.ClientResponse:
        return await self._session.request(
            request.method,
            yarl.URL(self.url + request.target, encoded=True),
            headers={**self._headers(request), **added},
            data=request.body or None,
            allow_redirects=False,
            timeout=limit,
            ssl=pin,
        )

    def _headers(self, request: HttpRequest) -> dict[str, str]:
        headers = signed_headers(request, key=self._key, audience=self._audience, now=self._time.now())
        return headers | {"Content-Type": "application/json"} if request.body else headers

    async def _check(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status >= 400:
            body = await self._whole(answer, ERROR_BODY_BYTES)
            raise error_of_answer(self.url, answer.status, body)
        if not 200 <= answer.status < 300:
            raise RemoteError(f"{self.url} sends us elsewhere (status {answer.status}): refused; check the address")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise RemoteError(f"{self.url} answered in an encoding that was not asked for: refused")

    def _check_announced(self, answer: aiohttp.ClientResponse, most_bytes: int) -> None:
        if (answer.content_length or 0) > most_bytes:
            raise OversizedError(f"{self.url} announces {answer.content_length} bytes where {most_bytes} are the bound")

    async def _whole(self, answer: aiohttp.ClientResponse, most_bytes: int) -> bytes:
        async with contextlib.aclosing(self._chunks(answer, most_bytes)) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def _chunks(self, answer: aiohttp.ClientResponse, most_bytes: int | None) -> AsyncGenerator[bytes, None]:
        """The body in pieces as it comes, all that came before a break too; the announced length is not relied upon."""
        received = 0
        broken: UnreachableError | None = None
        while True:
            try:
                with self._explained():
                    chunk = await answer.content.readany()
            except UnreachableError as error:
                broken, chunk = error, _unread(answer.content)
            received += len(chunk)
            if most_bytes is not None and received > most_bytes:
                raise OversizedError(f"{self.url} sent more than {most_bytes} bytes: refused")
            if chunk:
                yield chunk
            if broken is not None:
                raise broken
            if not chunk:
                return

    async def _events(self, answer: aiohttp.ClientResponse) -> AsyncGenerator[Event, None]:
        parser = EventParser()
        async with contextlib.aclosing(self._chunks(answer, None)) as chunks:
            async for chunk in chunks:
                for event in parser.feed(chunk):
                    yield event

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise UnreachableError(f"{self.url} did not answer in time: is it running, and is the way free?") from error
        except aiohttp.ClientResponseError as error:
            raise RemoteError(f"{self.url} does not speak HTTP as it should: {plain_text(str(error), 200)}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnreachableError(f"{self.url} can't be reached: {plain_text(str(error), 200)}") from error

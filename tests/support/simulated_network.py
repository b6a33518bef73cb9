"""A network between nodes in one process that loses, delays, is cut in pieces, and in which some nodes lie.

Time is that of the loop: run it in ``simulated_time``. What travels is real: signed requests, the routes' own answers,
event streams, downloads that go on where they broke. All chance comes from one generator, and each exchange goes into
a trace, so two runs with one seed can be compared.
"""

import asyncio
import contextlib
import hashlib
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlencode

from multidict import CIMultiDict
from quart import Quart
from quart.testing.connections import HTTPDisconnectError, TestHTTPConnection

from federation.backoff import Backoff
from federation.clock import Clock
from federation.errors import OversizedError, UnreachableError, VUpdateError
from federation.keys import PrivateKey, PublicKey
from federation.link.answers import error_of_answer
from federation.link.client import USUAL_TIMEOUTS
from federation.link.download import (
    FIRST_PAUSE_SECONDS,
    MOST_PAUSE_SECONDS,
    Answer,
    Download,
    Downloaded,
    Patience,
    check_status,
)
from federation.link.events import Event, EventParser
from federation.link.request import HttpRequest
from federation.link.signature import signed_headers

SILENCE_SECONDS: float = USUAL_TIMEOUTS.heartbeat_seconds
"""So long a stream may bring nothing, not even a heartbeat."""

_PIECE_BYTES: Final = 4 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """``loss``: of 1, how many requests and answers get lost, and how many pieces of downloads and streams break them.

    ``delay``: seconds that each way takes, from and to.
    """

    loss: float = 0.0
    delay: tuple[float, float] = (0.005, 0.05)


FAIR: Final = Weather()
STORM: Final = Weather(loss=0.2, delay=(0.05, 0.5))


@dataclass(frozen=True, slots=True)
class Answered:
    """What arrives. ``endless``: the body has no end."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    endless: bool = False


class Liar(Protocol):
    """What becomes of a node's answers."""

    async def answer(self, of: str, path: str, honest: Answered) -> Answered:
        """What ``of`` gets who asked for ``path``; may take its time."""
        ...

    def piece(self, piece: bytes) -> bytes:
        """What a reader of the event stream gets; nothing: it is kept back."""
        ...


class Host(Protocol):
    """What is known of one node: its name, and its application as long as it runs."""

    @property
    def name(self) -> str: ...

    @property
    def app(self) -> Quart: ...


@dataclass
class Tally:
    """What went over the network. ``asked``: requests, by who asks; ``failed``: by the code of the error."""

    asked: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    moved_bytes: int = 0

    @property
    def requests(self) -> int:
        return self.asked.total()


@dataclass
class SimulatedNetwork:
    """All that lies between the nodes. ``groups``: the part of the network that a node is in while it is cut."""

    seed: str
    weather: Weather = FAIR
    groups: dict[str, int] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    liars: dict[str, Liar] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    rng: random.Random = field(init=False)
    _trace: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _lines: int = 0
    _streams: dict[TestHTTPConnection, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"network {self.seed}")

    # The state of the network.

    def connected(self, of: str, to: str) -> bool:
        """Whether what one sends can reach the other."""
        return self.groups.get(of) == self.groups.get(to)

    def host_at(self, url: str) -> str:
        """The name of the node at ``url``."""
        return url.removeprefix("http://").partition(".")[0]

    def crash(self, name: str) -> None:
        """Nobody reaches ``name`` any more, and what was open to it breaks."""
        self.down.add(name)
        for connection, ends in list(self._streams.items()):
            if name in ends:
                connection._receive_queue.put_nowait(HTTPDisconnectError())

    def lost(self) -> bool:
        """Whether the next thing gets lost."""
        return self.weather.loss > 0 and self.rng.random() < self.weather.loss

    async def travel(self) -> None:
        """Let one way take its time."""
        await asyncio.sleep(self.rng.uniform(*self.weather.delay))

    # The trace.

    def note(self, *what: object) -> None:
        """Add one line to the trace."""
        at = asyncio.get_running_loop().time()
        self._trace.update(f"{at:.6f} {' '.join(map(str, what))}\n".encode())
        self._lines += 1

    @property
    def trace(self) -> str:
        """The number of lines of the trace, and its digest."""
        return f"{self._lines} {self._trace.hexdigest()}"

    @contextlib.contextmanager
    def noted(self, of: str, to: str, path: str) -> Iterator[None]:
        """Count and trace one exchange."""
        self.tally.asked[of] += 1
        self.tally.kinds[kind_of(path)] += 1
        try:
            yield
        except VUpdateError as error:
            self.tally.failed[error.code] += 1
            self.note(of, to, path, error.code)
            raise
        self.note(of, to, path, "ok")

    @contextlib.contextmanager
    def streaming(self, connection: TestHTTPConnection, of: str, to: str) -> Iterator[None]:
        """An event stream is open while the block runs."""
        self._streams[connection] = (of, to)
        try:
            yield
        finally:
            del self._streams[connection]


def kind_of(path: str) -> str:
    """What is asked for, without the names in it."""
    parts = path.split("/")
    if path.startswith("/catalogs/"):
        return parts[4] if len(parts) > 5 else parts[-1].removesuffix(".json").split(".")[-1]
    return parts[3]


@dataclass
class SimulatedPeer:
    """A ``Peer``: ``of`` asks whatever runs at ``url``, by its key, as ``PeerClient`` does."""

    network: SimulatedNetwork
    of: str
    url: str
    peer: PublicKey
    key: PrivateKey
    clock: Clock

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, most_bytes: int) -> bytes:
        return await self._exchange(HttpRequest(method="GET", path=path, query=urlencode(query or {})), most_bytes)

    async def post(self, path: str, body: bytes, *, most_bytes: int = 10**7) -> bytes:
        return await self._exchange(HttpRequest(method="POST", path=path, body=body), most_bytes)

    async def download(self, path: str, query: Mapping[str, str], target: Path, *, most_bytes: int) -> Downloaded:
        request = HttpRequest(method="GET", path=path, query=urlencode(query))

        @contextlib.asynccontextmanager
        async def ask(added: Mapping[str, str]) -> AsyncIterator[Answer]:
            with self.network.noted(self.of, self._to, path):
                answered = await self._ask(request, added)
                self._check(answered)
                check_status(answered.status, self.url)
                length = None if answered.endless else len(answered.content)
                yield Answer(
                    status=answered.status,
                    headers=answered.headers,
                    length=length,
                    pieces=lambda most: self._pieces(answered, most),
                )

        pauses = Backoff(FIRST_PAUSE_SECONDS, MOST_PAUSE_SECONDS, self.network.rng)
        return await Download(
            ask,
            target,
            origin=f"{self.peer.id} {request.target}",
            url=f"{self.url}{path}",
            most_bytes=most_bytes,
            patience=Patience(backoff=pauses),
        ).run()

    @contextlib.asynccontextmanager
    async def events(self, path: str) -> AsyncIterator[AsyncIterator[Event]]:
        request = HttpRequest(method="GET", path=path)
        with self.network.noted(self.of, self._to, path):
            app = await self._reach()
            liar = self.network.liars.get(self._to)
            if liar is not None:
                opened = await liar.answer(self.of, path, Answered(200, {}, b""))
                self._check(opened)
            async with self._streamed(app, request) as events:
                yield events

    @contextlib.asynccontextmanager
    async def _streamed(self, app: Quart, request: HttpRequest) -> AsyncIterator[AsyncIterator[Event]]:
        connection = app.test_client().request(request.target, method="GET", headers=self._signed(request))
        async with connection:
            assert isinstance(connection, TestHTTPConnection)
            try:
                with self.network.streaming(connection, self.of, self._to):
                    await connection.send_complete()
                    first = await self._next(connection)
                    if connection.status_code is None or connection.status_code >= 400:
                        raise error_of_answer(self.url, connection.status_code or 500, first)
                    async with contextlib.aclosing(self._events(connection, first)) as events:
                        yield events
            finally:
                await connection.disconnect()

    async def _events(self, connection: TestHTTPConnection, first: bytes) -> AsyncGenerator[Event, None]:
        parser, piece = EventParser(), first
        while piece:
            liar = self.network.liars.get(self._to)
            for event in parser.feed(liar.piece(piece) if liar else piece):
                yield event
            piece = await self._next(connection)

    async def _next(self, connection: TestHTTPConnection) -> bytes:
        """The next piece that arrives in time."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                piece = await connection.receive()
                await self.network.travel()
                if not self.network.connected(self.of, self._to):
                    await asyncio.Event().wait()
        except HTTPDisconnectError as error:
            raise UnreachableError(f"the connection to {self.url} broke") from error
        except TimeoutError as error:
            raise UnreachableError(f"{self.url} is silent") from error
        if piece and self.network.lost():
            raise UnreachableError(f"the connection to {self.url} was reset")
        return piece

    # One exchange.

    @property
    def _to(self) -> str:
        return self.network.host_at(self.url)

    async def _exchange(self, request: HttpRequest, most_bytes: int) -> bytes:
        with self.network.noted(self.of, self._to, request.path):
            answered = await self._ask(request, {})
            self._check(answered)
            if answered.endless or len(answered.content) > most_bytes:
                raise OversizedError(f"{self.url} sent more than {most_bytes} bytes: refused")
            return answered.content

    def _check(self, answered: Answered) -> None:
        if answered.status >= 400:
            raise error_of_answer(self.url, answered.status, answered.content)

    async def _ask(self, request: HttpRequest, added: Mapping[str, str]) -> Answered:
        try:
            async with asyncio.timeout(USUAL_TIMEOUTS.whole_seconds):
                return await self._answered(request, added)
        except TimeoutError as error:
            raise UnreachableError(f"{self.url} did not answer in time") from error

    async def _answered(self, request: HttpRequest, added: Mapping[str, str]) -> Answered:
        app = await self._reach()
        client = app.test_client()
        ask = client.post if request.method == "POST" else client.get
        headers = {**self._signed(request), **added}
        response = await ask(request.target, headers=headers, data=request.body)
        content = await response.get_data(as_text=False)
        answered = Answered(response.status_code, CIMultiDict(response.headers.items()), content)
        liar = self.network.liars.get(self._to)
        if liar is not None:
            answered = await liar.answer(self.of, request.path, answered)
        await self.network.travel()
        if self.network.lost() or not self.network.connected(self.of, self._to) or self._to in self.network.down:
            await asyncio.sleep(USUAL_TIMEOUTS.stall_seconds)
            raise UnreachableError(f"{self.url} did not answer")
        self.network.tally.moved_bytes += len(answered.content)
        return answered

    async def _reach(self) -> Quart:
        """The application that a request arrives at."""
        await self.network.travel()
        if self.network.lost() or not self.network.connected(self.of, self._to):
            await asyncio.sleep(USUAL_TIMEOUTS.connect_seconds)
            raise UnreachableError(f"{self.url} can't be connected to")
        if self._to in self.network.down:
            raise UnreachableError(f"{self.url} refuses connections")
        return self.network.hosts[self._to].app

    async def _pieces(self, answered: Answered, most: int) -> AsyncGenerator[bytes, None]:
        if answered.endless or len(answered.content) > most:
            raise OversizedError(f"{self.url} sent more than {most} bytes: refused")
        for start in range(0, len(answered.content), _PIECE_BYTES):
            if self.network.lost():
                raise UnreachableError(f"the connection to {self.url} broke")
            yield answered.content[start : start + _PIECE_BYTES]

    def _signed(self, request: HttpRequest) -> dict[str, str]:
        return signed_headers(request, key=self.key, audience=self.peer.id, now=self.clock.now())

"""Following a stream for ever."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest

from federation.errors import CorruptError, DeniedError, UnreachableError, VUpdateError
from federation.link.events import Event
from federation.link.follow import CONNECTED, follow, reconnect_backoff
from tests.support.clock import FakeClock

Script = list[Event | float | VUpdateError | None]


class ScriptedPeer:
    """Each connection plays one script: an event is sent, a number lets seconds pass, an error breaks it.

    An error as the first thing refuses the connection; ``None`` keeps the connection open until cancelled.
    """

    def __init__(self, *connections: Script) -> None:
        self.clock = FakeClock()
        self.connects = 0
        self.closed = 0
        self._connections = list(connections)

    @contextlib.asynccontextmanager
    async def events(self, path: str) -> AsyncIterator[AsyncIterator[Event]]:
        self.connects += 1
        assert path == "/events"
        script: Script = self._connections.pop(0) if self._connections else [UnreachableError("gone")]
        if script and isinstance(script[0], VUpdateError):
            raise script[0]
        try:
            yield self._play(script)
        finally:
            self.closed += 1

    async def _play(self, script: Script) -> AsyncIterator[Event]:
        for step in script:
            if isinstance(step, Event):
                yield step
            elif isinstance(step, VUpdateError):
                raise step
            elif step is None:
                await asyncio.Event().wait()
            else:
                self.clock.advance(step)


class Watch:
    """What ``follow`` told, and the pauses it made; after ``most`` pauses it is stopped from inside the sleep."""

    def __init__(self, peer: ScriptedPeer, most: int) -> None:
        self.peer = peer
        self.states: list[bool] = []
        self.errors: list[str] = []
        self.pauses: list[float] = []
        self.seen: list[Event] = []
        self._most = most

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) >= self._most:
            raise StopFollowing

    async def run(self) -> None:
        stream = follow(
            self.peer,
            "/events",
            backoff=reconnect_backoff(HighestRandom()),
            on_state=self.states.append,
            on_error=lambda error: self.errors.append(error.code),
            sleep=self.sleep,
        )
        with contextlib.suppress(StopFollowing):
            async for event in stream:
                self.seen.append(event)


class StopFollowing(Exception):  # noqa: N818 - it ends a test, it is no error
    """Ends a test."""


class HighestRandom(random.Random):
    """Draws the upper end, so that the pauses show the ceilings."""

    def uniform(self, a: float, b: float) -> float:
        assert a == 0.0
        return b


async def followed(*connections: Script, pauses: int) -> Watch:
    watch = Watch(ScriptedPeer(*connections), pauses)
    await watch.run()
    return watch


async def test_each_connection_begins_with_a_call_to_catch_up() -> None:
    """After each connect the reader is told so, before any event of the peer."""
    first, second = Event(name="offer", data="1"), Event(name="offer", data="2")
    watch = await followed([first, UnreachableError("broke")], [second], pauses=2)
    assert watch.seen == [CONNECTED, first, CONNECTED, second]
    assert watch.states == [True, False, True, False]
    assert watch.errors == ["unreachable"]
    assert watch.peer.closed == 2


async def test_a_peer_that_is_away_is_asked_less_and_less() -> None:
    """The pauses double from 0.2 s up to a minute, and the following never ends by itself."""
    watch = await followed(pauses=12)
    assert watch.pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0, 60.0, 60.0]
    assert watch.states == []
    assert watch.peer.connects == 12


async def test_a_stream_that_the_peer_ends_is_connected_anew() -> None:
    """A clean end is no reason to stop, nor to come back at once for ever."""
    watch = await followed([], [], [], pauses=3)
    assert watch.pauses == [0.2, 0.4, 0.8]
    assert watch.seen == [CONNECTED] * 3


async def test_a_good_stretch_resets_the_pauses() -> None:
    """A connection that held shows that the trouble is over; a short one does not."""
    away: Script = [UnreachableError("away")]
    watch = await followed(away, away, [11.0], away, away, [9.0], away, pauses=7)
    assert watch.pauses == [0.2, 0.4, 0.2, 0.4, 0.8, 1.6, 3.2]


async def test_the_time_before_the_connection_is_no_good_stretch() -> None:
    """A peer that takes long to refuse is not taken for one that held."""

    class SlowToRefuse(ScriptedPeer):
        @contextlib.asynccontextmanager
        async def events(self, path: str) -> AsyncIterator[AsyncIterator[Event]]:
            self.clock.advance(30)
            async with super().events(path) as found:
                yield found

    watch = Watch(SlowToRefuse(), 3)
    await watch.run()
    assert watch.pauses == [0.2, 0.4, 0.8]


async def test_a_refusal_is_tried_again() -> None:
    """Rights may come back, so a refused reader waits and asks again."""
    watch = await followed([DeniedError("not linked")], [Event(data="x")], pauses=2)
    assert watch.errors == ["denied"]
    assert [event.data for event in watch.seen] == ["", "x"]


async def test_an_error_of_our_own_is_not_hidden() -> None:
    """What is broken here ends the following, loudly."""
    with pytest.raises(CorruptError):
        await followed([CorruptError("disk")], pauses=1)


@pytest.mark.parametrize("where", ["connected", "pausing"])
async def test_cancellation_passes_through(where: str) -> None:
    """A cancelled reader ends at once, says that it is disconnected, and leaves no connection open."""
    peer = ScriptedPeer([None]) if where == "connected" else ScriptedPeer()
    states: list[bool] = []
    reached = asyncio.Event()

    async def forever(_: float) -> None:
        reached.set()
        await asyncio.Event().wait()

    def on_state(state: bool) -> None:
        states.append(state)
        reached.set()

    async def read() -> None:
        async for _ in follow(peer, "/events", backoff=reconnect_backoff(), on_state=on_state, sleep=forever):
            pass

    await cancelled_at(read, reached)
    assert states == ([True, False] if where == "connected" else [])
    assert peer.closed == (1 if where == "connected" else 0)


async def cancelled_at(work: Callable[[], Coroutine[None, None, None]], reached: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        async with asyncio.timeout(5):
            await reached.wait()
        task.cancel()
    assert task.cancelled()


async def test_leaving_the_loop_early_closes_the_connection() -> None:
    """Whoever closes the stream leaves nothing open behind."""
    peer = ScriptedPeer([Event(data="x"), None])
    states: list[bool] = []
    stream = follow(peer, "/events", backoff=reconnect_backoff(), on_state=states.append)
    async with contextlib.aclosing(stream) as events:
        async for event in events:
            if event.data == "x":
                break
    assert (states, peer.closed) == ([True, False], 1)

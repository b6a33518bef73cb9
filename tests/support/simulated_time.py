"""Simulated time: an event loop whose clock jumps to the next thing due, so that hours of waiting pass in a moment.

All else is real: tasks, queues, time-outs, the code under test. Work meant for threads runs at once, in the loop, so
that a run depends on nothing but its inputs.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

_T = TypeVar("_T")
_Arguments = TypeVarTuple("_Arguments")

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


class StandstillError(AssertionError):
    """Nothing is due any more and yet somebody waits: in real time this would hang."""


class _JumpingSelector(selectors.DefaultSelector):
    """Where the loop would sleep, its clock is put forward instead."""

    now: float = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise StandstillError("everybody waits, and nothing is due")
        if not ready and timeout:
            self.now += timeout
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """A loop in simulated time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(
        self,
        executor: object,  # noqa: ARG002  # the loop itself takes its place
        func: Callable[[Unpack[_Arguments]], _T],
        *args: *_Arguments,
    ) -> asyncio.Future[_T]:
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is for whoever awaits the future
            future.set_exception(error)
        return future


class SimulatedClock:
    """A ``Clock`` that shows the time of a ``SimulatedLoop``; ``ahead`` by so much, as clocks of machines are."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ahead: timedelta = timedelta(0)) -> None:
        self._loop = loop
        self._ahead = ahead

    def now(self) -> datetime:
        return EPOCH + self._ahead + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()


def run_simulated(work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """What ``work`` returns, run in simulated time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work())

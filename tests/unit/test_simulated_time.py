"""The simulated clock that whole networks are tried with keeps the order of things and waits for nothing."""

import asyncio

import pytest

from tests.support.simulated_time import EPOCH, SimulatedClock, StandstillError, run_simulated


def test_hours_pass_in_a_moment_and_in_order() -> None:
    """Sleepers wake by their times, and the clock shows them."""
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((name, round(asyncio.get_running_loop().time(), 3)))

    async def work() -> float:
        async with asyncio.TaskGroup() as group:
            for name, seconds in (("late", 7200.0), ("soon", 1.5), ("later", 86400.0)):
                group.create_task(sleeper(name, seconds))
        clock = SimulatedClock(asyncio.get_running_loop())
        return (clock.now() - EPOCH).total_seconds()

    assert run_simulated(work) == pytest.approx(86400.0)
    assert woken == [("soon", 1.5), ("late", 7200.0), ("later", 86400.0)]


def test_time_limits_run_out_and_threads_work_is_done_at_once() -> None:
    """asyncio.timeout counts simulated seconds; what is meant for a thread takes none of them."""

    async def work() -> tuple[bool, int, float]:
        timed_out = False
        try:
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        except TimeoutError:
            timed_out = True
        return timed_out, await asyncio.to_thread(sum, [1, 2, 3]), round(asyncio.get_running_loop().time(), 3)

    assert run_simulated(work) == (True, 6, 30.0)


def test_a_wait_that_nothing_can_end_is_an_error_and_no_hang() -> None:
    """A lost wake-up shows as a failure at once."""

    async def work() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StandstillError):
        run_simulated(work)

"""Watches a run that lives: its health and what it uses, until it ends or has to be stopped as a fault.

What is too much is decided in ``bounds``, what is not well in ``liveness``; here is only the looking.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from agent import usage
from agent.bounds import Bounds, Sample
from agent.condemned import Condemned
from agent.health import Check
from agent.liveness import Liveness
from agent.runrecord import RunRecord
from agent.runs import LiveRun
from agent.threads import unbroken
from federation.clock import Clock
from federation.service import RunLimits

_log: Final = structlog.get_logger("agent")


async def over_bounds(live: LiveRun, limits: RunLimits, clock: Clock) -> str:
    """Which bound of ``limits`` the run broke, in a sentence; empty: it ended before it broke one."""
    bounds = Bounds(limits=limits)
    if bounds.is_empty:
        await live.ended()
        return ""
    while not bounds.problem:
        if await live.ended_within(bounds.look_seconds):
            return ""
        try:
            used = await unbroken(_measure, live.record, limits.memory_bytes)
        except OSError as error:
            _log.warning("use of a service not measured", run=live.record.run, error=str(error))
            continue
        bounds = bounds.seen(Sample(at=clock.monotonic(), memory_bytes=used.memory_bytes, cpu_seconds=used.cpu_seconds))
    return bounds.problem


def _measure(run: RunRecord, memory_bound: int | None) -> usage.Usage:
    return usage.measure(run.shim.pid, memory_bound=memory_bound, group=run.control_group)


async def unwell(live: LiveRun, check: Check, clock: Clock, on_ready: Callable[[], None]) -> str:
    """Why the run has to be stopped, in a sentence; empty: it ended before. ``on_ready``: its first check passed."""
    if check.is_empty:
        on_ready()
        await live.ended()
        return ""
    state = Liveness(health=check.health, begun=clock.monotonic())
    while True:
        problem = await check.problem()
        if live.is_over:
            return ""
        was_ready, state = state.is_ready, state.seen(problem, clock.monotonic())
        if state.is_ready and not was_ready:
            on_ready()
        if said := state.verdict(clock.monotonic()):
            return said
        if await live.ended_within(state.next_check_seconds):
            return ""


async def watch(
    live: LiveRun, check: Check, limits: RunLimits, clock: Clock, on_ready: Callable[[], None]
) -> Condemned | None:
    """Watch to the end; what to stop the run for, if it has to be stopped."""
    problem, kind = await first(unwell(live, check, clock, on_ready), over_bounds(live, limits, clock))
    if not problem:
        return None
    return Condemned(run=live.record.run, reason="over-limit" if kind else "unhealthy", problem=problem)


async def first(*awaited: Coroutine[Any, Any, str]) -> tuple[str, int]:
    """What the first of ``awaited`` to end says, and which it was; the others are cancelled."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in awaited]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
    ended = [number for number, task in enumerate(tasks) if not task.cancelled()]
    return tasks[ended[0]].result(), ended[0]

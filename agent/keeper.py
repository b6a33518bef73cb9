"""Keeps the committed version of one service running: finds or starts it, sees it end, starts it again in time.

Whether and when again is decided in ``restarts``; what is a fault, here: every end that nobody asked for, but for the
machine's own restart.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import structlog

from agent import plan, processes, restarts
from agent.condemned import Condemned, condemn, condemned_run
from agent.effects import Change, Tools
from agent.errors import StartFailedError
from agent.faults import Fault, describe_end
from agent.plan import Record
from agent.runrecord import RunRecord
from agent.runs import LiveRun, end
from agent.settings import Runnable
from agent.shim import FAULT_SIGNAL
from agent.threads import unbroken
from agent.watch import watch
from federation.errors import VUpdateError
from federation.service import Service
from federation.versions import ClientVersion

OnRun = Callable[[RunRecord | None, bool], None]
"""Told what runs, and whether it has answered its health check since this agent started it."""

_TROUBLE_SECONDS: Final = 15.0

_log: Final = structlog.get_logger("agent")


class Keeper:
    """Keeps one version of a unit running until it is cancelled; a cancellation leaves the service as it is."""

    def __init__(
        self,
        tools: Tools,
        change: Change,
        *,
        on_run: OnRun,
        new_run: Callable[[Record], str],
        rng: random.Random,
    ) -> None:
        self._tools = tools
        self._change = change
        self._on_run = on_run
        self._new_run = new_run
        self._rng = rng

    async def keep(self, version: ClientVersion, *, at_once: bool = False) -> None:
        """Keep ``version`` running; never returns. ``at_once``: without the wait that its last end demands."""
        while True:
            try:
                hurried, at_once = at_once, False
                await self._once(version, hurried=hurried)
            except StartFailedError as error:
                # Its record is that of a run that ended, so the next round counts it.
                _log.warning("service can't be started", service=self._tools.unit.key, error=str(error))
            except (VUpdateError, OSError) as error:
                _log.error("service can't be kept running", service=self._tools.unit.key, error=str(error))
                await self._note(str(error))
                await asyncio.sleep(_TROUBLE_SECONDS)

    async def _note(self, trouble: str) -> None:
        await self._change(lambda record: plan.troubled(record, trouble))

    async def _once(self, version: ClientVersion, *, hurried: bool) -> None:
        """From one start, or from finding it, to its end."""
        runnable = await self._tools.runnable(version)
        live = await self._tools.runs.attach()
        if live is not None and live.record.version != version:
            live.close()
            await self._tools.runs.stop()
            live = None
        found = live is not None
        if live is None:
            await self._tools.queue.turn(self._tools.unit.key, runnable.service.run.after)
            await self._wait_before_start(version, runnable.service, hurried=hurried)
            live = await self._start(version)
        await self._watch(live, runnable, found=found)

    async def _start(self, version: ClientVersion) -> LiveRun:
        record = await self._change(lambda record: plan.starting(record, self._new_run(record)))
        return await self._tools.start(version, record.run)

    async def _watch(self, live: LiveRun, runnable: Runnable, *, found: bool) -> None:
        """See the run to its end; one started just now counts as running once its check passes."""
        self._on_run(live.record, found)
        check = self._tools.check(live.record, runnable)
        limits = runnable.service.run.limits
        try:
            # One that an agent decided to stop before it died itself is stopped now.
            fall = condemned_run(self._tools.unit, live.record.run) or await watch(
                live, check, limits, self._tools.clock, lambda: self._on_run(live.record, True)
            )
            if fall is not None:
                await self._end_as_fault(live, fall)
            await live.ended()
        finally:
            live.close()
        self._on_run(None, False)

    async def _end_as_fault(self, live: LiveRun, fall: Condemned) -> None:
        unit = self._tools.unit
        _log.warning("service stopped as a fault", service=unit.key, run=fall.run, problem=fall.problem)
        await unbroken(condemn, unit, fall)
        await end(live, FAULT_SIGNAL)

    async def _wait_before_start(self, version: ClientVersion, service: Service, *, hurried: bool) -> None:
        """Wait as long as the last end of this version demands, which may be for ever; one who is asked to does not."""
        seconds = await self._delay(version, service)
        if hurried:
            return
        if seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(seconds)

    async def _delay(self, version: ClientVersion, service: Service) -> float | None:
        last = self._tools.runs.last()
        if last is None or last.version != version or last.boot != processes.boot_id():
            return 0.0
        if last.ended is not None and last.ended.stopped:
            return 0.0
        return await self._after_end(last, service)

    async def _after_end(self, last: RunRecord, service: Service) -> float | None:
        """Count an end that nobody asked for, unless that was done before an interruption."""
        occurred = self._tools.clock.now() if last.ended is None else last.ended.at
        fall = condemned_run(self._tools.unit, last.run)
        clean = fall is None and last.ended is not None and last.ended.status == 0
        record = await self._change(lambda record: record)
        again = record.counted == last.run
        verdict = restarts.after_end(
            service.run.restart,
            failures=record.failures - again,
            uptime_seconds=0.0 if again else (occurred - last.started).total_seconds(),
            clean=clean,
            rng=self._rng,
        )
        if not again:
            if verdict.is_fault:
                await self._tools.report(Fault.of(last, occurred, fall))
            said = describe_end(last.ended) if fall is None else f"stopped as a fault: {fall.problem}"
            await self._change(
                lambda record: plan.counting(record, last.run, failures=verdict.failures, last_exit=said)
            )
        return verdict.delay_seconds

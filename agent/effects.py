"""Does what ``plan`` says, a method for each step. Each can be done twice, and ends well or raises the reason."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog

from agent import commands, processes, settings, slots
from agent.errors import ProbationFailedError, RestartedError, ShimError, StartFailedError, UnwantedError
from agent.faults import Fault, FaultDesk, describe_end
from agent.health import Check
from agent.home import Unit
from agent.install import Installer
from agent.plan import Record, Slot, Step, with_hook
from agent.probation import Probation
from agent.queueing import Queue
from agent.runrecord import RunRecord
from agent.runs import LiveRun, Order, Runs, attached
from agent.settings import Place, Runnable
from agent.threads import unbroken
from agent.watch import first, over_bounds
from federation.clock import Clock
from federation.errors import LocalError, VUpdateError
from federation.fault import Reason
from federation.service import Command
from federation.versions import ClientVersion

Effect = Callable[[Record], Awaitable[Record]]

Change = Callable[[Callable[[Record], Record]], Awaitable[Record]]
"""Changes the journal's record by a pure function and returns the new one."""

_log: Final = structlog.get_logger("agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the effects and the keeper of one unit work with."""

    unit: Unit
    place: Place
    clock: Clock
    installer: Installer
    desk: FaultDesk
    runs: Runs
    queue: Queue

    async def runnable(self, version: ClientVersion) -> Runnable:
        """How to run an installed version."""
        return await unbroken(settings.load, self.unit.version(version), self.unit, version, self.place)

    async def start(self, version: ClientVersion, run: str) -> LiveRun:
        """Start ``version`` as the run ``run``."""
        runnable = await self.runnable(version)
        order = Order(
            run=run,
            version=version,
            argv=runnable.service.run.command,
            env=runnable.env,
            cwd=self.unit.version(version),
            settings=runnable.service.run,
        )
        return await self.runs.start(order)

    def check(self, run: RunRecord, runnable: Runnable) -> Check:
        """The health check of ``run``."""
        return Check(
            runnable.service.run.health,
            cwd=self.unit.version(run.version),
            env=runnable.env,
            logs=self.unit.logs / run.run,
        )

    async def report(self, fault: Fault) -> None:
        """Make the fault report; where that fails the update goes on as if it had not."""
        try:
            wanted = (await self.runnable(fault.run.version)).service.run.faults
            report = await unbroken(self.desk.report, self.unit, fault, wanted.keep, wanted.files)
        except (VUpdateError, OSError) as error:
            _log.warning("fault report lost", service=self.unit.key, run=fault.run.run, error=str(error))
        else:
            if report is not None:
                _log.warning("fault", service=self.unit.key, version=report.version, message=report.message)


def _target(record: Record) -> Slot:
    if record.target is None:
        raise LocalError(f"the journal names no version for step {record.step.value}")
    return record.target


class Effects:
    """The effects on one unit."""

    def __init__(self, tools: Tools, change: Change, is_unwanted: Callable[[], bool]) -> None:
        """``is_unwanted``: whether the update under way is to be left before it changes anything."""
        self._tools = tools
        self._is_unwanted = is_unwanted
        self._change = change
        self._unit = tools.unit
        self.by_step: Mapping[Step, Effect] = {
            Step.DOWNLOAD: self._download,
            Step.STAGE: self._stage,
            Step.BEFORE_STOP: self._before_stop,
            Step.STOP: self._stop,
            Step.SWITCH: self._switch,
            Step.AFTER_SWITCH: self._after_switch,
            Step.START: self._start,
            Step.PROBATION: self._probation,
            Step.COMMIT: self._clean,
            Step.BACK_STOP: self._stop,
            Step.BACK_SWITCH: self._switch_back,
            Step.BACK_CLEAN: self._clean,
            Step.LEAVE_STOP: self._stop,
            Step.LEAVE_CLEAN: self._switch_back_and_clean,
        }

    async def _download(self, record: Record) -> Record:
        moved = await self._tools.installer.download(self._unit, _target(record), record.committed)
        return replace(record, moved=moved)

    async def _stage(self, record: Record) -> Record:
        moved = await self._tools.installer.stage(self._unit, _target(record), record.committed, record.moved)
        return replace(record, moved=moved)

    async def _before_stop(self, record: Record) -> Record:
        runnable = await self._tools.runnable(_target(record).version)
        after = runnable.service.run.after
        await self._tools.queue.turn(self._unit.key, after, is_unwanted=self._is_unwanted)
        if self._is_unwanted():
            raise UnwantedError(f"{_target(record).version} is no longer wanted")
        for command in runnable.service.install.before_stop:
            await self._run_command(record, runnable, command)
        return record

    async def _after_switch(self, record: Record) -> Record:
        runnable = await self._tools.runnable(_target(record).version)
        for command in runnable.service.install.after_switch:
            # Durable before it begins: whatever happens to the update, an operator can see what touched the data.
            await self._change(partial(with_hook, command=commands.shown(command)))
            await self._run_command(record, runnable, command)
        return record

    async def _run_command(self, record: Record, runnable: Runnable, command: Command) -> None:
        await commands.run_command(command, cwd=self._unit.version(_target(record).version), env=runnable.base_env)

    async def _stop(self, record: Record) -> Record:
        await self._tools.runs.stop()
        return record

    async def _switch(self, record: Record) -> Record:
        await unbroken(slots.switch, self._unit, _target(record).version)
        return record

    async def _switch_back(self, record: Record) -> Record:
        version = None if record.committed is None else record.committed.version
        await unbroken(slots.switch, self._unit, version)
        return record

    async def _clean(self, record: Record) -> Record:
        kept = [slot.version for slot in (record.committed, record.previous) if slot is not None]
        await unbroken(slots.clean, self._unit, kept)
        return record

    async def _switch_back_and_clean(self, record: Record) -> Record:
        return await self._clean(await self._switch_back(record))

    # The new version's first run

    async def _start(self, record: Record) -> Record:
        last = self._tools.runs.last()
        if last is None or last.run != record.run:
            try:
                (await self._tools.start(_target(record).version, record.run)).close()
            except StartFailedError:
                await self._report_last(record)
                raise
        elif last.ended is not None and last.ended.error:
            await self._report_last(record)
            raise StartFailedError(f"{last.version} can't be started: {last.ended.error}")
        return record

    async def _probation(self, record: Record) -> Record:
        runnable = await self._tools.runnable(_target(record).version)
        async with attached(self._tools.runs) as live:
            if live is None:
                raise await self._found_dead(record)
            if live.record.run != record.run:
                raise ShimError(f"{self._unit.key} runs {live.record.version} during the probation of another version")
            limits = runnable.service.run.limits
            problem, over = await first(self._prove(live, runnable), over_bounds(live, limits, self._tools.clock))
            if live.is_over:
                raise await self._fallen(record, await live.ended())
        if problem:
            last = live.record
            await self._report(record, last, problem, "over-limit" if over else "unhealthy")
            said = problem if over else f"was not healthy in time: {problem}"
            raise ProbationFailedError(f"{last.version} {said}")
        return record

    async def _prove(self, live: LiveRun, runnable: Runnable) -> str:
        """Watch until it is decided: what is wrong in the end, or nothing."""
        clock, checks = self._tools.clock, runnable.service.run.health
        check = self._tools.check(live.record, runnable)
        probation = Probation(health=checks, begun=clock.monotonic())
        while True:
            problem = await check.problem()
            now = clock.monotonic()
            probation = probation.seen(now, problem)
            if live.is_over or probation.has_passed(now):
                return ""
            if probation.is_over(now):
                return probation.problem or f"healthy for less than {checks.healthy_for_seconds:g} s"
            await live.ended_within(probation.next_check(now))

    async def _found_dead(self, record: Record) -> VUpdateError:
        """What it means that the run on probation is no more."""
        last = self._tools.runs.last()
        if last is None or last.run != record.run or last.boot != processes.boot_id():
            return RestartedError(f"{_target(record).version} was interrupted on probation")
        return await self._fallen(record, last)

    async def _fallen(self, record: Record, last: RunRecord) -> ProbationFailedError:
        await self._report(record, last, "")
        return ProbationFailedError(f"{last.version} ended on probation: {describe_end(last.ended)}")

    async def _report_last(self, record: Record) -> None:
        last = self._tools.runs.last()
        if last is not None and last.run == record.run:
            await self._report(record, last, "")

    async def _report(self, record: Record, last: RunRecord, problem: str, reason: Reason = "unhealthy") -> None:
        occurred = self._tools.clock.now() if last.ended is None else last.ended.at
        put_back = None if record.committed is None else record.committed.version
        fault = Fault(run=last, occurred=occurred, in_probation=True, put_back=put_back, problem=problem, reason=reason)
        await self._tools.report(fault)

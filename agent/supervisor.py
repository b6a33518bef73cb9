"""Looks after one service: carries its record from step to step, and keeps the committed version running meanwhile.

All decisions are in ``plan``, all doing in ``effects`` and ``keeper``; here is only the order of things: the journal
first, then the effect.
"""

import asyncio
import random
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from agent import plan, slots
from agent.effects import Effects, Tools
from agent.journal import Journal
from agent.keeper import Keeper
from agent.plan import Outcome, Record, Slot, Step
from agent.runrecord import RunRecord
from agent.runs import attached
from agent.states import describe
from agent.threads import unbroken
from agent.wishes import NO_WISH, Wish, keep_wish, read_wish
from federation.backoff import Backoff
from federation.errors import ConflictError, LocalError, VUpdateError
from federation.state import Moved, ServiceState
from federation.versions import ClientVersion

_FIRST_RETRY_SECONDS: Final = 1.0
_MOST_RETRY_SECONDS: Final = 300.0
_LEAST_RETRY_SHARE: Final = 0.5
_MOST_TROUBLES: Final = 64
_RUN_LETTERS: Final = 8

_log: Final = structlog.get_logger("agent")


def _new_run(record: Record) -> str:
    """An id that no other run has, and that sorts after those of the earlier runs."""
    return plan.run_name(record, secrets.token_hex(_RUN_LETTERS))


class Supervisor:
    """Looks after one unit until it is neither ordered nor installed."""

    def __init__(self, tools: Tools, journal: Journal, *, on_change: Callable[[], None], rng: random.Random) -> None:
        self._tools = tools
        self._journal = journal
        self._on_change = on_change
        self._rng = rng
        self._effects = Effects(tools, self._change, self._is_unwanted).by_step
        self._keeper = Keeper(tools, self._change, on_run=self._on_run, new_run=_new_run, rng=rng)
        self._record = Record()
        self._is_read = False
        self._writing = asyncio.Lock()
        self._ordered: Slot | None = None
        self._is_ordered = False
        self._woken = asyncio.Event()
        self._run: RunRecord | None = None
        self._ready = True
        self._kept: tuple[ClientVersion, asyncio.Task[None]] | None = None
        self._troubles = 0
        self._hold = False
        self._wish = NO_WISH
        self._restart_asked = False
        self._repair_asked: asyncio.Future[None] | None = None
        self._is_obeyed = True
        self._hurried = False
        self._seen = asyncio.Event()
        self.failure = ""

    def order(self, slot: Slot | None) -> None:
        """Say what should run; ``None``: nothing. Until this is said, what is committed stays."""
        if not self._is_ordered or slot != self._ordered:
            self._ordered, self._is_ordered = slot, True
            self._begin_anew()

    def _begin_anew(self) -> None:
        """Go on at once with what is wanted now."""
        self._troubles, self._hold = 0, False
        self._woken.set()
        self._changed()

    async def wish(self, change: Callable[[Wish], Wish]) -> None:
        """Change what an operator wants, durably, and act on it."""
        async with self._writing:
            wish = change(await unbroken(read_wish, self._tools.unit))
            await unbroken(keep_wish, self._tools.unit, wish)
            self._hurried = self._wish.halted and not wish.halted
            self._wish = wish
            self._is_obeyed = not wish.halted
        self._begin_anew()

    def restart(self) -> None:
        """Stop what runs as planned and start it again.

        Raises:
            ConflictError: it does not run, or is being updated.
        """
        if self._wish.halted or self._record.committed is None or self._record.step is not Step.REST:
            raise ConflictError(f"{self._tools.unit.key} is stopped or being updated: there is nothing to start again")
        self._restart_asked, self._is_obeyed = True, False
        self._begin_anew()

    async def repair(self) -> None:
        """Install the version that runs once more, whole and as signed, and start it again. Returns once it is done.

        It is fetched while the service runs. What the service wrote into the version's own folder is lost.

        Raises:
            ConflictError: it is not installed, or is being updated.
            UnreachableError, TamperedError, DiskFullError, CorruptError: as an update.
        """
        if self._record.committed is None or self._record.step is not Step.REST:
            raise ConflictError(
                f"{self._tools.unit.key} is not installed, or is being updated: nothing can be repaired"
            )
        if self._repair_asked is not None:
            raise ConflictError(f"{self._tools.unit.key} is being repaired already")
        asked = self._repair_asked = asyncio.get_running_loop().create_future()
        self._begin_anew()
        await asked

    async def retry(self) -> None:
        """Let a version that failed be tried again, and what waits after trouble be tried at once."""
        await self._change(plan.forgiven)
        self._begin_anew()

    async def until(self, predicate: Callable[[ServiceState], bool]) -> ServiceState:
        """Wait until ``predicate`` holds of the state."""
        while True:
            self._seen.clear()
            if predicate(self.state):
                return self.state
            await self._seen.wait()

    @property
    def is_obeyed(self) -> bool:
        """Whether nothing is left to do for what an operator asked for last."""
        return self._is_obeyed

    def _changed(self) -> None:
        self._seen.set()
        self._on_change()

    @property
    def state(self) -> ServiceState:
        """What is true now."""
        running = self._run
        state = describe(
            self._tools.unit.key,
            self._record,
            ordered=self._ordered,
            running=None if running is None else running.version,
            run_since=None if running is None else running.started,
            ready=self._ready,
            wish=self._wish,
        )
        if self.failure:
            return replace(state, error=self.failure)
        if others := self._tools.queue.waits_for(self._tools.unit.key):
            return replace(state, error=f"waits for {', '.join(others)}, which it runs after")
        return state

    async def run(self) -> None:
        """Carry on where the journal says, for as long as there is something to look after."""
        self._record = plan.numbered_from(await unbroken(self._journal.read), self._tools.runs.last_number())
        self._wish = await unbroken(read_wish, self._tools.unit)
        self._is_read = True
        await self._recover()
        async with asyncio.TaskGroup() as group:
            try:
                while not self.is_gone:
                    await self._tend(group)
                    await self._step()
            finally:
                await self._leave_alone()
        await unbroken(self._journal.remove)
        await unbroken(keep_wish, self._tools.unit, NO_WISH)
        self._changed()

    @property
    def is_gone(self) -> bool:
        """Whether nothing is ordered and nothing is left."""
        at_rest = self._record.step is Step.REST and self._record.committed is None
        return self._is_read and at_rest and self._is_ordered and self._ordered is None

    async def _recover(self) -> None:
        """See what runs, and kill what a dead agent or shim left: commands of a switch, parts of a service."""
        if self._record.committed is not None:
            await unbroken(slots.restore, self._tools.unit, self._record.committed.version)
        async with attached(self._tools.runs) as live:
            await self._tools.runs.clear(live)
            self._on_run(None if live is None else live.record, True)

    def _on_run(self, run: RunRecord | None, ready: bool) -> None:
        self._run, self._ready = run, ready
        self._changed()

    # The record

    async def _change(self, change: Callable[[Record], Record]) -> Record:
        """Change the record; durable when this returns."""
        async with self._writing:
            record = change(self._record)
            if record != self._record:
                await unbroken(self._write, record)
                self._changed()
            return record

    def _write(self, record: Record) -> None:
        self._journal.write(record)
        self._record = record
        self.failure = ""

    # The committed version

    async def _tend(self, group: asyncio.TaskGroup) -> None:
        """Let the keeper keep what should run at this step, and nothing else."""
        committed = self._record.committed
        runs = self._record.step in plan.OLD_RUNS and not self._wish.halted
        wanted = committed.version if committed is not None and runs else None
        if self._kept is not None and self._kept[0] == wanted:
            return
        await self._leave_alone()
        if wanted is not None:
            hurried, self._hurried = self._hurried, False
            work = self._keeper.keep(wanted, at_once=hurried)
            self._kept = (wanted, group.create_task(work, name=f"keep {self._tools.unit.key}"))

    async def _leave_alone(self) -> None:
        """End the keeper; the service goes on."""
        if self._kept is not None:
            task, self._kept = self._kept[1], None
            task.cancel()
            await asyncio.wait([task])

    # The steps

    def _is_unwanted(self) -> bool:
        """Whether the update under way has changed nothing yet, and is not to."""
        is_obsolete = self._is_ordered and plan.is_obsolete(self._record, self._ordered)
        return is_obsolete or plan.is_kept_off(self._record, self._wish)

    async def _step(self) -> None:
        if self._record.step is Step.REST:
            await self._rest()
        elif self._is_unwanted():
            await self._change(lambda record: plan.abandon(record, self._tools.clock.now()))
        else:
            await self._do()

    async def _rest(self) -> None:
        if self._hold:
            self._hold = False
            await self._pause()
            return
        self._woken.clear()
        if await self._obey():
            return
        now = self._tools.clock.now()
        may_begin = self._is_ordered and plan.may_begin(self._record, self._ordered, self._wish)
        if not may_begin or plan.begin(self._record, self._ordered, now) is None:
            await self._woken.wait()
            return
        await self._change(lambda record: plan.begin(record, self._ordered, now) or record)

    async def _obey(self) -> bool:
        """Stop what an operator wants stopped, and repair what is to be; whether it is to be started again."""
        if self._repair_asked is not None:
            await self._mend(self._repair_asked)
            self._repair_asked = None
            return True
        again = self._restart_asked
        if again or self._wish.halted:
            await self._stop_now()
            self._restart_asked, self._hurried, self._is_obeyed = False, again, True
        return again

    async def _stop_now(self) -> None:
        # Whether something runs is asked anew: the keeper may have been starting it when the order came.
        await self._leave_alone()
        await self._tools.runs.stop()
        self._on_run(None, False)

    async def _mend(self, asked: asyncio.Future[None]) -> None:
        """Install the committed version anew; ``asked`` hears how that ended."""
        slot, unit, installer = self._record.committed, self._tools.unit, self._tools.installer
        try:
            if slot is None:
                raise ConflictError(f"{unit.key} is not installed")
            await installer.download(unit, slot, None)
            await self._stop_now()
            self._hurried = True
            await installer.stage(unit, slot, None, None)
        except (VUpdateError, OSError) as error:
            _log.warning("not repaired", service=unit.key, error=str(error))
            if not asked.done():
                asked.set_exception(error if isinstance(error, VUpdateError) else LocalError(str(error)))
        else:
            if not asked.done():
                asked.set_result(None)

    async def _do(self) -> None:
        before = self._record
        try:
            done = await self._effects[before.step](before)
        except (VUpdateError, OSError) as error:
            self._look(before.step)
            await self._failed(before, error)
        else:
            self._look(before.step)
            await self._advance(Outcome.DONE, "", done.moved)

    def _look(self, step: Step) -> None:
        """See what runs after a step that may have stopped or started something; else the keeper says it."""
        if step in plan.OLD_RUNS:
            return
        last = self._tools.runs.last()
        self._run = last if last is not None and last.alive else None

    async def _failed(self, before: Record, error: VUpdateError | OSError) -> None:
        outcome = plan.outcome_of(error) if isinstance(error, VUpdateError) else Outcome.TROUBLE
        key, version = self._tools.unit.key, before.target.version if before.target else None
        _log.warning("step failed", service=key, version=version, step=before.step.value, error=str(error))
        record = await self._advance(outcome, str(error), before.moved)
        if outcome in (Outcome.TROUBLE, Outcome.LATER):
            self._troubles = min(self._troubles + 1, _MOST_TROUBLES)
            self._hold = outcome is Outcome.TROUBLE and record.step is not before.step
            if record.step is before.step:
                await self._pause()

    async def _advance(self, outcome: Outcome, error: str, moved: Moved | None) -> Record:
        now = self._tools.clock.now()

        def following(record: Record) -> Record:
            after = plan.after(plan.with_moved(record, moved), outcome, error, now)
            return plan.starting(after, _new_run(after)) if after.step is Step.START != record.step else after

        record = await self._change(following)
        if record.step is Step.COMMIT:
            self._troubles = 0
        return record

    async def _pause(self) -> None:
        """Wait before the next attempt, less and less often; a new order ends the wait."""
        seconds = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS, self._rng).ceiling(self._troubles - 1)
        try:
            async with asyncio.timeout(seconds * self._rng.uniform(_LEAST_RETRY_SHARE, 1.0)):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

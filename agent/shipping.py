"""Brings to the node what waits on disk: fault reports, log lines and how runs went, for as long as it takes.

What can't be delivered now is tried again with back-off; what the node refuses for good is set aside, so that one bad
report can't hold up the others.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

import structlog

from agent import logs
from agent.history import RunsMark, history_of, runs_mark
from agent.home import Unit
from agent.logs import Position
from agent.records import Line, to_records
from agent.spool import Sent, Spool
from agent.threads import unbroken
from federation.backoff import Backoff
from federation.clock import Clock
from federation.errors import (
    AbsentError,
    ConflictError,
    InvalidValueError,
    OversizedError,
    UnreachableError,
    VUpdateError,
)
from federation.link.answers import PeerError
from federation.log import LogBatch, LogRecord
from federation.names import ServiceKey
from federation.run import RunHistory

LOOK_SECONDS: Final = 1.0
_FIRST_RETRY_SECONDS: Final = 1.0
_MOST_RETRY_SECONDS: Final = 60.0
_BATCH_BYTES: Final = 256 * 1024
_TRACE_TIME: Final = timedelta(seconds=1)
_FINAL_CODES: Final = frozenset({InvalidValueError.code, OversizedError.code})
"""The node's reasons for which it would refuse the same thing for ever."""

_log: Final = structlog.get_logger("agent")


class Receiver(Protocol):
    """The node, as far as it takes things."""

    async def send_logs(self, batch: LogBatch) -> int: ...

    async def send_fault(self, report: bytes) -> str: ...

    async def send_fault_files(self, identity: str, archive: bytes) -> None: ...

    async def send_runs(self, history: RunHistory) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The next batch of one unit."""

    key: ServiceKey
    start: Position
    end: Position
    records: tuple[LogRecord, ...]


def _is_final(error: VUpdateError) -> bool:
    if isinstance(error, PeerError):
        return error.remote_code in _FINAL_CODES
    return isinstance(error, ConflictError | OversizedError)


class Shipper:
    """Ships for all units of one agent."""

    def __init__(self, spool: Spool, receiver: Receiver, rng: random.Random, clock: Clock) -> None:
        self._spool = spool
        self._receiver = receiver
        self._rng = rng
        self._clock = clock
        self._sent: dict[ServiceKey, Sent] = {}
        self._told: dict[ServiceKey, RunsMark] = {}
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """A fault report may wait that should not wait for the next look."""
        self._hurried.set()

    async def ship_faults(self) -> None:
        """Deliver fault reports as they come; never returns."""

        async def one_round() -> None:
            self._hurried.clear()
            for identity in await unbroken(self._spool.waiting):
                await self._ship_fault(identity)
            await self._wait_for_fault()

        await self._for_ever(one_round)

    async def _ship_fault(self, identity: str) -> None:
        report = await unbroken(self._spool.report, identity)
        if report is not None:
            try:
                await self._receiver.send_fault(report)
                await self._ship_files(identity)
            except VUpdateError as error:
                if not _is_final(error):
                    raise
                _log.error("fault report refused by the node", id=identity, error=str(error))
            await unbroken(self._spool.taken, identity)
            await unbroken(self._tell_of_dropped)

    async def _ship_files(self, identity: str) -> None:
        archive = await unbroken(self._spool.files, identity)
        if archive is None:
            return
        try:
            await self._receiver.send_fault_files(identity, archive)
        except AbsentError as error:
            # A node that takes no files, or has dropped the report meanwhile: they stay on this host.
            _log.warning("files of a fault not taken by the node", id=identity, error=str(error))

    def _tell_of_dropped(self) -> None:
        """Say once the node is back what found no room while it was away."""
        dropped = self._spool.gave_way()
        if dropped.reports:
            _log.error(
                "fault reports found no room while the node was away", reports=dropped.reports, bytes=dropped.bytes
            )
            self._spool.told()

    async def _wait_for_fault(self) -> None:
        try:
            async with asyncio.timeout(_MOST_RETRY_SECONDS):
                await self._hurried.wait()
        except TimeoutError:
            return

    async def ship_logs(self, units: Callable[[], Iterable[Unit]]) -> None:
        """Deliver what the services of ``units`` write, within about a second; never returns."""

        async def one_round() -> None:
            while await self.ship_next(list(units())):
                pass
            await asyncio.sleep(LOOK_SECONDS)

        await self._for_ever(one_round)

    async def ship_next(self, units: list[Unit]) -> bool:
        """Deliver the next batch of each of ``units`` that has one; whether any had."""
        found = await unbroken(self._look, units)
        for batch in found:
            await self._ship_batch(batch)
        return bool(found)

    def _look(self, units: list[Unit]) -> list[_Found]:
        """One look at the files of all units, in one go: it is done each second."""
        found = (self._next_batch(unit) for unit in units)
        return [batch for batch in found if batch.start != batch.end]

    async def ship_runs(self, units: Callable[[], Iterable[Unit]]) -> None:
        """Tell of runs as they begin and end, within about a second; never returns."""

        async def one_round() -> None:
            await self.tell_runs(list(units()))
            await asyncio.sleep(LOOK_SECONDS)

        await self._for_ever(one_round)

    async def tell_runs(self, units: list[Unit]) -> None:
        """Tell the node of the runs of ``units``, where they are not as it was last told."""
        for unit in units:
            mark = await unbroken(runs_mark, unit)
            if self._told.get(unit.key) == mark:
                continue
            try:
                await self._receiver.send_runs(await unbroken(history_of, unit))
            except AbsentError:
                pass  # a node that does not keep runs yet
            except VUpdateError as error:
                if not _is_final(error):
                    raise
                _log.error("history of runs refused by the node", service=unit.key, error=str(error))
            self._told[unit.key] = mark

    def _next_batch(self, unit: Unit) -> _Found:
        """The batch that was on its way, or else the next one."""
        if unit.key not in self._sent:
            self._sent[unit.key] = self._spool.sent(unit.key)
        sent = self._sent[unit.key]
        if sent.until is not None:
            start, end = sent.taken, sent.until
            lines = logs.read_between(unit.logs, start, end)
        else:
            lines, start, end = logs.read_on(unit.logs, sent.taken, _BATCH_BYTES, waits=self._waits)
        records = to_records(lines, start.sequence, form=logs.form_of(unit.logs / end.run)) if lines else ()
        return _Found(key=unit.key, start=start, end=end, records=records)

    def _waits(self, first: Line) -> bool:
        """Whether the rest of a trace that began with ``first`` may be under way; a clock put back waits for none."""
        return timedelta(0) <= self._clock.now() - first.time < _TRACE_TIME

    async def _ship_batch(self, found: _Found) -> None:
        on_its_way = Sent(taken=found.start, until=found.end)
        if self._sent[found.key] != on_its_way:
            await self._note(found.key, on_its_way)
        if found.records:
            await self._send(found)
        after = replace(found.end, sequence=found.start.sequence + len(found.records))
        await self._note(found.key, Sent(taken=after))

    async def _send(self, found: _Found) -> None:
        try:
            await self._receiver.send_logs(LogBatch(service=found.key, run=found.end.run, records=found.records))
        except VUpdateError as error:
            if not _is_final(error):
                raise
            _log.error("log batch refused by the node", service=found.key, run=found.end.run, error=str(error))

    async def _note(self, key: ServiceKey, sent: Sent) -> None:
        await unbroken(self._spool.note, key, sent)
        self._sent[key] = sent

    async def _for_ever(self, one_round: Callable[[], Awaitable[None]]) -> None:
        attempt = 0
        backoff = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS, self._rng)
        while True:
            try:
                await one_round()
            except UnreachableError:
                # The link says that the node is away; nothing is lost.
                pass
            except (VUpdateError, OSError) as error:
                _log.warning("delivery to the node failed", error=str(error))
            else:
                attempt = 0
                continue
            await asyncio.sleep(backoff.delay(attempt))
            attempt += 1

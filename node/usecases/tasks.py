"""Runs work longer than a request: queues it per service, keeps its log, cancels it, ends it after a restart."""

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakValueDictionary

import structlog

from federation import limits
from federation.clock import Clock
from federation.errors import ConflictError, VUpdateError
from federation.log import Level, LogRecord
from federation.names import ServiceName
from node.model.task import Asked, Task, TaskKind, TaskState
from node.storage.logs import LogQuery, LogStore, StreamKey
from node.storage.port import Order, Where
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic

INDEXES: Final = ("state", "created", "service", "resumed_from")
_LOG_LINES_MOST: Final = 100_000
_LOG_FLUSH_SECONDS: Final = 0.1
_QUEUED_MOST: Final = 1000
_log = structlog.get_logger(__name__)


class TaskLog:
    """Takes a task's lines from any thread; they are kept in batches, in order, up to a bound."""

    def __init__(self, task_id: str, store: LogStore, hub: ChangeHub, clock: Clock) -> None:
        self._stream = StreamKey(task=task_id)
        self._store = store
        self._hub = hub
        self._clock = clock
        self._waiting: deque[LogRecord] = deque()
        self._count = 0

    @property
    def task(self) -> str:
        """The id of the task."""
        return str(self._stream.task)

    def __call__(self, line: str, level: Level = Level.INFO) -> None:
        """Add one line."""
        self._count += 1
        if self._count > _LOG_LINES_MOST:
            return
        if self._count == _LOG_LINES_MOST:
            line, level = "the log is full: further lines are not kept", Level.WARNING
        message = line[: limits.LOG_MESSAGE_CHARS]
        self._waiting.append(LogRecord(sequence=self._count, time=self._clock.now(), level=level, message=message))

    async def flush(self) -> None:
        """Keep what waits."""
        batch: list[LogRecord] = []
        while self._waiting and len(batch) < 1000:
            batch.append(self._waiting.popleft())
        if batch:
            try:
                await self._store.append(self._stream, batch)
            except VUpdateError as error:
                _log.error("task log was not kept", task=self._stream.task, lines=len(batch), error=error.message)
            self._hub.publish(Topic.LOGS, f"task/{self._stream.task}")

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep lines while the block runs, and the last ones after it."""
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._flush_until(ended))
            try:
                yield
            finally:
                ended.set()

    async def _flush_until(self, ended: asyncio.Event) -> None:
        """Flush at a steady pace; never cancelled in the middle of a batch, which would lose it."""
        while True:
            last = ended.is_set()
            while self._waiting:
                await self.flush()
            if last:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOG_FLUSH_SECONDS):
                    await ended.wait()


Work = Callable[[TaskLog], Awaitable[str]]
"""What a task does: writes to the log and returns its result in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work to start as a task. ``asked``, ``resumed_from``: see ``Task``."""

    kind: TaskKind
    title: str
    work: Work
    service: ServiceName | None = None
    subject: str = ""
    asked: Asked | None = None
    resumed_from: str = ""


class Tasks:
    """The tasks of this node. Tasks of one service run one after the other; a bounded number runs side by side."""

    def __init__(
        self,
        *,
        kept: Repository[Task],
        logs: LogStore,
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
        side_by_side: int,
    ) -> None:
        self._kept = kept
        self._logs = logs
        self._hub = hub
        self._audit = audit
        self._clock = clock
        self._side_by_side = side_by_side
        self._places = asyncio.Semaphore(side_by_side)
        # One turn for each service, or for each subject of work that is about no service, e.g. a provider.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._running: dict[str, asyncio.Task[None]] = {}
        # What has not ended yet, in the order in which it was begun, as it stands; and what work says it waits for.
        self._present: dict[str, Task] = {}
        self._waits: dict[str, str] = {}
        self._group: asyncio.TaskGroup | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Accept tasks while the block runs; those left at its end are interrupted."""
        await self._end_left_over()
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                for running in self._running.values():
                    running.cancel()

    async def start(self, job: Job, *, who: str) -> Task:
        """Queue ``job`` and return its task.

        Raises:
            ConflictError: too much is queued.
        """
        if self._group is None or len(self._running) >= _QUEUED_MOST:
            raise ConflictError("too many tasks wait already, or the node is stopping: try again later")
        task = Task(
            id=uuid.uuid4().hex,
            kind=job.kind,
            title=job.title,
            who=who,
            created=self._clock.now(),
            service=job.service,
            subject=job.subject,
            asked=job.asked,
            resumed_from=job.resumed_from,
        )
        await self._kept.add(task)
        self._present[task.id] = task
        self._running[task.id] = self._group.create_task(self._run(task, job.work))
        self._hub.publish(Topic.TASKS, task.id)
        return task

    def waits_for(self, task: Task) -> str:
        """Why ``task``, which has not ended, is not (further) at work, in a sentence; empty: it is."""
        if told := self._waits.get(task.id, ""):
            return told
        if task.state is not TaskState.QUEUED:
            return ""
        others = [one for one in self._present.values() if one.state is TaskState.RUNNING]
        for one in others:
            if _turn(one) == _turn(task):
                return f"waits for {one.title!r} (task {one.id}): what is about one service runs one after the other"
        if len(others) >= self._side_by_side:
            return f"waits for its place: {len(others)} tasks run side by side, as many as 'services_side_by_side' says"
        ahead = [one for one in self._present.values() if one.created < task.created and _turn(one) == _turn(task)]
        return f"waits for {ahead[0].title!r} (task {ahead[0].id}), which is queued before it" if ahead else ""

    def tell_wait(self, task_id: str, why: str) -> None:
        """Say what the work of a task waits for; empty: for nothing any more."""
        if why != self._waits.get(task_id, ""):
            self._waits[task_id] = why
            self._hub.publish(Topic.TASKS, task_id)

    async def get(self, task_id: str) -> Task:
        """One task.

        Raises:
            AbsentError: there is none with this id.
        """
        return await self._kept.require(task_id)

    async def find(self, first: int) -> list[Task]:
        """The newest ``first`` tasks, newest first."""
        return await self._kept.find(order=(Order("created", descending=True),), limit=first)

    def has(self, kind: TaskKind, service: ServiceName) -> bool:
        """Whether a task of ``kind`` about ``service`` is queued or runs."""
        return any((one.kind, one.service) == (kind, service) for one in self._present.values())

    async def again(self, task_id: str) -> list[Task]:
        """The tasks that do again what this one did."""
        return await self._kept.find(Where("resumed_from", "==", task_id))

    async def log(self, task_id: str, after: int, first: int) -> list[LogRecord]:
        """Up to ``first`` records of a task's log with sequence numbers above ``after``."""
        query = LogQuery(task=task_id, after_sequence=after, limit=first)
        return [found.record for found in await self._logs.search(query)]

    async def cancel(self, task_id: str, *, who: str) -> Task:
        """Stop a task and all its processes; one that has ended stays as it is."""
        task = await self.get(task_id)
        running = self._running.get(task_id)
        if running is None:
            return task
        await self._audit.record(who, "cancel-task", f"{task.title} ({task_id})")
        running.cancel(_CANCELLED_BY_USER)
        await asyncio.wait([running], timeout=30)
        if running.cancelled() and task_id in self._present:
            # It had not begun to run, so nothing of it could note its end.
            await self._end(self._present[task_id], TaskState.CANCELLED)
        return await self.get(task_id)

    async def wait(self, task_id: str) -> Task:
        """The task once it has ended."""
        running = self._running.get(task_id)
        if running is not None:
            await asyncio.wait([running])
        return await self.get(task_id)

    async def _run(self, task: Task, work: Work) -> None:
        current = task
        try:
            turn = self._turns.setdefault(_turn(task), asyncio.Lock())
            async with turn, self._places:
                current = replace(task, state=TaskState.RUNNING, started=self._clock.now())
                self._present[task.id] = current
                await self._put_if_possible(current)
                current = await self._outcome(current, work)
        except asyncio.CancelledError as error:
            state = TaskState.CANCELLED if _CANCELLED_BY_USER in error.args else TaskState.INTERRUPTED
            current = replace(current, state=state, error=f"{state.value} before it was done")
            if state is TaskState.INTERRUPTED:
                raise
        finally:
            await self._forget(current)

    async def _end(self, task: Task, state: TaskState) -> None:
        await self._forget(replace(task, state=state, error=f"{state.value} before it was done"))

    async def _forget(self, task: Task) -> None:
        self._running.pop(task.id, None)
        self._present.pop(task.id, None)
        self._waits.pop(task.id, None)
        await self._put_if_possible(replace(task, ended=self._clock.now()))

    async def _outcome(self, task: Task, work: Work) -> Task:
        log = TaskLog(task.id, self._logs, self._hub, self._clock)
        async with log.kept():
            try:
                result = await work(log)
            except VUpdateError as error:
                log(error.message, Level.ERROR)
                return replace(task, state=TaskState.FAILED, error=error.message)
            except Exception:  # noqa: BLE001  the top of a task: keep what happened, and end only this task
                _log.exception("task failed unexpectedly", task=task.id, title=task.title)
                message = f"something went wrong inside the node; its log has more under task {task.id}"
                log(message, Level.ERROR)
                return replace(task, state=TaskState.FAILED, error=message)
        return replace(task, state=TaskState.SUCCEEDED, result=result)

    async def _put_if_possible(self, task: Task) -> None:
        """A full disk must not end the node: what was not kept is shown as interrupted after the next start."""
        try:
            await self._put(task)
        except VUpdateError as error:
            _log.error("state of a task was not kept", task=task.id, state=task.state.value, error=error.message)

    async def _put(self, task: Task) -> None:
        await self._kept.put(task)
        self._hub.publish(Topic.TASKS, task.id)

    async def _end_left_over(self) -> None:
        for state in (TaskState.QUEUED, TaskState.RUNNING):
            left = await self._kept.find(Where("state", "==", state.value))
            for task in left:
                error = "the node ended while this ran: resume it, or start it again"
                await self._put(replace(task, state=TaskState.INTERRUPTED, ended=self._clock.now(), error=error))


def _turn(task: Task) -> str:
    """Tasks of one turn run one after the other: those of a service, or about a subject where there is no service."""
    return task.service or f"{task.kind.value}/{task.subject}"


_CANCELLED_BY_USER: Final = "cancelled by user"

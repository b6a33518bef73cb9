"""Tasks, and records of logs."""

from datetime import datetime
from typing import Self

import strawberry

from federation import log
from federation.log import Level
from node.graphql.context import Info
from node.model import task as tasks
from node.model.task import TaskKind, TaskState
from node.storage import logs


def _waits_for(root: "Task", info: Info) -> str:
    return info.context.usecases.tasks.waits_for(root.kept)


@strawberry.type(description="Work longer than a request.")
class Task:
    id: strawberry.ID
    kind: TaskKind
    title: str
    who: str
    service: str | None
    subject: str = strawberry.field(description="The version or the provider it is about.")
    state: TaskState
    created: datetime
    started: datetime | None
    ended: datetime | None
    error: str
    result: str
    resumed_from: str = strawberry.field(description="The task that this one does again; empty: none.")
    waits_for: str = strawberry.field(
        resolver=_waits_for, description="Why it is not (further) at work; empty: it is, or has ended."
    )
    kept: strawberry.Private[tasks.Task]

    @classmethod
    def of(cls, task: tasks.Task) -> Self:
        return cls(
            kept=task,
            id=strawberry.ID(task.id),
            kind=task.kind,
            title=task.title,
            who=task.who,
            service=task.service,
            subject=task.subject,
            state=task.state,
            created=task.created,
            started=task.started,
            ended=task.ended,
            error=task.error,
            result=task.result,
            resumed_from=task.resumed_from,
        )


@strawberry.type(description="One record of a task's log.")
class LogRecord:
    sequence: int
    time: datetime
    level: Level
    unit: str
    message: str

    @classmethod
    def of(cls, record: log.LogRecord) -> Self:
        return cls(
            sequence=record.sequence, time=record.time, level=record.level, unit=record.unit, message=record.message
        )


@strawberry.type(description="One record found in the logs, with where it was written.")
class FoundRecord:
    service: str | None
    instance: str | None
    run: str = strawberry.field(description="Names the start of the process that wrote it.")
    sequence: int
    time: datetime
    level: Level
    unit: str
    message: str

    @classmethod
    def of(cls, found: logs.FoundRecord) -> Self:
        record, stream = found.record, found.stream
        return cls(
            service=f"{stream.service}:{stream.role}" if stream.role else stream.service,
            instance=stream.instance,
            run=stream.run,
            sequence=record.sequence,
            time=record.time,
            level=record.level,
            unit=record.unit,
            message=record.message,
        )

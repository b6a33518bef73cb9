"""What may be followed live: hints of changes, and the log of one task until it ends."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

import strawberry

from node.graphql import values
from node.graphql.access import Standing, stream
from node.graphql.context import Context, Info
from node.graphql.types.account import Change
from node.graphql.types.task import LogRecord
from node.model.account import Role
from node.usecases.changes import ALL_TOPICS, Topic
from node.usecases.changes import Change as HubChange

_LOG_PAGE: Final = 500


async def _about(task: str, changes: AsyncIterator[HubChange]) -> AsyncGenerator[None, None]:
    """Once at the start, then once for each change that may concern ``task``."""
    yield
    async for change in changes:
        if change.subject in (task, f"task/{task}", ""):
            yield


async def _follow(context: Context, task: str, after: int) -> AsyncGenerator[LogRecord, None]:
    tasks = context.usecases.tasks
    await tasks.get(task)
    async with (
        context.usecases.changes.subscribe(frozenset({Topic.TASKS, Topic.LOGS})) as changes,
        aclosing(_about(task, changes)) as moments,
    ):
        async for _ in moments:
            # Asked before the log is read: what was written up to the end is then certainly in it.
            ended = (await tasks.get(task)).state.ended
            while records := await tasks.log(task, after=after, first=_LOG_PAGE):
                for record in records:
                    after = record.sequence
                    yield LogRecord.of(record)
            if ended:
                return


@strawberry.type
class Subscription:
    @stream(Role.VIEWER, "Hints of changes of these topics; null: of all. Read again what they name.")
    async def changes(self, info: Info, topics: list[Topic] | None = None) -> AsyncGenerator[Change, None]:
        standing = Standing(info.context, Role.VIEWER)
        wanted = ALL_TOPICS if topics is None else frozenset(topics)
        async with info.context.usecases.changes.subscribe(wanted) as changes:
            async for change in changes:
                await standing.check()
                yield Change.of(change)

    @stream(Role.VIEWER, "The log of a task from after a sequence number on; ends when the task has ended.")
    async def task_log(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002  # the argument's name in the API
        after: int = 0,
    ) -> AsyncGenerator[LogRecord, None]:
        standing = Standing(info.context, Role.VIEWER)
        key, start = values.text("id", id, values.ID_CHARS), values.counted("after", after)
        async with aclosing(_follow(info.context, key, start)) as records:
            async for record in records:
                await standing.check()
                yield record

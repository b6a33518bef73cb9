"""What is told live, and to whom for how long."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
from strawberry.types import ExecutionResult
from structlog.testing import capture_logs

from federation.log import Level, LogRecord
from node.graphql import access
from node.graphql.context import Context
from node.graphql.schema import schema
from node.model.account import Person, Role
from node.model.task import TaskState
from node.usecases.changes import Topic
from tests.support.graphql_usecases import FakeUsecases, context
from tests.support.graphql_values import NOW, task

SECONDS = 5


class GrowingTask:
    """A task whose log grows and which ends, as told by the test."""

    def __init__(self) -> None:
        self.state = TaskState.RUNNING
        self.lines: list[str] = []
        self.usecases = FakeUsecases({"tasks.get": self.get, "tasks.log": self.log})

    def get(self, task_id: str) -> Any:
        return task(self.state, task_id=task_id)

    def log(self, task_id: str, after: int, first: int) -> list[LogRecord]:
        assert task_id == "t1"
        records = [
            LogRecord(sequence=number, time=NOW, level=Level.INFO, message=line)
            for number, line in enumerate(self.lines, 1)
        ]
        return records[after : after + first]

    def write(self, *lines: str) -> None:
        self.lines.extend(lines)
        self.usecases.changes.publish(Topic.LOGS, "task/t1")

    def end(self) -> None:
        self.state = TaskState.SUCCEEDED
        self.usecases.changes.publish(Topic.TASKS, "t1")


async def told(text: str, asked: Context) -> AsyncIterator[ExecutionResult]:
    async for result in await schema().subscribe(text, context_value=asked):
        assert isinstance(result, ExecutionResult)
        yield result


async def next_of(results: AsyncIterator[ExecutionResult]) -> dict[str, Any]:
    async with asyncio.timeout(SECONDS):
        result = await anext(results)
    assert result.errors is None
    return cast("dict[str, Any]", result.data)


async def listened(usecases: FakeUsecases) -> None:
    """Wait until somebody listens to the changes."""
    async with asyncio.timeout(SECONDS):
        while not usecases.changes._listeners:
            await asyncio.sleep(0)


async def test_a_change_is_told_to_those_who_asked_for_its_topic() -> None:
    """Topics filter; nothing else gets through."""
    usecases = FakeUsecases({})
    results = told(
        "subscription { changes(topics: [FAULTS, TASKS]) { topic subject } }", context(usecases, Role.VIEWER)
    )
    async with asyncio.TaskGroup() as group:
        first = group.create_task(next_of(results))
        await listened(usecases)
        usecases.changes.publish(Topic.LINKS, "globex")
        usecases.changes.publish(Topic.FAULTS, "f1")
    assert first.result() == {"changes": {"topic": "FAULTS", "subject": "f1"}}


async def test_who_stops_listening_is_forgotten() -> None:
    """A closed subscription leaves nothing behind that grows."""
    usecases = FakeUsecases({})
    results = await schema().subscribe("subscription { changes { topic } }", context_value=context(usecases))
    async with asyncio.TaskGroup() as group:
        group.create_task(anext(results))
        await listened(usecases)
        usecases.changes.publish(Topic.LINKS, "globex")
    await results.aclose()
    assert not usecases.changes._listeners


async def test_a_log_is_told_as_it_grows_and_ends_with_its_task() -> None:
    """What was there, what comes, and what was written last before the end: each once, in order."""
    growing = GrowingTask()
    growing.lines = ["one", "two"]
    results = told('subscription { taskLog(id: "t1", after: 1) { sequence message } }', context(growing.usecases))
    assert await next_of(results) == {"taskLog": {"sequence": 2, "message": "two"}}
    growing.write("three")
    assert (await next_of(results))["taskLog"]["message"] == "three"
    growing.lines.append("last words")
    growing.end()
    assert (await next_of(results))["taskLog"] == {"sequence": 4, "message": "last words"}
    with pytest.raises(StopAsyncIteration):
        await next_of(results)


async def test_the_log_of_a_task_that_has_ended_is_told_whole() -> None:
    """A long log comes page by page, without waiting for anything."""
    growing = GrowingTask()
    growing.state, growing.lines = TaskState.FAILED, [f"line {number}" for number in range(1234)]
    text = 'subscription { taskLog(id: "t1") { sequence } }'
    found = [result.data async for result in told(text, context(growing.usecases))]
    assert [one["taskLog"]["sequence"] for one in found if one] == list(range(1, 1235))


async def test_other_tasks_do_not_wake_a_follower() -> None:
    """A change about another task leads to no reading."""
    growing = GrowingTask()
    results = told('subscription { taskLog(id: "t1") { message } }', context(growing.usecases))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(next_of(results))
        await listened(growing.usecases)
        before = len(growing.usecases.calls)
        growing.usecases.changes.publish(Topic.TASKS, "another")
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(growing.usecases.calls) == before
        growing.write("hello")
    assert first.result() == {"taskLog": {"message": "hello"}}


@pytest.mark.parametrize("now", [None, Person(name="ann", role=Role.VIEWER)])
async def test_a_right_that_is_lost_ends_what_it_opened(now: Person | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who logs out is told nothing more over a connection that was opened before; who still may look, is."""
    monkeypatch.setattr(access, "_RENEW_SECONDS", 0)
    usecases = FakeUsecases({})

    async def renewed() -> Person | None:
        return now

    asked = replace(context(usecases, Role.VIEWER), renewed=renewed)
    with capture_logs():
        async with asyncio.TaskGroup() as group:
            results = await schema().subscribe("subscription { changes { subject } }", context_value=asked)
            first = group.create_task(anext(results))
            await listened(usecases)
            usecases.changes.publish(Topic.LINKS, "globex")
    result = first.result()
    if now is not None:
        assert result.data == {"changes": {"subject": "globex"}}
    else:
        assert not result.data
        assert result.errors is not None
        assert result.errors[0].extensions is not None
        assert result.errors[0].extensions["code"] == "denied"
    await results.aclose()

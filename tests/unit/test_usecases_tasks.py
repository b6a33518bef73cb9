"""Tasks: queued per service, logged, cancelled, ended after a restart."""

import asyncio
from pathlib import Path

import pytest

from federation.errors import InvalidValueError
from federation.names import ServiceName
from node.model.task import Task, TaskKind, TaskState
from node.usecases.changes import Topic
from node.usecases.tasks import Job, TaskLog, Work
from tests.support.nodes import WHO, Member, Network

SHOP = ServiceName("shop")


@pytest.fixture
def acme(tmp_path: Path) -> Member:
    return Network(tmp_path).add("acme")


def job(work: Work, service: ServiceName | None = SHOP) -> Job:
    return Job(kind=TaskKind.BUILD, title="Test", work=work, service=service)


async def test_a_task_keeps_its_log_and_result(acme: Member) -> None:
    """All lines are kept in order, the last ones too."""

    async def work(log: TaskLog) -> str:
        for number in range(2500):
            log(f"line {number}")
        return "made it"

    async with acme.use.tasks.running():
        task = await acme.use.tasks.start(job(work), who=WHO)
        ended = await acme.use.tasks.wait(task.id)
    assert (ended.state, ended.result) == (TaskState.SUCCEEDED, "made it")
    records = await acme.use.tasks.log(task.id, after=0, first=10_000)
    assert [one.message for one in records] == [f"line {number}" for number in range(2500)]
    later = await acme.use.tasks.log(task.id, after=2498, first=10)
    assert [one.sequence for one in later] == [2499, 2500]


async def test_a_refusal_is_the_tasks_error_and_a_bug_is_masked(acme: Member) -> None:
    """What a person can act on is shown; what went wrong inside is not."""

    async def refused(_log: TaskLog) -> str:
        raise InvalidValueError("line 3: unknown key")

    async def broken(_log: TaskLog) -> str:
        raise RuntimeError("secret detail")

    async with acme.use.tasks.running():
        first = await acme.use.tasks.wait((await acme.use.tasks.start(job(refused), who=WHO)).id)
        second = await acme.use.tasks.wait((await acme.use.tasks.start(job(broken), who=WHO)).id)
    assert (first.state, first.error) == (TaskState.FAILED, "line 3: unknown key")
    assert second.state is TaskState.FAILED
    assert "secret" not in second.error
    assert second.id in second.error


async def test_two_tasks_of_one_service_never_run_at_once(acme: Member) -> None:
    """The second begins when the first has ended; another service's runs beside them."""
    running: list[str] = []
    release = asyncio.Event()

    def work(name: str) -> Work:
        async def run(_log: TaskLog) -> str:
            running.append(name)
            await release.wait()
            running.remove(name)
            return name

        return run

    async def running_tasks() -> set[str | None]:
        return {one.service for one in await acme.use.tasks.find(10) if one.state is TaskState.RUNNING}

    async with acme.use.tasks.running():
        tasks: list[Task] = []
        async with acme.use.changes.subscribe(frozenset({Topic.TASKS})) as changes:
            for name, service in (("a", SHOP), ("b", SHOP), ("c", ServiceName("other"))):
                tasks.append(await acme.use.tasks.start(job(work(name), service), who=WHO))
            while len(running) < 2:
                async with asyncio.timeout(5):
                    await anext(changes)
        assert sorted(running) == ["a", "c"]
        assert await running_tasks() == {"shop", "other"}
        release.set()
        ended = [await acme.use.tasks.wait(task.id) for task in tasks]
    assert [one.result for one in ended] == ["a", "b", "c"]


async def test_cancel_stops_a_running_and_a_queued_task(acme: Member) -> None:
    """Both end as cancelled, and the work was really interrupted."""
    began = asyncio.Event()
    stopped: list[str] = []

    async def work(_log: TaskLog) -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("work")
        return ""

    async with acme.use.tasks.running():
        first = await acme.use.tasks.start(job(work), who=WHO)
        second = await acme.use.tasks.start(job(work), who=WHO)
        async with asyncio.timeout(5):
            await began.wait()
        assert (await acme.use.tasks.cancel(second.id, who=WHO)).state is TaskState.CANCELLED
        assert (await acme.use.tasks.cancel(first.id, who=WHO)).state is TaskState.CANCELLED
    assert stopped == ["work"]


async def test_tasks_that_a_stop_or_a_crash_cut_off_are_shown_as_interrupted(acme: Member) -> None:
    """Nothing stays "running" for ever: neither after an orderly stop nor after a kill."""
    began = asyncio.Event()

    async def work(_log: TaskLog) -> str:
        began.set()
        await asyncio.Event().wait()
        return ""

    async with acme.use.tasks.running():
        task = await acme.use.tasks.start(job(work), who=WHO)
        async with asyncio.timeout(5):
            await began.wait()
    assert (await acme.use.tasks.get(task.id)).state is TaskState.INTERRUPTED
    # As after kill -9: the stored state still says running.
    left = Task(
        id="f" * 32,
        kind=TaskKind.BUILD,
        title="left",
        who=WHO,
        created=acme.clock.now(),
        state=TaskState.RUNNING,
    )
    await acme.use.tasks._kept.put(left)
    async with acme.use.tasks.running():
        found = await acme.use.tasks.get(left.id)
    assert found.state is TaskState.INTERRUPTED
    assert "start it again" in found.error

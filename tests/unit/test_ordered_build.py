"""What an asker puts up with from a builder: not without end, and not without a pause."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from federation.keys import PrivateKey
from federation.link.builds import BuilderState, BuildOrder, BuildReport, BuildStand
from federation.names import NodeName
from node.model.task import Task, TaskState
from node.usecases import ordered_build, workshop
from node.usecases.builder_lines import BuilderLine, PeerKind
from tests.support.ordering import Scene, asker, scene


class Dallier:
    """A builder that takes each order, and answers each question at once that it is at work on it."""

    name = NodeName("acme")
    key = PrivateKey(b"d" * 32).public
    kind = PeerKind.PROVIDER

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled: list[str] = []

    async def state(self) -> BuilderState:
        raise NotImplementedError

    async def offer(self, order: BuildOrder) -> BuildReport:
        return BuildReport(id=order.id, stand=BuildStand.QUEUED, lease_until=datetime.now(UTC))

    async def report(self, order: str, *, after: int) -> BuildReport:  # noqa: ARG002
        self.asked += 1
        return BuildReport(id=order, stand=BuildStand.RUNNING, lease_until=datetime.now(UTC))

    async def hand_over(self, order: str, sealed: bytes) -> None:
        raise NotImplementedError

    async def fetch(self, order: str, target: Path) -> None:
        raise NotImplementedError

    async def cancel(self, order: str) -> None:
        self.cancelled.append(order)


async def dallying(found: Scene) -> tuple[Dallier, Task]:
    """A builder that never ends, and what became of a build there."""
    line = Dallier()

    async def only() -> list[BuilderLine]:
        return [line]

    found.globex.use.delegation._lines.all = only  # type: ignore[method-assign]
    found.globex.use.delegation._lines.usual = only  # type: ignore[method-assign]
    return line, await found.built("acme")


async def test_a_builder_may_not_take_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it says that it is at work: the order is cancelled, and the build ends with a reason."""
    monkeypatch.setattr(ordered_build, "ORDER_SECONDS", 0.3)
    found = await scene(tmp_path)
    async with found.network.running():
        line, task = await dallying(found)
    assert task.state is TaskState.FAILED
    assert "the build at acme was not done in" in task.error
    assert len(line.cancelled) == 1


async def test_a_builder_that_answers_at_once_is_not_asked_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An honest one waits for news; of another one no more questions fit into a time than pauses do."""
    monkeypatch.setattr(ordered_build, "ORDER_SECONDS", 0.5)
    monkeypatch.setattr(ordered_build, "PAUSE_SECONDS", 0.1)
    found = await scene(tmp_path)
    async with found.network.running():
        line, _ = await dallying(found)
    assert 1 <= line.asked <= 6


async def test_who_has_many_questions_open_is_answered_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An asker holds no more connections of a builder than a bound, however often it asks."""
    monkeypatch.setattr(workshop, "WAIT_SECONDS", 3600.0)
    monkeypatch.setattr(workshop, "_WAITING_MOST", 2)
    found = await scene(tmp_path, "acme")
    found.write("sleep 600")
    acme = found.builders[0]
    who = await asker(acme, "globex")
    async with found.network.running():
        order = found.order()
        await acme.use.workshop.take(who, order)
        many = 10**6
        async with asyncio.TaskGroup() as group:
            asked = acme.use.workshop.report
            waiting = [group.create_task(asked(who, order.id, after=many)) for _ in range(2)]
            while acme.use.workshop._waiting[who.id] < 2:
                await asyncio.sleep(0.01)
            await asked(who, order.id, after=many)
            assert not any(one.done() for one in waiting)
            await acme.use.tasks.cancel((await acme.use.tasks.find(1))[0].id, who="ann")
        await acme.use.workshop.cancel(who, order.id)

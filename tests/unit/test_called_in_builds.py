"""Builds by consumers, which call in for work: taken, followed, lost and found again, and taken over in pieces."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from build.developer import Built, DeveloperBuild, build_developer
from federation.errors import AbsentError
from federation.link import work
from federation.link.builds import LEASE_SECONDS
from federation.names import NodeName, PrivateFileName
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.task import Task, TaskState
from node.usecases import callers, calling_in, delegation, ordered_build
from node.usecases.builder_lines import PeerKind
from tests.support.called_in import at_work, called_in, calls
from tests.support.ordering import BUSY, GLOBEX, IDLE, SHOP, WHO, Scene, until

ACME = NodeName("acme")
VERSION = DeveloperVersion("globex-1.0.0")


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "_LOADED_SECONDS", 0.05)
    monkeypatch.setattr(ordered_build, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(ordered_build, "_DONE_SECONDS", 0.5)
    monkeypatch.setattr(callers, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(callers, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(calling_in, "FIRST_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(calling_in, "MOST_DELAY_SECONDS", 0.05)


def held(found: Scene) -> tuple[asyncio.Event, asyncio.Event]:
    """Builds at the first builder that have begun, and go on only once they may."""
    begun, release = asyncio.Event(), asyncio.Event()

    async def hold(request: DeveloperBuild, log: Callable[[str], None]) -> Built:
        begun.set()
        await release.wait()
        return await build_developer(request, log)

    found.builders[0].use.workshop._build = hold
    return begun, release


async def logged(found: Scene, task: Task, words: str) -> None:
    async with asyncio.timeout(20):
        while words not in await found.log(task):
            await asyncio.sleep(0.02)


async def test_a_consumer_builds_what_this_node_signs(tmp_path: Path) -> None:
    """Nobody dials acme; the version is globex's own, the provenance acme's, and acme keeps nothing of it."""
    found = await called_in(tmp_path, "acme")
    async with found.network.running(), at_work(*found.builders):
        task = await found.built("acme")
        assert task.state is TaskState.SUCCEEDED, task.error
        stored = await found.globex.use.versions.get(ListKind.DEVELOPER, SHOP, VERSION)
        assert stored.signed.manifest.maker.node == GLOBEX
        (said,) = await found.globex.use.provenances.of(SHOP, VERSION)
        assert (said.node, said.image) == ("acme", stored.image)
        assert "acme: building" in await found.log(task)
        assert found.leftovers() == []
        assert found.builders[0].use.workshop._orders == {}
    dialled = {
        (of, to) for of, to, path in found.network.wire.asked if path.startswith(("/federation/v1/build", work.PATH))
    }
    assert dialled == {("acme", "globex")}


async def test_its_log_comes_while_it_builds(tmp_path: Path) -> None:
    """The first lines are here before the build is over; the cancel then reaches acme, and its folder is gone."""
    found = await called_in(tmp_path, "acme")
    found.write("echo begun; sleep 600")
    async with found.network.running(), at_work(*found.builders):
        task = await found.build("acme")
        await logged(found, task, "begun")
        assert (await found.globex.use.tasks.cancel(task.id, who=WHO)).state is TaskState.CANCELLED
        (there,) = await found.builders[0].use.tasks.find(10)
        assert there.state is TaskState.CANCELLED
        assert found.builders[0].use.workshop._orders == {}
        assert found.leftovers() == []


async def test_a_consumer_is_asked_only_where_it_is_named(tmp_path: Path) -> None:
    """Whoever takes it is a provider: without one nobody builds, though acme calls in and is listed."""
    found = await called_in(tmp_path, "acme")
    async with found.network.running(), at_work(*found.builders):
        await calls(found.globex, "acme")
        (listed,) = await found.globex.use.delegation.builders()
        assert (listed.name, listed.kind, listed.error) == (ACME, PeerKind.CONSUMER, "")
        task = await found.built()
        assert task.state is TaskState.FAILED
        assert "this node has no peer that could build for it" in task.error


async def test_the_switch_is_off_until_it_is_set(tmp_path: Path) -> None:
    """Off: nobody calls in, nobody is listed, the order waits and says why. On: it is built. Off again: it ends."""
    found = await called_in(tmp_path, "acme", switched_on=False)
    globex, acme = found.globex, found.builders[0]
    async with found.network.running(), at_work(acme):
        task = await found.build("acme")
        await until(lambda: "has not called in for work" in globex.use.tasks.waits_for(task))
        assert await globex.use.delegation.builders() == []
        await acme.use.links.set_builds(GLOBEX, True, who=WHO)
        assert (await globex.use.tasks.wait(task.id)).state is TaskState.SUCCEEDED
        await acme.use.links.set_builds(GLOBEX, False, who=WHO)
        await until(lambda: acme.use.calling_in._shifts == {})
    assert [path for _, _, path in found.network.wire.asked if path.startswith(work.PATH)]


async def test_a_loaded_consumer_is_waited_for(tmp_path: Path) -> None:
    """While acme is busy the task says so; once it is free again, it builds."""
    found = await called_in(tmp_path, "acme")
    shop = found.builders[0].use.workshop
    shop._load = lambda _: BUSY
    async with found.network.running(), at_work(*found.builders):
        task = await found.build("acme")
        await until(lambda: "processors are busy" in found.globex.use.tasks.waits_for(task))
        shop._load = lambda _: IDLE
        ended = await found.globex.use.tasks.wait(task.id)
        assert ended.state is TaskState.SUCCEEDED, ended.error


async def test_a_consumer_that_comes_back_within_the_lease_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """acme is cut off in the middle of a build for a minute; the very same order is done in the end."""
    monkeypatch.setattr(callers, "ANSWER_SECONDS", 0.3)
    found = await called_in(tmp_path, "acme")
    begun, release = held(found)
    async with found.network.running():
        async with at_work(*found.builders):
            task = await found.build("acme")
            await begun.wait()
            (order,) = found.builders[0].use.workshop._orders
        found.network.later(seconds=60)
        await until(lambda: "can't be reached" in found.globex.use.tasks.waits_for(task))
        release.set()
        async with at_work(*found.builders):
            ended = await found.globex.use.tasks.wait(task.id)
        assert ended.state is TaskState.SUCCEEDED, ended.error
        assert f"acme took the order {order[1]}" in await found.log(task)
        assert (await found.log(task)).count("took the order") == 1


async def test_a_consumer_that_stays_away_loses_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """beta, named next, builds it; acme ends what it began once its lease has run out."""
    monkeypatch.setattr(callers, "ANSWER_SECONDS", 0.3)
    found = await called_in(tmp_path, "acme", "beta")
    acme, beta = found.builders
    begun, _ = held(found)
    async with found.network.running(), at_work(beta):
        async with at_work(acme):
            task = await found.build("acme", "beta")
            await begun.wait()
        found.network.later(seconds=LEASE_SECONDS + 1)
        ended = await found.globex.use.tasks.wait(task.id)
        assert ended.state is TaskState.SUCCEEDED, ended.error
        assert "the order goes elsewhere" in await found.log(task)
        (said,) = await found.globex.use.provenances.of(SHOP, VERSION)
        assert said.node == "beta"
        await acme.use.workshop.sweep()
        assert acme.use.workshop._orders == {}


async def test_an_image_comes_in_pieces_and_goes_on_after_a_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is asked for from where the last one ended; one whose answer is lost is asked for again."""
    monkeypatch.setattr(work, "PIECE_BYTES", 100)
    monkeypatch.setattr(callers, "ANSWER_SECONDS", 1.0)
    found = await called_in(tmp_path, "acme")
    callers_of, asked, lost = found.globex.use.callers, list[int](), list[str]()
    ask, answer = callers_of.ask, callers_of.answer

    async def asking(consumer: object, question: work.Question) -> work.WorkAnswer:
        if question.kind is work.WorkKind.PACK:
            asked.append(question.after)
        return await ask(consumer, question)  # type: ignore[arg-type]

    def answering(consumer: object, number: str, given: work.WorkAnswer) -> None:
        if given.piece is not None and len(asked) == 2 and not lost:
            lost.append(number)
        else:
            answer(consumer, number, given)  # type: ignore[arg-type]

    monkeypatch.setattr(callers_of, "ask", asking)
    monkeypatch.setattr(callers_of, "answer", answering)
    async with found.network.running(), at_work(*found.builders):
        task = await found.built("acme")
        assert task.state is TaskState.SUCCEEDED, task.error
    assert asked[:4] == [0, 100, 100, 200]
    assert asked == sorted(asked)
    assert len(lost) == 1
    assert not list((found.globex.folder / "work/delegated").glob("*"))


async def test_private_files_are_handed_over_by_the_same_way(tmp_path: Path) -> None:
    """Entrusted by name, though acme can't be dialled: sealed to its key for globex's order."""
    found = await called_in(tmp_path, "acme")
    recipe = (tmp_path / "repo/vupdate.toml").read_text()
    found.repo.write("vupdate.toml", f'{recipe}private = [ {{ name = "tls.key", to = "conf/tls.key" }} ]\n')
    found.repo.commit()
    use = found.globex.use
    await use.private_files.put(SHOP, PrivateFileName("tls.key"), b"the secret of globex", who=WHO)
    async with found.network.running(), at_work(*found.builders):
        refused = await found.built("acme")
        assert "which acme is not given" in refused.error
        await use.handing_over.entrust(SHOP, [ACME], who=WHO)
        task = await found.built("acme")
        assert task.state is TaskState.SUCCEEDED, task.error
        stored = await use.versions.get(ListKind.DEVELOPER, SHOP, VERSION)
        assert stored.private_files == ("conf/tls.key",)
        assert found.leftovers() == []


async def test_an_asker_that_was_started_anew_takes_no_answer_to_what_it_forgot(tmp_path: Path) -> None:
    """Its orders are lost with its memory: acme is told that it was asked no such question."""
    found = await called_in(tmp_path, "acme")
    begun, _ = held(found)
    async with at_work(*found.builders), found.network.running():
        await found.build("acme")
        await begun.wait()
        await until(lambda: any(one.asked for one in found.globex.use.callers._callers.values()))
        (caller,) = found.globex.use.callers._callers.values()
        number = next(iter(caller.asked))
    globex = found.network.restart("globex")
    with pytest.raises(AbsentError, match="no such question"):
        globex.use.callers.answer(await globex.use.links.consumer(ACME), number, work.WorkAnswer())


async def test_a_name_that_both_bear_is_the_providers(tmp_path: Path) -> None:
    """Where acme is a provider too, it is dialled, and stands in the list once."""
    found = await called_in(tmp_path, "acme")
    globex, acme = found.globex, found.builders[0]
    await acme.share("public", "nothing")
    await found.network.link(acme, globex, "public")
    async with found.network.running(), at_work(acme):
        await calls(globex, "acme")
        (listed,) = await globex.use.delegation.builders()
        assert listed.kind is PeerKind.PROVIDER
        assert "has not granted" in listed.error

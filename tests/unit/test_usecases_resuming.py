"""Work that did not succeed is started once more, as it was asked for, by whoever might start it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from build.client import ClientBuild, ClientBuilt, build_client
from build.developer import Built, DeveloperBuild, build_developer
from federation.errors import AbsentError, ConflictError, DeniedError, ExistsError, InvalidValueError
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion
from node.model.account import Role
from node.model.desired import ListKind
from node.model.task import Task, TaskKind, TaskState
from node.model.version import DevelopedService, GitSource
from tests.support.git_repo import GitRepo
from tests.support.nodes import WHO, Member, Network, chain

SHOP = ServiceName("shop")
RECIPE = '[services.shop.build]\ncopy = [ { from = "run" } ]\n[services.shop.run]\ncommand = ["./run"]\n'


@pytest.fixture
async def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo(tmp_path / "repo")
    repo.write("vupdate.toml", RECIPE)
    repo.write("run", "#!/bin/sh\n", executable=True)
    repo.commit()
    return repo


async def developer(network: Network, repo: GitRepo) -> Member:
    acme = network.add("acme")
    source = GitSource(name="shop", url=repo.url)
    await acme.use.services.add(DevelopedService(name=SHOP, sources=(source,)), who=WHO)
    return acme


def anybody(_role: Role) -> None:
    """Let everybody pass."""


async def resumed(member: Member, task: Task) -> Task:
    """The task that resumes ``task``, at its end."""
    begun = await member.use.resuming.resume(task.id, who="ann", admit=anybody)
    return await member.use.tasks.wait(begun.id)


@contextlib.asynccontextmanager
async def stuck(member: Member) -> AsyncIterator[asyncio.Event]:
    """Builds of ``member`` that wait for ever; the event is set once one does."""
    began = asyncio.Event()

    async def waits(_request: DeveloperBuild, _log: Callable[[str], None]) -> Built:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    member.use.builds._build = waits
    yield began
    member.use.builds._build = build_developer


def work_of(member: Member) -> list[Path]:
    return list((member.folder / "work").rglob("*"))


async def test_what_a_restart_cut_off_is_done_by_resuming_it(tmp_path: Path, repo: GitRepo) -> None:
    """The running and the queued build, each as it was asked for; each new task names the old one, and who resumed."""
    network = Network(tmp_path)
    acme = await developer(network, repo)
    version = DeveloperVersion("acme-3.0.0")
    async with stuck(acme) as began, acme.use.tasks.running():
        first = await acme.use.builds.start(SHOP, version=None, comment="New look", who=WHO)
        second = await acme.use.builds.start(SHOP, version=version, comment="", who=WHO)
        await began.wait()
    acme = network.restart("acme")
    async with acme.use.tasks.running():
        assert {one.state for one in await acme.use.tasks.find(10)} == {TaskState.INTERRUPTED}
        one, other = await resumed(acme, first), await resumed(acme, second)
    assert [(one.state, one.result), (other.state, other.result)] == [
        (TaskState.SUCCEEDED, "acme-1.0.0"),
        (TaskState.SUCCEEDED, "acme-3.0.0"),
    ]
    assert (one.resumed_from, one.who, one.kind) == (first.id, "ann", TaskKind.BUILD)
    assert (other.resumed_from, other.title) == (second.id, second.title)
    made = await acme.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.0")
    assert made.signed.manifest.comment == "New look"
    assert await acme.desired() == {"shop": "acme-3.0.0"}
    assert work_of(acme) == []


async def test_a_failed_and_a_cancelled_build_are_resumed_too(tmp_path: Path, repo: GitRepo) -> None:
    """What made it fail was put right; a cancelled one is done after all; neither is done twice."""
    acme = await developer(Network(tmp_path), repo)
    async with acme.use.tasks.running():
        repo.write("vupdate.toml", "[services.shop.build]\nnonsense = 1\n")
        repo.commit()
        failed = await acme.use.tasks.wait((await acme.use.builds.start(SHOP, version=None, comment="", who=WHO)).id)
        assert failed.state is TaskState.FAILED
        again = await resumed(acme, failed)
        assert again.state is TaskState.FAILED
        repo.write("vupdate.toml", RECIPE)
        repo.commit()
        done = await resumed(acme, failed)
        assert (done.state, done.result) == (TaskState.SUCCEEDED, "acme-1.0.0")
        with pytest.raises(ConflictError, match=f"resumed already, as task {done.id}"):
            await resumed(acme, failed)
        async with stuck(acme) as began:
            task = await acme.use.builds.start(SHOP, version=None, comment="", who=WHO)
            await began.wait()
            cancelled = await acme.use.tasks.cancel(task.id, who=WHO)
        assert (await resumed(acme, cancelled)).result == "acme-1.0.1"


@pytest.mark.parametrize("number", [None, "acme-3.0.0"])
async def test_what_was_stored_already_is_only_made_desired(tmp_path: Path, repo: GitRepo, number: str | None) -> None:
    """A build cut off between the two is not done again under another number, nor refused under its own."""
    acme = await developer(Network(tmp_path), repo)
    version = None if number is None else DeveloperVersion(number)

    async def cut_off(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    async with acme.use.tasks.running():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(acme.use.builds._releases, "make_desired", cut_off)
            task = await acme.use.builds.start(SHOP, version=version, comment="", who=WHO)
            ended = await acme.use.tasks.wait(task.id)
        assert ended.state is TaskState.INTERRUPTED
        assert await acme.desired() == {}
        again = await resumed(acme, ended)
    made = number or "acme-1.0.0"
    assert (again.state, again.result) == (TaskState.SUCCEEDED, made)
    assert await acme.desired() == {"shop": made}
    assert [one.version for one in await acme.use.versions.find(ListKind.DEVELOPER, SHOP, first=10)] == [made]


async def test_a_version_that_was_made_meanwhile_is_refused(tmp_path: Path, repo: GitRepo) -> None:
    """A version is made once; no task is begun."""
    acme = await developer(Network(tmp_path), repo)
    version = DeveloperVersion("acme-3.0.0")
    async with acme.use.tasks.running():
        async with stuck(acme) as began:
            task = await acme.use.builds.start(SHOP, version=version, comment="", who=WHO)
            await began.wait()
            await acme.use.tasks.cancel(task.id, who=WHO)
        await acme.use.tasks.wait((await acme.use.builds.start(SHOP, version=version, comment="", who=WHO)).id)
        with pytest.raises(ExistsError, match="was made already"):
            await resumed(acme, task)
        assert len(await acme.use.tasks.find(10)) == 2


async def test_rebuilds_client_builds_and_updates_are_resumed_as_they_were_asked_for(tmp_path: Path) -> None:
    """Each is the same work again: the service, the version and where, the provider and how far an update may go."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    files: Mapping[str, bytes] = {"vupdate.toml": b'[services.shop.run]\ncommand = ["./run"]\n', "run": b"#!/bin/sh\n"}
    await acme.develop("shop", "acme-1.0.0", files)
    acme.away = True
    async with globex.use.tasks.running():
        update = await globex.update_from("acme")
        assert update.state is TaskState.FAILED
        acme.away = False
        taken = await resumed(globex, update)
        assert (taken.state, taken.result, taken.subject) == (TaskState.SUCCEEDED, "shop acme-1.0.0", "acme")
        acme.away = True
        await globex.use.updates.run(NodeName("acme"), [])
        (held,) = [one for one in await globex.use.tasks.find(10) if one.who == "auto-update from acme"]
        assert held.asked is not None
        assert not held.asked.forced
        rebuild = await globex.use.tasks.wait(
            (await globex.use.rebuilds.start(SHOP, DeveloperVersion("acme-1.0.0"), on=(), here=False, who=WHO)).id
        )
        again = await resumed(globex, rebuild)
        assert (again.kind, again.subject, again.asked) == (TaskKind.REBUILD, rebuild.subject, rebuild.asked)
        globex.use.client_builds._build = fails
        adapting = await globex.use.tasks.wait((await globex.use.client_builds.start(SHOP, who=WHO)).id)
        assert adapting.state is TaskState.FAILED
        globex.use.client_builds._build = build_client
        assert (await resumed(globex, adapting)).result == "acme-1.0.0"


async def fails(_request: ClientBuild, _log: Callable[[str], None]) -> ClientBuilt:
    """A client build that does not succeed."""
    raise InvalidValueError("the settings are wrong")


async def test_what_is_not_to_be_resumed_says_why(tmp_path: Path, repo: GitRepo) -> None:
    """Running, succeeded, another node's order, begun by an earlier vUpdate, or unknown."""
    acme = await developer(Network(tmp_path), repo)
    async with acme.use.tasks.running():
        async with stuck(acme) as began:
            running = await acme.use.builds.start(SHOP, version=None, comment="", who=WHO)
            await began.wait()
            with pytest.raises(ConflictError, match="has not ended"):
                await resumed(acme, running)
            await acme.use.tasks.cancel(running.id, who=WHO)
        done = await resumed(acme, running)
        with pytest.raises(ConflictError, match="nothing to resume"):
            await resumed(acme, done)
        for kind, why in ((TaskKind.PEER_BUILD, "gives it again by itself"), (TaskKind.BUILD, "an earlier vUpdate")):
            task = Task(
                id=kind.value, kind=kind, title="x", who="globex", created=acme.clock.now(), state=TaskState.FAILED
            )
            await acme.use.tasks._kept.put(task)
            with pytest.raises(ConflictError, match=why):
                await resumed(acme, task)
        with pytest.raises(AbsentError):
            await acme.use.resuming.resume("none", who=WHO, admit=anybody)


async def test_two_who_resume_at_once_have_the_work_done_once(tmp_path: Path, repo: GitRepo) -> None:
    """The later one is told of the task that the other began."""
    acme = await developer(Network(tmp_path), repo)
    async with acme.use.tasks.running():
        async with stuck(acme) as began:
            task = await acme.use.builds.start(SHOP, version=None, comment="", who=WHO)
            await began.wait()
            await acme.use.tasks.cancel(task.id, who=WHO)
        outcomes: list[str] = []

        async def resume() -> None:
            try:
                outcomes.append((await resumed(acme, task)).result)
            except ConflictError:
                outcomes.append("refused")

        async with asyncio.TaskGroup() as group:
            group.create_task(resume())
            group.create_task(resume())
        assert sorted(outcomes) == ["acme-1.0.0", "refused"]


async def test_it_takes_the_role_that_starting_it_took(tmp_path: Path) -> None:
    """A developer resumes no update from a provider; nothing is begun."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    acme.away = True

    def developers_only(role: Role) -> None:
        if not Role.DEVELOPER.includes(role):
            raise DeniedError("no")

    async with globex.use.tasks.running():
        update = await globex.update_from("acme")
        with pytest.raises(DeniedError):
            await globex.use.resuming.resume(update.id, who=WHO, admit=developers_only)
        assert len(await globex.use.tasks.find(10)) == 1

"""Client builds: made again when what they are made of changed and only then; one that fails holds up no other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from build.client import ClientBuild, ClientBuilt, build_client
from federation.digest import Digest
from federation.names import PrivateFileName, ServiceName
from federation.profile import SELF
from node.model.desired import ListKind
from node.model.task import Task, TaskState
from node.model.version import GitSource, SiteSettings
from tests.support.git_repo import GitRepo
from tests.support.nodes import WHO, Member, Network

SHOP = ServiceName("shop")
NAMES = ("shop", "till", "stock")


def files(service: str) -> Mapping[str, bytes]:
    """What a service is made of: a setting, and a macro to fill in."""
    return {
        "vupdate.toml": f'[services.{service}.run]\ncommand = ["./run", "%%town%%"]\n'.encode(),
        "run": b"#!/bin/sh\n",
        "app.toml": b'title = "Shop"\n',
    }


@pytest.fixture
async def acme(tmp_path: Path) -> Member:
    """A node that runs three services of its own."""
    acme = Network(tmp_path).add("acme")
    await acme.share(SELF, *NAMES)
    for service in NAMES:
        await acme.develop(service, "acme-1.0.0", files(service))
    return acme


def overlay(folder: Path, path: str = "app.toml", content: str = 'title = "Ours"\n') -> GitRepo:
    repo = GitRepo(folder)
    repo.write(path, content)
    repo.commit()
    return repo


async def adapt(member: Member, service: str, town: str, *repos: GitRepo) -> None:
    """Give a service its settings at this site."""
    overlays = tuple(GitSource(name=f"site{number}", url=repo.url) for number, repo in enumerate(repos))
    settings = SiteSettings(service=ServiceName(service), overlays=overlays, macros={"town": town})
    await member.use.services.set_site(settings, who=WHO)


async def built(member: Member, service: str = "shop") -> Task:
    begun = await member.use.client_builds.start(ServiceName(service), who=WHO)
    return await member.use.tasks.wait(begun.id)


async def clients(member: Member) -> dict[str, str]:
    """The client versions that are desired."""
    current = await member.use.desired.current(ListKind.CLIENT)
    return {str(service): version for service, version in current.versions.items()}


async def test_it_is_made_again_when_its_inputs_changed_and_only_then(acme: Member, tmp_path: Path) -> None:
    """A commit to the overlay, a macro, a private file; the same again, or a commit of nothing new, makes none."""
    repo = overlay(tmp_path / "site")
    await adapt(acme, "shop", "Springfield", repo)
    made: list[str] = []
    async with acme.use.tasks.running():

        async def twice() -> None:
            first, again = await built(acme), await built(acme)
            assert (first.state, first.error) == (TaskState.SUCCEEDED, "")
            assert again.result == first.result
            made.append(first.result)

        await twice()
        repo.write("app.toml", 'title = "Theirs"\n')
        repo.commit()
        await twice()
        repo.commit("nothing in it")
        await twice()
        await adapt(acme, "shop", "Shelbyville", repo)
        await twice()
        await acme.use.private_files.put(SHOP, PrivateFileName("key"), b"secret", into="conf/key", who=WHO)
        await twice()
    assert made == ["acme-1.0.0", "acme-1.0.0_1", "acme-1.0.0_1", "acme-1.0.0_2", "acme-1.0.0_3"]
    assert len(await acme.use.versions.find(ListKind.CLIENT, SHOP, first=100)) == 4
    assert list((acme.folder / "work").iterdir()) == []


async def test_the_same_inputs_give_the_same_image(acme: Member, tmp_path: Path) -> None:
    """Built in two folders, at two times, by two hands: one digest."""
    base = await acme.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.0")
    await adapt(acme, "shop", "Springfield", overlay(tmp_path / "site"), overlay(tmp_path / "new", "extra.txt", "x"))
    await acme.use.private_files.put(SHOP, PrivateFileName("key"), b"secret", into="conf/key", who=WHO)
    images: list[Digest] = []

    async def twice(request: ClientBuild, log: Callable[[str], None]) -> ClientBuilt:
        found = await build_client(request, log)
        images.append(found.image.digest)
        return found

    acme.use.client_builds._build = twice
    async with acme.use.tasks.running():
        await built(acme)
        acme.use.client_builds._work = tmp_path / "elsewhere"
        await built(acme)
    assert len(images) == 2
    assert len(set(images)) == 1
    assert images[0] != base.image


async def test_a_conflict_fails_its_service_only_and_names_the_file(acme: Member, tmp_path: Path) -> None:
    """The new base lacks a file that an overlay is for; the others are adapted and desired."""
    settings = overlay(tmp_path / "site")
    for service in NAMES:
        await adapt(acme, service, "Springfield", settings)
    async with acme.use.tasks.running():
        for one in await acme.use.adaptation.begin_all(who=WHO):
            await acme.use.tasks.wait(one.id)
        lacking = {path: content for path, content in files("till").items() if path != "app.toml"}
        await acme.develop("till", "acme-1.0.1", lacking)
        await acme.develop("shop", "acme-1.0.1", files("shop"))
        begun = await acme.use.adaptation.begin_all(who=WHO)
        ended = {str(one.service): await acme.use.tasks.wait(one.id) for one in begun}
    assert {name: one.state for name, one in ended.items()} == {
        "shop": TaskState.SUCCEEDED,
        "stock": TaskState.SUCCEEDED,
        "till": TaskState.FAILED,
    }
    assert "app.toml" in ended["till"].error
    assert await clients(acme) == {"shop": "acme-1.0.1", "stock": "acme-1.0.0", "till": "acme-1.0.0"}
    assert list((acme.folder / "work").iterdir()) == []


@contextlib.asynccontextmanager
async def counted(member: Member, running: list[str]) -> AsyncIterator[asyncio.Event]:
    """Client builds that stand in ``running`` while they run, until the event is set."""
    release = asyncio.Event()

    async def waits(request: ClientBuild, log: Callable[[str], None]) -> ClientBuilt:
        running.append(request.service)
        await release.wait()
        return await build_client(request, log)

    member.use.client_builds._build = waits
    yield release
    member.use.client_builds._build = build_client


async def test_services_are_adapted_side_by_side_by_the_limit(acme: Member) -> None:
    """Two at once where the node's settings say two; the third waits and says for what."""
    acme.use.tasks._places = asyncio.Semaphore(2)
    acme.use.tasks._side_by_side = 2
    for service in NAMES:
        await adapt(acme, service, "Springfield")
    running: list[str] = []
    async with counted(acme, running) as release, acme.use.tasks.running():
        begun = await acme.use.adaptation.begin_all(who=WHO)
        async with asyncio.timeout(10):
            while len(running) < 2:
                await asyncio.sleep(0)
        (waiting,) = [one for one in begun if acme.use.tasks.waits_for(await acme.use.tasks.get(one.id))]
        assert "2 tasks run side by side" in acme.use.tasks.waits_for(await acme.use.tasks.get(waiting.id))
        assert len(running) == 2
        release.set()
        ended = [await acme.use.tasks.wait(one.id) for one in begun]
    assert [one.state for one in ended] == [TaskState.SUCCEEDED] * 3
    assert await clients(acme) == dict.fromkeys(NAMES, "acme-1.0.0")


async def test_all_means_what_runs_at_this_site(acme: Member) -> None:
    """A service that is developed here and runs elsewhere is not adapted."""
    await acme.share(SELF, "shop", "till")
    await adapt(acme, "shop", "Springfield")
    async with acme.use.tasks.running():
        begun = await acme.use.adaptation.begin_all(who=WHO)
        assert [one.service for one in begun] == ["shop", "till"]
        for one in begun:
            await acme.use.tasks.wait(one.id)

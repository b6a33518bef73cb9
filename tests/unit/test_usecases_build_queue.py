"""A cancel at whatever stage a build is ends all its processes and leaves no folder; the next one in turn goes on."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from build import developer
from build.process import MARK
from federation.image import Image
from federation.names import ServiceName
from federation.transfer.blobs import ContentSource
from node.model.desired import ListKind
from node.model.task import Task, TaskState
from node.model.version import DevelopedService, GitSource
from tests.support.git_repo import GitRepo
from tests.support.nodes import WHO, Member, Network

SHOP = ServiceName("shop")
RECIPE = """
[services.{name}.build]
commands = [ {{ run = ["sh", "-c", "{script}"] }} ]
copy = [ {{ from = "run" }} ]
[services.{name}.run]
command = ["./run"]
"""


async def develop(acme: Member, folder: Path, name: str, script: str) -> GitRepo:
    """A service of ``acme`` whose build runs ``script``."""
    repo = GitRepo(folder / name)
    repo.write("vupdate.toml", RECIPE.format(name=name, script=script))
    repo.write("run", "#!/bin/sh\n", executable=True)
    repo.commit()
    source = GitSource(name=name, url=repo.url)
    await acme.use.services.add(DevelopedService(name=ServiceName(name), sources=(source,)), who=WHO)
    return repo


@pytest.fixture
async def acme(tmp_path: Path) -> AsyncIterator[Member]:
    """A node that takes builds on, without a sandbox."""
    network = Network(tmp_path)
    network.add("acme")
    with (tmp_path / "acme" / "config.toml").open("a") as config:
        config.write('[build]\nsandbox = "off"\n')
    acme = network.restart("acme")
    async with acme.use.tasks.running():
        yield acme


async def begin(acme: Member, service: str = "shop") -> Task:
    return await acme.use.builds.start(ServiceName(service), version=None, comment="", who=WHO)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


def processes_of(acme: Member) -> list[str]:
    """The processes of the builds of ``acme``."""
    mark = f"{MARK}={acme.folder / 'work'}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def work_of(acme: Member) -> list[Path]:
    return list((acme.folder / "work").glob("*"))


async def cancelled(acme: Member, task: Task) -> None:
    """Cancel ``task``, and see that nothing of it is left, and that the next build of the service works."""
    assert (await acme.use.tasks.cancel(task.id, who=WHO)).state is TaskState.CANCELLED
    assert processes_of(acme) == []
    assert work_of(acme) == []
    assert await acme.use.versions.find(ListKind.DEVELOPER, SHOP, first=10) == []
    assert await acme.desired() == {}


async def test_cancelled_while_its_command_runs(acme: Member, tmp_path: Path) -> None:
    """The command, and what it left in the background in a session of its own; the build queued behind it is next."""
    started = tmp_path / "started"
    await develop(acme, tmp_path, "shop", f"(setsid sleep 300 &) ; touch {started}; sleep 300; true")
    first, second = await begin(acme), await begin(acme)
    await until(lambda: started.exists() and len(processes_of(acme)) >= 3)
    assert acme.use.tasks.waits_for(second).startswith(f"waits for 'Build shop' (task {first.id})")
    assert (await acme.use.tasks.cancel(second.id, who=WHO)).state is TaskState.CANCELLED
    assert len(processes_of(acme)) >= 3
    await cancelled(acme, first)


async def test_cancelled_while_sources_are_fetched(acme: Member, tmp_path: Path) -> None:
    """A server that does not answer: ``git`` and its helpers end."""
    await develop(acme, tmp_path, "shop", "true")
    async with await asyncio.start_server(_silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        source = GitSource(name="shop", url=f"https://127.0.0.1:{port}/shop.git")
        await acme.use.services.add(DevelopedService(name=SHOP, sources=(source,)), who=WHO)
        task = await begin(acme)
        await until(lambda: bool(processes_of(acme)))
        await cancelled(acme, task)


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize("stage", ["plan_copies", "carry_out", "scan_tree"])
async def test_cancelled_while_files_are_copied(
    acme: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Planned, copied, hashed: a thread does it, and is waited for before its folder goes."""
    await develop(acme, tmp_path, "shop", "true")
    reached, go_on = threading.Event(), threading.Event()
    real = getattr(developer, stage)

    def held(*given: object) -> object:
        reached.set()
        go_on.wait(30)
        return real(*given)

    monkeypatch.setattr(developer, stage, held)
    task = await begin(acme)
    await until(reached.is_set)
    asyncio.get_running_loop().call_later(0.2, go_on.set)
    await cancelled(acme, task)


async def test_cancelled_while_it_is_stored(acme: Member, tmp_path: Path) -> None:
    """Contents may be in the store by then; a version is not."""
    await develop(acme, tmp_path, "shop", "true")
    images, reached = acme.use.client_builds._images, asyncio.Event()
    keep = images.keep

    async def held(image: Image, contents: ContentSource) -> None:
        await keep(image, contents)
        reached.set()
        await asyncio.Event().wait()

    images.keep = held  # type: ignore[method-assign]
    task = await begin(acme)
    async with asyncio.timeout(30):
        await reached.wait()
    await cancelled(acme, task)
    images.keep = keep  # type: ignore[method-assign]
    again = await acme.use.tasks.wait((await begin(acme)).id)
    assert (again.state, again.result) == (TaskState.SUCCEEDED, "acme-1.0.0")


async def test_one_build_per_service_and_services_side_by_side_by_the_limit(acme: Member, tmp_path: Path) -> None:
    """Two places: shop and till build at once, the second shop and stock wait, and all are built in the end."""
    gate = tmp_path / "gate"
    for name in ("shop", "till", "stock"):
        await develop(acme, tmp_path, name, f"while ! test -e {gate}; do sleep 0.05; done")
    begun = [await begin(acme, name) for name in ("shop", "shop", "till", "stock")]
    await until(lambda: len(work_of(acme)) == 2)
    states = [(await acme.use.tasks.get(one.id)).state for one in begun]
    assert states == [TaskState.RUNNING, TaskState.QUEUED, TaskState.RUNNING, TaskState.QUEUED]
    gate.touch()
    ended = [await acme.use.tasks.wait(one.id) for one in begun]
    assert [one.result for one in ended] == ["acme-1.0.0", "acme-1.0.1", "acme-1.0.0", "acme-1.0.0"]
    assert work_of(acme) == []

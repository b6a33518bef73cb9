"""The examples, really built by their own build systems at several places, and what was built really run."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from build.confinement import Confinement
from build.developer import Built, DeveloperBuild, build_developer
from build.errors import BuildFailedError
from build.recipe import recipe_of
from build.sandbox import unavailable, unconnected
from build.source import SourceRequest
from federation.image import Kind
from federation.names import ServiceName
from federation.service import Run
from federation.servicefile import read_service
from federation.versions import DeveloperVersion
from tests.support.agent_node import AgentNode
from tests.support.agent_process import running_agent, unit_processes
from tests.support.git_repo import GitRepo
from tests.support.maven_downloads import downloads_of

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parents[2] / "examples"
NO_SANDBOX = asyncio.run(unavailable())
AWAY = (
    "No matching distribution", "Max retries exceeded", "Connection", "name resolution", "timed out",
    "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ECONNRESET", "Could not transfer artifact",
)  # fmt: skip
START_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Example:
    """One folder of the examples. ``tools``: what builds and runs it; ``answers``: a path and a part of its answer."""

    name: str
    tools: tuple[str, ...]
    answers: tuple[str, str]
    network: bool = False

    @property
    def missing(self) -> str:
        """Which tool is not here; empty: none."""
        return next((f"{tool} is not installed here" for tool in self.tools if shutil.which(tool) is None), "")


PRICELIST = Example(
    name="pricelist", tools=("pip3", "python3"), answers=("/api/prices?q=bolt+M8", "12.90"), network=True
)
SHOPFRONT = Example(name="shopfront", tools=("node", "npm"), answers=("/", "./assets/index-"), network=True)
METER = Example(name="meter", tools=("cc", "make"), answers=("/metrics", "meter_load "))
LEDGER = Example(name="ledger", tools=("java", "javac", "jar", "make"), answers=("/balances", "{}"))
BOOKINGS = Example(name="bookings", tools=("java", "javac", "mvn"), answers=("/bookings", "[]"), network=True)
EACH = (PRICELIST, SHOPFRONT, METER, LEDGER, BOOKINGS)
ALL = [pytest.param(one, id=one.name, marks=[pytest.mark.registry] if one.network else []) for one in EACH]


class Workshop:
    """One example as a repository, and its builds, each with folders of its own.

    Maven's downloads are those of the user's own builds where he has them: each build finds them in its cache, as an
    earlier one would have left them.
    """

    def __init__(self, example: Example, folder: Path) -> None:
        self.example = example
        self.folder = folder
        self.repo = GitRepo(folder / "repo")
        shutil.copytree(EXAMPLES / example.name, self.repo.folder, dirs_exist_ok=True)
        self._downloads = self._of_maven() if "mvn" in example.tools else None
        self.repo.commit("An example")
        self._builds: dict[str, Built] = {}
        self._away = ""

    def _of_maven(self) -> Path | None:
        work = self.folder / "downloads"
        work.mkdir()
        own = Path.home() / ".m2" / "repository"
        downloads = downloads_of(EXAMPLES / self.example.name, own=own, work=work)
        if downloads is not None:
            # What such a repository lacks is what nobody needed, and no reason to wait for a server.
            self.repo.write(".mvn/maven.config", "--offline\n")
        return downloads

    def build(self, place: str, *, sandbox: bool) -> Built:
        """The build at ``place``, made once; skipped where the registry has not answered another one."""
        if self._away:
            pytest.skip(self._away)
        if place not in self._builds:
            self._builds[place] = asyncio.run(self._build(self.folder / place, sandbox=sandbox))
        return self._builds[place]

    async def _build(self, folder: Path, *, sandbox: bool) -> Built:
        log: list[str] = []
        if self._downloads is not None:
            shutil.copytree(self._downloads, folder / "cache" / "packages" / self.example.name / "maven")
        request = DeveloperBuild(
            service=ServiceName(self.example.name),
            version=DeveloperVersion("acme-1.0.0"),
            sources=(SourceRequest(name=self.example.name, url=self.repo.url),),
            work=folder / "work",
            cache=folder / "cache",
            confinement=Confinement(sandbox=sandbox, no_own_network=await unconnected()),
        )
        try:
            return await build_developer(request, log.append)
        except BuildFailedError:
            if self.example.network and any(sign in line for line in log for sign in AWAY):
                self._away = "the package registry does not answer"
                pytest.skip(self._away)
            raise AssertionError("\n".join(log[-60:])) from None


@pytest.fixture(scope="module")
def workshop_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Example], Workshop]:
    """The workshop of an example; skipped where a tool is missing."""
    workshops: dict[str, Workshop] = {}

    def workshop(example: Example) -> Workshop:
        if example.missing:
            pytest.skip(example.missing)
        if example.name not in workshops:
            workshops[example.name] = Workshop(example, tmp_path_factory.mktemp(example.name))
        return workshops[example.name]

    return workshop


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def how_to_run(tree: Path, example: Example) -> Run:
    return read_service((tree / "vupdate.toml").read_bytes(), ServiceName(example.name)).run


@contextlib.contextmanager
def running(tree: Path, example: Example) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """What is in ``tree``, started as its service file says, on a port that is free; the port and the process."""
    run, port = how_to_run(tree, example), free_port()
    process = subprocess.Popen(
        [*run.command],
        cwd=tree,
        env={"PATH": os.environ["PATH"], **run.env, "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield port, process
    finally:
        process.kill()
        process.communicate(timeout=10)


def asked(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def asked_once_it_listens(port: int, path: str, process: subprocess.Popen[str]) -> str:
    """What ``path`` answers, asked until the service listens."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return asked(port, path)
        except urllib.error.HTTPError:
            raise
        except (ConnectionError, urllib.error.URLError):
            time.sleep(0.05)
    process.kill()
    raise AssertionError(f"the service does not listen:\n{process.communicate(timeout=10)[0][-4000:]}")


@pytest.mark.parametrize("example", ALL)
@pytest.mark.skipif(bool(NO_SANDBOX), reason=NO_SANDBOX or "there is a sandbox")
def test_two_sandboxed_builds_give_one_image(example: Example, workshop_of: Callable[[Example], Workshop]) -> None:
    """Neither the folder nor the downloads of an earlier build, nor the time, get into the image."""
    workshop = workshop_of(example)
    one, other = workshop.build("one", sandbox=True), workshop.build("quite/another", sandbox=True)
    assert one.tree != other.tree
    assert [entry.row() for entry in one.image] == [entry.row() for entry in other.image]
    assert one.image.digest == other.image.digest


@pytest.mark.parametrize("example", ALL)
def test_builds_without_a_sandbox_give_the_same_image(
    example: Example, workshop_of: Callable[[Example], Workshop]
) -> None:
    """At another place as a plain process: the same as before, and as in a sandbox where there is one."""
    workshop = workshop_of(example)
    plain, moved = workshop.build("plain", sandbox=False), workshop.build("plain, moved", sandbox=False)
    assert [entry.row() for entry in plain.image] == [entry.row() for entry in moved.image]
    if not NO_SANDBOX:
        assert [entry.row() for entry in plain.image] == [
            entry.row() for entry in workshop.build("one", sandbox=True).image
        ]


@pytest.mark.parametrize("example", ALL)
def test_only_what_runs_is_in_the_image(example: Example, workshop_of: Callable[[Example], Workshop]) -> None:
    """No sources of a compiler, no byte code, no packages of the build itself, and no path of where it was made."""
    workshop = workshop_of(example)
    built = workshop.build("plain", sandbox=False)
    unwanted = re.compile(r"\.pyc$|/RECORD$|node_modules|\.java$|\.c$|\.o$|\.map$|^Makefile$|^pom\.xml$|^lib/bin/")
    assert [entry.path for entry in built.image if unwanted.search(entry.path)] == []
    place = str(workshop.folder).encode()
    files = [path for path in built.tree.rglob("*") if path.is_file()]
    assert [path for path in files if place in path.read_bytes()] == []
    assert [path for path in files if path.read_bytes().startswith(b"#!")] == []


@pytest.mark.parametrize("example", ALL)
def test_what_was_built_runs_wherever_it_lies(
    example: Example, workshop_of: Callable[[Example], Workshop], tmp_path: Path
) -> None:
    """By the command of its recipe, as an agent runs it: healthy, useful, and ended by TERM within its grace.

    Once at its place and once at another, with the first one out of reach.
    """
    built = workshop_of(example).build("plain", sandbox=False)
    first, second = tmp_path / "first", tmp_path / "some" / "other place"
    shutil.copytree(built.tree, first)
    for tree in (first, second):
        with running(tree, example) as (port, process):
            assert json.loads(asked_once_it_listens(port, "/health", process))["healthy"] is True
            path, part = example.answers
            assert part in asked(port, path)
            process.terminate()
            assert process.wait(timeout=how_to_run(tree, example).stop.grace_seconds) in (0, 143, -15)
        if tree is first:
            second.parent.mkdir()
            first.rename(second)


@pytest.mark.parametrize("example", ALL)
async def test_an_agent_installs_and_runs_it(
    example: Example, workshop_of: Callable[[Example], Workshop], node: AgentNode, home: Path
) -> None:
    """Through probation by its health check, its data in their own folder; and it is stopped as the recipe says."""
    workshop = workshop_of(example)
    built = await asyncio.to_thread(workshop.build, "plain", sandbox=False)
    files = {
        entry.path + ("*" if entry.kind is Kind.EXECUTABLE else ""): (built.tree / entry.path).read_bytes()
        for entry in built.image
        if entry.digest is not None
    }
    port = free_port()
    # What a site does that has another port.
    own = how_to_run(built.tree, example).env["PORT"].encode()
    files["vupdate.toml"] = files["vupdate.toml"].replace(own, b"%d" % port)
    async with running_agent(home):
        await node.assign(node.publish(example.name, "acme-1.0.0", files))
        await node.until_state(example.name, lambda state: state.committed == "acme-1.0.0", seconds=60)
        path, part = example.answers
        assert part in await asyncio.to_thread(asked, port, path)
        assert len(unit_processes(home, example.name)) == 1
        await node.assign()
        await node.until(lambda: node.state_of(example.name) is None, seconds=60)
    assert unit_processes(home, example.name) == []
    assert node.faults == []


def test_the_recipe_asks_for_the_network_only_where_it_fetches() -> None:
    """And each recipe's health address is that of the port it hands over."""
    for example in EACH:
        recipe = recipe_of((EXAMPLES / example.name / "vupdate.toml").read_bytes(), ServiceName(example.name))
        run = recipe.service.run
        assert recipe.network == example.network
        assert run.health.http == f"http://127.0.0.1:{run.env['PORT']}/health"

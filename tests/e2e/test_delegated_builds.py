"""Builds at peers, with real nodes: ordered by the command line, lost and found again, cancelled, run in the end."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.cli.demo import queries
from node.cli.demo.api import Data, NodeApi
from tests.support.processes import SERVICE, Sources, Stage, stage

pytestmark = pytest.mark.e2e

TASKS = "{ tasks(first: 10) { id kind state title waitsFor } }"


class Peers:
    """globex, and providers of it that build for it."""

    def __init__(self, on: Stage) -> None:
        self.on = on

    async def add_builder(self, name: str, globex: NodeApi) -> NodeApi:
        """A provider of globex that takes its orders; sources may be fetched from this stage's folder."""
        await self.on.make_node(name)
        await self.on.kill(name)
        with (self.on.folder / name / "config.toml").open("a") as config:
            config.write("[build]\npeers_load = 1000\npeers_without_sandbox = true\n")
            config.write(f'peers_sources = ["{self.on.folder.parent}/"]\n')
        api = await self.on.start_node(name)
        await self.on.link(api, globex)
        await self.on.processes.run(
            "consumer", "rights", "globex", "--allow", "builds", "--data", str(self.on.folder / name)
        )
        return api

    async def ordered(self, *arguments: str) -> str:
        """What ``vupdate`` prints at globex."""
        return await self.on.processes.run(*arguments, "--data", str(self.on.folder / "globex"))

    async def log(self, kind: str = "BUILD") -> str:
        """The log of globex's newest task of a kind."""
        found = json.loads(await self.ordered("tasks", "list", "--json"))
        task = next(one["id"] for one in found if one["kind"] == kind)
        return await self.ordered("tasks", "log", task)


@contextlib.asynccontextmanager
async def peers(folder: Path, *names: str) -> AsyncIterator[tuple[Peers, NodeApi, Sources]]:
    """globex with ``names`` to build for it, and the sources of a service that it develops."""
    async with stage(folder / "stage") as on:
        found = Peers(on)
        globex = await on.make_node("globex")
        for name in names:
            await found.add_builder(name, globex)
        sources = Sources(folder / "sources", next(on.ports))
        sources.say("built elsewhere")
        await globex.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        yield found, globex, sources


def slow(sources: Sources, command: str) -> None:
    """Have the build run ``command`` first."""
    recipe = sources.folder / "vupdate.toml"
    begin = "[services.hello.build]"
    recipe.write_text(recipe.read_text().replace(begin, f"{begin}\ncommands = [ {{ run = {command} }} ]"))
    sources.say("built slowly")


async def test_what_a_peer_built_is_run_here(tmp_path: Path) -> None:
    """globex orders at acme, sees its log, signs the version itself, and its agent runs it; acme's word stays."""
    async with peers(tmp_path, "acme") as (peer, globex, sources):
        await globex.ask(queries.SET_PROFILE, name="self", services=[SERVICE])
        await peer.on.attach_agent(globex)
        await peer.ordered("build", SERVICE, "--on", "any")
        told = await peer.log()
        assert "acme took the order" in told
        assert "acme: hello: " in told, "the builder's own log came along"
        await peer.on.runs(globex, "globex-1.0.0")
        (said,) = json.loads(await peer.ordered("versions", "provenance", SERVICE, "globex-1.0.0", "--json"))
        assert (said["node"], said["same"]) == ("acme", True)
        await peer.ordered("versions", "rebuild", SERVICE, "globex-1.0.0")
        assert "globex built the same image" in await peer.log("REBUILD")
        assert not list((peer.on.folder / "acme/work/peers").glob("*/*/sources"))
        assert sources.folder.is_dir()


async def test_a_builder_that_is_killed_loses_the_order(tmp_path: Path) -> None:
    """acme dies in the middle and comes back without the order: beta builds it. What acme had begun is gone."""
    async with peers(tmp_path, "acme", "beta") as (peer, _, sources):
        slow(sources, '["sh", "-c", "echo begun; sleep 4"]')

        async def build() -> str:
            return await peer.ordered("build", SERVICE, "--on", "acme", "--on", "beta")

        async with asyncio.TaskGroup() as group:
            building = group.create_task(build())
            acme = NodeApi.of(peer.on.session, "acme", peer.on.folder / "acme")

            def begun(data: Data) -> bool:
                return any(one["kind"] == "PEER_BUILD" and one["state"] == "RUNNING" for one in data["tasks"])

            await acme.until("the build is under way at acme", TASKS, begun, within=30)
            await peer.on.kill("acme")
            await peer.on.start_node("acme")
        assert "globex-1.0.0" in building.result()
        told = await peer.log()
        assert "the order goes elsewhere" in told
        assert "beta took the order" in told


async def test_a_cancel_ends_the_build_at_the_peer(tmp_path: Path) -> None:
    """The task at globex is cancelled; at acme nothing of it runs any more."""
    async with peers(tmp_path, "acme") as (peer, globex, sources):
        slow(sources, '["sleep", "300"]')
        await peer.ordered("build", SERVICE, "--on", "acme", "--no-wait")
        acme = NodeApi.of(peer.on.session, "acme", peer.on.folder / "acme")

        def state(data: Data) -> str:
            return next((str(one["state"]) for one in data["tasks"] if one["kind"] == "PEER_BUILD"), "")

        await acme.until("the build runs", TASKS, lambda data: state(data) == "RUNNING", within=30)
        task = next(one["id"] for one in (await globex.ask(TASKS))["tasks"])
        await peer.ordered("tasks", "cancel", task)
        await acme.until("it is cancelled", TASKS, lambda data: state(data) == "CANCELLED", within=30)
        assert "cancelled" in await peer.ordered("build", "explain", task)

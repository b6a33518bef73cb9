"""Builds by a consumer that its provider can't dial, with real nodes: it calls in for work."""

import asyncio
import json
from pathlib import Path

import pytest

from node.cli.demo import queries
from node.cli.demo.api import Data
from tests.support.processes import SERVICE, Sources, stage

pytestmark = pytest.mark.e2e

TASKS = "{ tasks(first: 10) { id kind state title waitsFor } }"


async def test_a_consumer_behind_nat_builds_for_its_provider(tmp_path: Path) -> None:
    """acme's address leads nowhere; what it builds is globex's version, its log comes live, and a cancel reaches it."""
    async with stage(tmp_path / "stage") as on:
        globex, acme = await on.make_node("globex"), await on.make_node("acme")
        await on.kill("acme")
        config = on.folder / "acme/config.toml"
        # It says of itself that it is at a place where nobody is: whoever dialled it would find nothing.
        lines = [line for line in config.read_text().splitlines() if not line.startswith("url")]
        lines.insert(0, 'url = "http://acme.invalid:7420"')
        lines += ["[build]", "peers_load = 1000", "peers_without_sandbox = true"]
        lines.append(f'peers_sources = ["{on.folder.parent}/"]')
        config.write_text("\n".join(lines) + "\n")
        acme = await on.start_node("acme")
        await on.link(globex, acme)
        sources = Sources(tmp_path / "sources", next(on.ports))
        sources.say("built by a consumer")
        await globex.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])

        async def run(*arguments: str, at: str = "globex") -> str:
            return await on.processes.run(*arguments, "--data", str(on.folder / at))

        assert json.loads(await run("builders", "--json")) == []
        await run("provider", "builds", "globex", "on", at="acme")
        assert json.loads(await run("provider", "list", "--json", at="acme"))[0]["builds"] is True
        # Named before it has called in, the order waits for it.
        assert "globex-1.0.0" in await run("build", SERVICE, "--on", "acme")
        (listed,) = json.loads(await run("builders", "--json"))
        assert (listed["name"], listed["kind"]) == ("acme", "CONSUMER")
        (said,) = json.loads(await run("versions", "provenance", SERVICE, "globex-1.0.0", "--json"))
        assert (said["node"], said["same"]) == ("acme", True)

        recipe = sources.folder / "vupdate.toml"
        begin = "[services.hello.build]"
        wait = 'commands = [ { run = ["sh", "-c", "echo begun; sleep 300"] } ]'
        recipe.write_text(recipe.read_text().replace(begin, f"{begin}\n{wait}"))
        sources.say("never built")
        await run("build", SERVICE, "--on", "acme", "--no-wait")

        def stand(data: Data) -> str:
            return next((str(one["state"]) for one in data["tasks"] if one["kind"] == "PEER_BUILD"), "")

        await acme.until("the build runs", TASKS, lambda data: stand(data) == "RUNNING", within=30)
        task = next(one["id"] for one in (await globex.ask(TASKS))["tasks"] if one["state"] == "RUNNING")
        async with asyncio.timeout(20):
            while "acme: begun" not in await run("tasks", "log", task):
                await asyncio.sleep(0.2)
        await run("tasks", "cancel", task)
        await acme.until("it is cancelled there", TASKS, lambda data: stand(data) == "CANCELLED", within=30)
        assert not list((on.folder / "acme/work/peers").glob("*/*/sources"))

"""Real nodes and a real agent: one of them gets a new key by the command line, and the others follow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from node.cli.demo import queries
from tests.support.processes import SERVICE, Sources, Stage, stage

pytestmark = pytest.mark.e2e


def vupdate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command run to its end, with nobody to be asked."""
    command = [sys.executable, "-m", "node.cli.main", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


async def rotated(on: Stage, name: str) -> dict[str, str]:
    """Stop a node, give it a new key, start it again: what the command said."""
    data = str(on.folder / name)
    running = vupdate("key", "rotate", "--data", data, "--yes")
    assert (running.returncode, "a node is running on" in running.stderr) == (5, True)
    await on.kill(name)
    asked = vupdate("key", "rotate", "--data", data)
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    done = vupdate("key", "rotate", "--data", data, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    await on.start_node(name)
    found: dict[str, str] = json.loads(done.stdout)
    return found


async def test_a_consumer_and_its_agent_follow_and_go_on(tmp_path: Path) -> None:
    """acme, then globex change their keys; a version released after that runs at globex by itself."""
    async with stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme"), await on.make_node("globex")
        await on.link(acme, globex)
        await on.attach_agent(globex)
        port = next(on.ports)
        sources = Sources(tmp_path / "sources", port)
        sources.say("first")
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        assert await on.build(acme) == "acme-1.0.0"
        await on.runs(globex, "acme-1.0.0")

        told = {name: await rotated(on, name) for name in ("acme", "globex")}
        acme, globex = [type(acme).of(on.session, name, on.folder / name) for name in ("acme", "globex")]
        assert (await acme.ask("{ node { id } }"))["node"]["id"] == told["acme"]["newId"]
        assert await on.text_at(port) == "first"
        sources.say("second")
        assert await on.build(acme) == "acme-1.0.1"
        await on.runs(globex, "acme-1.0.1")
        assert await on.text_at(port) == "second"

        found = await globex.ask("{ providers { name id } pins { node keyId changes } alarms { id } }")
        assert [(one["name"], one["id"]) for one in found["providers"]] == [("acme", told["acme"]["newId"])]
        assert [(one["node"], one["keyId"], one["changes"]) for one in found["pins"]] == [
            ("acme", told["acme"]["newId"], 1)
        ]
        assert found["alarms"] == []
        (consumer,) = (await acme.ask("{ consumers { name id } }"))["consumers"]
        assert consumer == {"name": "globex", "id": told["globex"]["newId"]}
        config = (on.folder / "globex-agent" / "agent.toml").read_text()
        status = json.loads(vupdate("agent", "status", "--home", str(on.folder / "globex-agent"), "--json").stdout)
        assert status["problem"] == ""
        key = (await globex.ask("{ node { key } }"))["node"]["key"]
        assert key in config, "the agent knows its node by the new key"

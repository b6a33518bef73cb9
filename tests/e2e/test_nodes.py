"""Real nodes and agents: what is killed comes back and catches up; what is wrong at the start says so."""

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from node.cli.demo import queries
from node.cli.demo.api import Data, StepError
from tests.support.processes import SERVICE, Sources, stage

pytestmark = pytest.mark.e2e


async def test_a_killed_node_catches_up_with_what_it_missed(tmp_path: Path) -> None:
    """globex is killed -9, acme releases two versions meanwhile; after its start globex runs the newest by itself."""
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
        assert await on.text_at(port) == "first"
        await on.kill("globex")
        assert await on.text_at(port) == "first"
        for greeting in ("second", "third"):
            sources.say(greeting)
            await on.build(acme)
        globex = await on.start_node("globex")
        await on.runs(globex, "acme-1.0.2")
        assert await on.text_at(port) == "third"
        transfers = (await globex.ask(queries.TRANSFERS))["transfers"]
        assert [one["version"] for one in transfers] == ["acme-1.0.2", "acme-1.0.0"]


async def test_a_provider_killed_while_linked_is_followed_again(tmp_path: Path) -> None:
    """After the provider's return the consumer connects by itself and takes what is new."""
    async with stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme"), await on.make_node("globex")
        await on.link(acme, globex)
        sources = Sources(tmp_path / "sources", next(on.ports))
        sources.say("first")
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        await on.kill("acme")

        def away(data: Data) -> bool:
            return not data["providers"][0]["connected"]

        await globex.until("acme is away", queries.PROVIDERS, away, within=60)
        acme = await on.start_node("acme")
        await on.build(acme)
        await globex.until(
            "the version is here",
            "{ desired(kind: DEVELOPER) { versions { service version } } }",
            lambda data: data["desired"]["versions"] == [{"service": SERVICE, "version": "acme-1.0.0"}],
            within=60,
        )


async def test_a_build_cut_off_by_a_kill_is_shown_as_interrupted_and_leaves_nothing(tmp_path: Path) -> None:
    """A node killed while it builds says so after its start; no version appeared, and the next build works."""
    async with stage(tmp_path / "stage") as on:
        acme = await on.make_node("acme")
        sources = Sources(tmp_path / "sources", next(on.ports))
        recipe = sources.folder / "vupdate.toml"
        whole = recipe.read_text()
        slow = whole.replace(
            "[services.hello.build]",
            '[services.hello.build]\ncommands = [ { run = ["sleep", "300"], timeout = "10m" } ]',
        )
        recipe.write_text(slow)
        sources.say("slow")
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        task = (await acme.ask(queries.BUILD, service=SERVICE))["build"]["id"]
        await acme.until(
            "the build runs", queries.TASK, lambda data: data["task"]["state"] == "RUNNING", within=30, id=task
        )
        await on.kill("acme")
        acme = await on.start_node("acme")
        assert (await acme.ask(queries.TASK, id=task))["task"]["state"] == "INTERRUPTED"
        assert (await acme.ask(queries.VERSIONS, kind="DEVELOPER", service=SERVICE))["versions"] == []
        recipe.write_text(whole)
        sources.say("quick")
        assert await on.build(acme) == "acme-1.0.0"


async def test_the_same_data_and_the_same_port_are_refused_with_the_reason(tmp_path: Path) -> None:
    """A second process on the same data, or a node on a port in use, ends at once and says what to do."""
    async with stage(tmp_path / "stage") as on:
        await on.make_node("acme")
        with pytest.raises(StepError, match="running on"):
            await on.processes.start("second", "serve", "--json", "--data", str(on.folder / "acme"))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            data = str(tmp_path / "other")
            await on.processes.run("init", "--name", "other", "--port", str(port), "--data", data)
            with pytest.raises(StepError, match="can't be used"):
                await on.processes.start("other", "serve", "--json", "--data", data)


async def test_secrets_are_for_the_owner_only_and_stand_in_no_log(tmp_path: Path) -> None:
    """Key, database and access token can't be read by others; no secret is in a log."""
    async with stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme"), await on.make_node("globex")
        await acme.ask(queries.SET_PROFILE, name="public", services=[SERVICE])
        invitation = (await acme.ask(queries.INVITE, profile="public"))["createInvitation"]["text"]
        await globex.ask(queries.ACCEPT, text=invitation)
        link = (await acme.ask(queries.LOGIN_LINK))["createLoginLink"]["url"]
        data = on.folder / "acme"
        token = json.loads((data / "run" / "access.json").read_bytes())["token"]
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        for secret_file in (data / "keys" / "node.pem", data / "run" / "access.json"):
            assert stat.S_IMODE(secret_file.stat().st_mode) == 0o600
        written = b"".join(path.read_bytes() for path in (on.folder / "logs").glob("*.log"))
        for secret in (invitation, link.rpartition("/")[2], token):
            assert secret.encode() not in written


def test_a_node_that_is_not_there_is_named_with_the_way_out(tmp_path: Path) -> None:
    """Asking a node that does not run ends with status 3 and says how to start it."""
    command = [sys.executable, "-m", "node.cli.main", "status", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 3
    assert "vupdate serve" in done.stderr

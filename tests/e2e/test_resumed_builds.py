"""A real node killed in the middle of a build leaves nothing of it behind, and the build is resumed."""

import asyncio
from pathlib import Path

import pytest

from build.sandbox import unavailable
from node.cli.demo import queries
from tests.support.processes import SERVICE, Sources, stage

pytestmark = pytest.mark.e2e
RESUME = "mutation ($id: ID!) { resumeTask(id: $id) { id resumedFrom } }"


def alive(word: str) -> list[int]:
    """The processes that have ``word`` in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if word.encode() in words:
            found.append(int(path.parent.name))
    return found


async def gone(word: str) -> None:
    async with asyncio.timeout(20):
        while alive(word):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("sandbox", ["on", "off"])
async def test_a_build_cut_off_by_a_kill_is_resumed_and_leaves_nothing(tmp_path: Path, sandbox: str) -> None:
    """Its processes end, its folder goes, the resumed task names the old one and succeeds."""
    if sandbox == "on" and (why := await unavailable()):
        pytest.skip(why)
    async with stage(tmp_path / "stage") as on:
        acme = await on.make_node("acme")
        await on.kill("acme")
        data = on.folder / "acme"
        with (data / "config.toml").open("a") as config:
            config.write(f'[build]\nsandbox = "{sandbox}"\n')
        acme = await on.start_node("acme")
        port = next(on.ports)
        sources = Sources(tmp_path / "sources", port)
        recipe = sources.folder / "vupdate.toml"
        whole = recipe.read_text()
        # A number that no other process has, to find the sleeper and the daemon that it leaves by.
        mark = f"300.{port}"
        script = f"(setsid sleep {mark} &) ; sleep {mark}"
        command = f'commands = [ {{ run = ["sh", "-c", "{script}"], timeout = "10m" }} ]'
        recipe.write_text(whole.replace("[services.hello.build]", f"[services.hello.build]\n{command}"))
        sources.say("slow")
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        task = (await acme.ask(queries.BUILD, service=SERVICE))["build"]["id"]
        async with asyncio.timeout(60):
            while len(alive(mark)) < 2:
                await asyncio.sleep(0.05)
        assert [path.name for path in (data / "work").iterdir()] == [f"{SERVICE}-acme-1.0.0"]
        await on.kill("acme")
        acme = await on.start_node("acme")
        await gone(mark)
        assert list((data / "work").iterdir()) == []
        assert (await acme.ask(queries.TASK, id=task))["task"]["state"] == "INTERRUPTED"
        recipe.write_text(whole)
        sources.say("quick")
        again = (await acme.ask(RESUME, id=task))["resumeTask"]
        assert again["resumedFrom"] == task
        done = await acme.until(
            "the resumed build",
            queries.TASK,
            lambda found: found["task"]["state"] not in ("QUEUED", "RUNNING"),
            within=60,
            id=again["id"],
        )
        assert (done["task"]["state"], done["task"]["result"]) == ("SUCCEEDED", "acme-1.0.0")
        assert list((data / "work").iterdir()) == []

"""A real node makes client versions by itself as its settings repository moves, also after a kill and an outage."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from node.cli.demo import queries
from node.cli.demo.api import Data, NodeApi
from tests.support.git_repo import GitRepo
from tests.support.processes import RECIPE, SERVER, SERVICE, stage

pytestmark = pytest.mark.e2e
SERVICES = """{ services { name clientDesired watched looks { commit failed error tried } }
  alarms { kind } tasks(first: 50) { kind who state result } }"""
WATCH = "mutation ($service: String!) { watchSettings(service: $service, watch: ON) { watch } }"


def one(data: Data) -> dict[str, Any]:
    """The service."""
    found: dict[str, Any]
    (found,) = [service for service in data["services"] if service["name"] == SERVICE]
    return found


async def desired(api: NodeApi, version: str) -> Data:
    return await api.until(
        f"{version} is desired", SERVICES, lambda data: one(data)["clientDesired"] == version, within=60
    )


async def looked_at(api: NodeApi, commit: str) -> Data:
    """What the node knows once it has looked at the settings and found ``commit``, twice."""
    moments: set[str] = set()

    def twice(data: Data) -> bool:
        found = [look for look in one(data)["looks"] if look["commit"] == commit and not look["failed"]]
        moments.update(look["tried"] for look in found)
        return len(moments) > 1

    return await api.until("two looks", SERVICES, twice, within=60)


async def test_commits_to_the_settings_become_client_versions(tmp_path: Path) -> None:
    """One for each commit that changes something; none without; none is lost by a kill or while they are away."""
    async with stage(tmp_path / "stage") as on:
        await on.make_node("acme")
        await on.kill("acme")
        data = on.folder / "acme"
        with (data / "config.toml").open("a") as config:
            config.write("settings_watch_seconds = 5\n")
        acme = await on.start_node("acme")
        sources, site = GitRepo(tmp_path / "sources"), GitRepo(tmp_path / "site")
        sources.write("vupdate.toml", RECIPE.format(port=next(on.ports)))
        sources.write("serve.py", SERVER)
        sources.write("greeting.txt", "plain")
        sources.commit()
        site.write("greeting.txt", "ours 0")
        site.commit()
        await acme.ask(queries.SET_PROFILE, name="self", services=[SERVICE])
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": sources.url}])
        await acme.ask(queries.SET_SITE, service=SERVICE, overlays=[{"name": "site", "url": site.url, "ref": "main"}])
        await acme.ask(WATCH, service=SERVICE)
        await on.build(acme)
        await desired(acme, "acme-1.0.0")

        site.write("greeting.txt", "ours 1")
        commit = site.commit()
        assert one(await desired(acme, "acme-1.0.0_1"))["watched"]
        found = await looked_at(acme, commit)
        made = [task for task in found["tasks"] if task["kind"] == "CLIENT_BUILD"]
        assert [(task["who"], task["result"]) for task in made] == [
            ("settings", "acme-1.0.0_1"),
            ("auto-update", "acme-1.0.0"),
        ]

        await on.kill("acme")
        site.write("greeting.txt", "ours 2")
        site.commit()
        acme = await on.start_node("acme")
        await desired(acme, "acme-1.0.0_2")

        hidden = site.folder.rename(tmp_path / "away")
        await acme.until("it is missed", SERVICES, lambda data: one(data)["looks"][0]["failed"] > 0, within=60)
        await asyncio.to_thread(hidden.rename, site.folder)
        site.write("greeting.txt", "ours 3")
        commit = site.commit()
        await desired(acme, "acme-1.0.0_3")
        found = await looked_at(acme, commit)
        assert found["alarms"] == []
        assert len([task for task in found["tasks"] if task["kind"] == "CLIENT_BUILD"]) == 4
        assert list((data / "work").glob("*client*")) == []

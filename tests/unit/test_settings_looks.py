"""Settings repositories are asked for their commits: seldom, once each, and with patience for those that are away."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from build.errors import SourceError, SourceUnreachableError
from node.model.settings import Watch
from node.usecases.changes import Topic
from node.usecases.settings_looks import ALARM, SIDE_BY_SIDE, SettingsLooks
from tests.support.git_repo import GitRepo
from tests.support.nodes import WHO
from tests.support.watched_site import EVERY, FILES, SHOP, Site, watched_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A node whose shop has a client version made of settings that are watched."""
    async with watched_site(tmp_path) as found:
        yield found


async def test_services_that_share_a_repository_ask_once(site: Site) -> None:
    """One question for all; each gets its client version. What a build fetched is known without a question."""
    recipe = {"vupdate.toml": FILES["vupdate.toml"].replace(b"shop", b"till")}
    await site.member.develop("till", "acme-1.0.0", FILES | recipe)
    await site.adapt("till", watch=Watch.ON)
    await site.look(EVERY * 1.2)
    before = site.asked.counts[site.repo.url, "main"]
    site.commit("x = 3\n")
    await site.look(EVERY * 1.2)
    assert site.asked.counts[site.repo.url, "main"] == before + 1
    assert (await site.client("shop"), await site.client("till")) == ("acme-1.0.0_1", "acme-1.0.0_1")
    site.commit("x = 4\n")
    begun = await site.member.use.client_builds.start(SHOP, who=WHO)
    await site.member.use.tasks.wait(begun.id)
    await site.settle()
    assert site.asked.counts[site.repo.url, "main"] == before + 1
    assert (await site.client("shop"), await site.client("till")) == ("acme-1.0.0_2", "acme-1.0.0_2")


async def test_a_server_that_is_away_is_borne_with(site: Site) -> None:
    """One line in the log, growing pauses, an alarm after three failures, which its return settles."""
    url = site.repo.url
    site.asked.away[url] = SourceUnreachableError(f"{url}: its server does not answer")
    with structlog.testing.capture_logs() as lines:
        for _ in range(40):
            await site.look(EVERY * 1.2)
    told = [line["event"] for line in lines if line["log_level"] != "info"]
    assert told == ["settings repository is not seen", "alarm"]
    look, asked = site.looks.known[url, "main"], site.asked.counts[url, "main"]
    assert (look.failed, "does not answer" in look.error) == (asked, True)
    assert 5 < asked < 25
    assert await site.member.alarms() == {ALARM: url}
    assert len(await site.tasks()) == 1
    site.asked.away.clear()
    site.commit("x = 3\n")
    await site.look(4000)
    assert site.looks.known[url, "main"].failed == 0
    assert await site.member.alarms() == {}
    assert await site.client() == "acme-1.0.0_1"


async def test_an_alarm_goes_with_its_cause(site: Site) -> None:
    """Also where a build saw the server first, and where the settings are watched no more."""
    url = site.repo.url

    async def missed() -> None:
        site.asked.away[url] = SourceUnreachableError(f"{url}: its server does not answer")
        while not await site.member.alarms():
            await site.look(4000)
        site.asked.away.clear()

    await missed()
    begun = await site.member.use.client_builds.start(SHOP, who=WHO)
    await site.member.use.tasks.wait(begun.id)
    assert site.looks.known[url, "main"].failed == 0
    await site.look(4000)
    assert await site.member.alarms() == {}
    await missed()
    await site.member.use.services.watch_site(SHOP, Watch.OFF, who=WHO)
    await site.look()
    assert await site.member.alarms() == {}


async def test_one_server_that_is_away_holds_up_no_other(site: Site, tmp_path: Path) -> None:
    """So many hang that all places but one would be taken: the others are seen meanwhile."""
    hanging, seen = asyncio.Event(), asyncio.Event()

    async def ask(url: str, ref: str) -> str:
        if url.startswith("/away"):
            await hanging.wait()
        seen.set()
        return "a" * 40

    looks = SettingsLooks(
        ask=ask,
        alarms=site.member.use.alarms,
        clock=site.network.clock,
        rng=random.Random(1),
        every_seconds=EVERY,
    )
    used = [*((f"/away/{number}", "main") for number in range(SIDE_BY_SIDE - 1)), ("/there", "main")]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        looking = group.create_task(looks.look(used))
        await seen.wait()
        hanging.set()
        assert await looking
    assert {one.commit for one in looks.known.values()} == {"a" * 40}


@pytest.mark.parametrize("error", [SourceError("https://me:s3cret@git.example/site: bad"), OSError(12, "no memory")])
async def test_whatever_goes_wrong_is_kept_without_secrets(site: Site, error: Exception) -> None:
    """Neither ends the loop."""
    site.asked.away[site.repo.url] = error
    await site.look(EVERY * 1.2)
    look = site.looks.known[site.repo.url, "main"]
    assert look.failed == 1
    assert look.error
    assert "s3cret" not in look.error


async def test_the_loops_see_a_change_of_settings_at_once(site: Site, tmp_path: Path) -> None:
    """A repository that is new to the settings is asked without waiting for the next round; the loop ends when told."""
    other = GitRepo(tmp_path / "other")
    other.write("app.toml", "x = 7\n")
    other.commit()
    site.looks._every = 0.001
    watch, adaptation = site.member.use.settings_watch, site.member.use.adaptation
    async with asyncio.timeout(30), asyncio.TaskGroup() as group, site.member.use.changes.subscribe() as changes:
        loops = [group.create_task(watch.run()), group.create_task(adaptation.run())]
        await site.adapt("shop", url=other.url)
        async for change in changes:
            if change.topic in (Topic.DESIRED, Topic.SERVICES):
                seen = site.looks.known.get((other.url, "main"))
                if seen is not None and seen.commit and await site.client() == "acme-1.0.0_1":
                    break
        for loop in loops:
            loop.cancel()


async def test_a_node_that_watches_nothing_asks_nobody(site: Site) -> None:
    """Switched off for the node, a build still keeps what it was made of, and the loop ends at once."""
    watch = site.member.use.settings_watch
    watch._looks = None
    site.commit("x = 3\n")
    await watch.run()
    await watch.look()
    assert (await watch.known(), await watch.moved()) == (None, {})
    begun = await site.member.use.client_builds.start(SHOP, who=WHO)
    await site.member.use.tasks.wait(begun.id)
    made = await watch.made_of(SHOP)
    assert made is not None
    assert made.version == "acme-1.0.0_1"

"""Settings repositories are watched: another commit makes a client version by itself, and nothing else does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from federation.errors import AbsentError
from federation.names import NodeName, ServiceName
from node.model.desired import Delta, ListKind
from node.model.peer import AutoUpdate
from node.model.settings import SettingsCommit, Watch
from node.model.task import TaskState
from node.model.version import SiteSettings
from tests.support.clock import FIXED_START
from tests.support.git_repo import GitRepo
from tests.support.nodes import WHO, chain
from tests.support.watched_site import EVERY, FILES, SHOP, Site, watch_here, watched_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A node whose shop has a client version made of settings that are watched."""
    async with watched_site(tmp_path) as found:
        yield found


async def test_a_commit_makes_a_client_version_and_nothing_makes_none(site: Site) -> None:
    """It is made at the next look and desired; looks at the same commit make no task."""
    await site.look(EVERY * 1.2)
    assert len(await site.tasks()) == 1
    commit = site.commit("x = 3\n")
    await site.look(1)
    assert len(await site.tasks()) == 1
    await site.look(EVERY * 1.2)
    assert await site.client() == "acme-1.0.0_1"
    assert {one.who for one in (await site.tasks()) if one.result == "acme-1.0.0_1"} == {"settings"}
    made = await site.member.use.settings_watch.made_of(SHOP)
    assert made is not None
    assert (made.version, made.commits) == (
        "acme-1.0.0_1",
        (SettingsCommit(url=site.repo.url, ref="main", commit=commit),),
    )
    for _ in range(3):
        await site.look(EVERY * 1.2)
    assert len(await site.tasks()) == 2


async def test_a_commit_of_nothing_new_is_looked_into_once(site: Site) -> None:
    """One task says that nothing has changed; no version, no further task, after a restart neither."""
    site.repo.commit("nothing in it")
    await site.look(EVERY * 1.2)
    await site.look(EVERY * 1.2)
    assert [one.result for one in await site.tasks()] == ["acme-1.0.0", "acme-1.0.0"]
    again = site.network.restart("acme")
    after = watch_here(site.network, again, site.repo, site.asked.work)
    async with again.use.tasks.running():
        await after.look()
        assert len(await after.tasks()) == 2
        after.commit("x = 9\n")
        await after.look(EVERY * 1.2)
        assert await after.client() == "acme-1.0.0_1"


async def test_a_restart_between_the_commit_and_its_build_loses_nothing(site: Site) -> None:
    """The first look after it finds what had been found before."""
    site.commit("x = 3\n")
    site.network.clock.advance(EVERY * 1.2)
    await site.member.use.settings_watch.look()
    after = watch_here(site.network, site.network.restart("acme"), site.repo, site.asked.work)
    async with after.member.use.tasks.running():
        await after.settle()
        assert await after.client() == "acme-1.0.0"
        await after.look()
        assert await after.client() == "acme-1.0.0_1"


async def test_an_operators_choice_is_not_undone_by_a_commit_of_nothing_new(site: Site) -> None:
    """Put back to an older client version, it stays there until something in its settings is new."""
    site.commit("x = 3\n")
    await site.look(EVERY * 1.2)
    back = (Delta(service=SHOP, version="acme-1.0.0"),)
    await site.member.use.desired.set_now(ListKind.CLIENT, back, who=WHO, why="it was better")
    site.commit("for others\n", "other/file.txt")
    # In this test the whole repository is the overlay: what is put and taken away again is nothing new.
    site.repo.git("rm", "--quiet", "other/file.txt")
    site.repo.commit("taken away")
    await site.look(EVERY * 1.2)
    assert len(await site.tasks()) == 3
    assert await site.client() == "acme-1.0.0"
    site.commit("x = 4\n")
    await site.look(EVERY * 1.2)
    assert await site.client() == "acme-1.0.0_2"


async def test_a_failed_build_is_not_made_again_at_each_look(site: Site) -> None:
    """It has growing pauses for the same commits, and is made at once for another one."""
    broken = site.commit("x = = 3\n")
    await site.look(EVERY * 1.2)
    assert [one.state for one in await site.tasks()].count(TaskState.FAILED) == 1
    state = site.member.use.adaptation.state(SHOP)
    assert (state.failed, "app.toml" in state.error) == (1, True)
    site.member.use.adaptation._failures[SHOP].again = float("inf")
    await site.look(EVERY * 1.2)
    assert len(await site.tasks()) == 2
    assert site.looks.known[site.repo.url, "main"].commit == broken
    site.commit("x = 3\n")
    await site.look(EVERY * 1.2)
    assert await site.client() == "acme-1.0.0_1"
    assert site.member.use.adaptation.state(SHOP).failed == 0


async def test_a_failure_ends_when_its_commit_is_taken_back(site: Site) -> None:
    """A branch that is put back to the commit in use leaves nothing to do, and no failure to show."""
    good = site.repo.git("rev-parse", "HEAD")
    site.commit("x = = 3\n")
    await site.look(EVERY * 1.2)
    site.repo.git("reset", "--hard", "--quiet", good)
    await site.look(EVERY * 1.2)
    adaptation = site.member.use.adaptation
    adaptation._forget_failures({one.service for one in await adaptation._wanted()})
    assert adaptation.state(SHOP).failed == 0
    assert len(await site.tasks()) == 2


async def test_one_that_is_being_made_is_not_queued_again(site: Site) -> None:
    """A build by hand that waits for its turn will have the newest commits anyway."""
    site.commit("x = 3\n")
    site.network.clock.advance(EVERY * 1.2)
    await site.member.use.settings_watch.look()
    release = asyncio.Event()
    build = site.member.use.client_builds._build

    async def waits(*given: object) -> object:
        await release.wait()
        return await build(*given)  # type: ignore[arg-type]

    site.member.use.client_builds._build = waits  # type: ignore[assignment]
    begun = await site.member.use.client_builds.start(SHOP, who=WHO)
    await site.settle()
    assert len(await site.tasks()) == 2
    release.set()
    await site.member.use.tasks.wait(begun.id)
    await site.settle()
    assert len(await site.tasks()) == 2
    assert await site.client() == "acme-1.0.0_1"


async def test_what_is_not_watched_is_not_asked_for(site: Site) -> None:
    """Switched off, it is forgotten, and a commit waits; switched on, it is asked for at once."""
    services = site.member.use.services
    before = await services.site(SHOP)
    await services.watch_site(SHOP, Watch.OFF, who=WHO)
    site.commit("x = 3\n")
    await site.look(EVERY * 1.2)
    assert site.looks.known == {}
    assert len(await site.tasks()) == 1
    assert (await services.site(SHOP)).content == before.content
    await services.watch_site(SHOP, Watch.ON, who=WHO)
    await site.look()
    assert await site.client() == "acme-1.0.0_1"
    await services.set_site(SiteSettings(service=SHOP), who=WHO)
    assert (await services.site(SHOP)).watch is Watch.ON


async def test_only_what_has_settings_can_be_watched(site: Site) -> None:
    """A slip of the pen makes no service."""
    with pytest.raises(AbsentError, match="no settings for shpo"):
        await site.member.use.services.watch_site(ServiceName("shpo"), Watch.ON, who=WHO)
    assert [one.service for one in await site.member.use.services.sites()] == ["shop"]


@contextlib.asynccontextmanager
async def from_provider(tmp_path: Path) -> AsyncIterator[Site]:
    """Globex takes the shop from acme over a link that installs by itself, and adapts it."""
    network = await chain(tmp_path, "acme", "globex")
    await network.members["acme"].develop("shop", "acme-1.0.0", FILES)
    repo = GitRepo(tmp_path / "site")
    repo.write("app.toml", "x = 2\n")
    repo.commit()
    site = watch_here(network, network.members["globex"], repo, tmp_path / "asking")
    async with network.running():
        await site.member.auto_update("acme")
        await site.adapt("shop")
        await site.look()
        assert await site.client() == "acme-1.0.0"
        yield site


async def test_what_installs_by_itself_is_watched_unasked(tmp_path: Path) -> None:
    """Until the link says otherwise; then it is told what to do."""
    async with from_provider(tmp_path) as site:
        site.commit("x = 3\n")
        await site.look(EVERY * 1.2)
        assert await site.client() == "acme-1.0.0_1"
        await site.member.use.links.set_auto_update(NodeName("acme"), AutoUpdate.OFF, who=WHO)
        site.commit("x = 4\n")
        await site.look(EVERY * 1.2)
        assert await site.client() == "acme-1.0.0_1"
        await site.member.use.services.watch_site(SHOP, Watch.ON, who=WHO)
        await site.look()
        assert await site.client() == "acme-1.0.0_2"


async def test_a_closed_window_holds_a_commit_back(tmp_path: Path) -> None:
    """It is noticed, and built once the window opens: at 12:00 the window of the night is closed."""
    async with from_provider(tmp_path) as site:
        assert site.network.clock.now() == FIXED_START
        await site.member.use.following.set_window(NodeName("acme"), "daily 22:00-05:00", who=WHO)
        commit = site.commit("x = 3\n")
        await site.look(EVERY * 1.2)
        assert site.looks.known[site.repo.url, "main"].commit == commit
        assert await site.client() == "acme-1.0.0"
        await site.look(10 * 3600)
        assert await site.client() == "acme-1.0.0_1"

"""Settings repositories are watched: another commit makes a client version by itself, and nothing else does."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from build.errors import SourceError, SourceUnreachableError
from build.remote import remote_commit
from federation import codec
from federation.errors import AbsentError, InvalidValueError
from federation.names import NodeName, ServiceName
from federation.profile import SELF
from federation.versions import ClientVersion, DeveloperVersion
from node.config import Settings, create_node, load_settings
from node.model.desired import Delta, ListKind
from node.model.peer import AutoUpdate
from node.model.settings import MadeOf, SettingsCommit, Watch, is_watched, moved
from node.model.task import Task, TaskState
from node.model.version import GitSource, SiteSettings
from node.usecases.changes import Topic
from node.usecases.settings_looks import ALARM, SIDE_BY_SIDE, SettingsLooks
from tests.support.clock import FIXED_START, FakeClock
from tests.support.git_repo import GitRepo
from tests.support.nodes import WHO, Member, Network, chain

SHOP = ServiceName("shop")
EVERY = 300.0
FILES = {"vupdate.toml": b'[services.shop.run]\ncommand = ["./run"]\n', "run": b"#!/bin/sh\n", "app.toml": b"x = 1\n"}


@dataclass
class Asked:
    """Asks real repositories, and counts. ``away``: what is raised instead, by URL."""

    work: Path
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    away: dict[str, Exception] = field(default_factory=dict)

    async def __call__(self, url: str, ref: str) -> str | None:
        self.counts[url, ref] += 1
        if url in self.away:
            raise self.away[url]
        return await remote_commit(url, ref, work=self.work)


@dataclass
class Site:
    """A node whose settings lie in a repository."""

    network: Network
    member: Member
    repo: GitRepo
    asked: Asked

    @property
    def looks(self) -> SettingsLooks:
        looks = self.member.use.settings_watch._looks
        assert looks is not None
        return looks

    def commit(self, content: str, path: str = "app.toml") -> str:
        self.repo.write(path, content)
        return self.repo.commit()

    async def adapt(self, service: str, *, watch: Watch | None = None, url: str = "") -> None:
        overlays = (GitSource(name="site", url=url or self.repo.url, ref="main"),)
        await self.member.use.services.set_site(SiteSettings(service=ServiceName(service), overlays=overlays), who=WHO)
        if watch is not None:
            await self.member.use.services.watch_site(ServiceName(service), watch, who=WHO)

    async def look(self, seconds: float = 0.0) -> None:
        """What the watch and the adaptation do once, ``seconds`` from now, to the end of all that it sets off."""
        self.network.clock.advance(seconds)
        await self.member.use.settings_watch.look()
        await self.settle()

    async def settle(self) -> None:
        adaptation = self.member.use.adaptation
        async with asyncio.timeout(30):
            while due := [one for one in await adaptation._wanted() if adaptation._is_due(one)]:
                for one in due:
                    adaptation._running.add(one.service)
                    await adaptation._adapt(one)

    async def tasks(self) -> list[Task]:
        """All tasks, the first one first; as time may stand still, in the order of their keeping."""
        return (await self.member.use.tasks.find(first=100))[::-1]

    async def client(self, service: str = "shop") -> str:
        return (await self.member.use.desired.current(ListKind.CLIENT)).versions[ServiceName(service)]


def watch_here(network: Network, member: Member, repo: GitRepo, work: Path) -> Site:
    site = Site(network, member, repo, Asked(work))
    site.looks._ask = site.asked
    return site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A node that runs a service of its own, with settings that are watched and a client version made of them."""
    network = Network(tmp_path)
    acme = network.add("acme")
    await acme.share(SELF, "shop", "till")
    await acme.develop("shop", "acme-1.0.0", FILES)
    repo = GitRepo(tmp_path / "site")
    repo.write("app.toml", "x = 2\n")
    repo.commit()
    site = watch_here(network, acme, repo, tmp_path / "asking")
    await site.adapt("shop", watch=Watch.ON)
    async with network.running():
        await site.look()
        assert await site.client() == "acme-1.0.0"
        assert [one.who for one in await site.tasks()] == ["auto-update"]
        yield site


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


def test_settings_are_compared_as_before_they_were_watched() -> None:
    """A node that is updated does not make all its client versions anew."""
    settings = SiteSettings(service=SHOP, overlays=(GitSource(name="a", url="/b"),), macros={"c": "d"}, watch=Watch.OFF)
    assert settings.content == (
        b'{"service":"shop","overlays":[{"name":"a","url":"/b","ref":"HEAD","directory":""}],"macros":{"c":"d"}}'
    )
    assert codec.decode(settings.content, SiteSettings).watch is Watch.AUTO


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


LINK = st.sampled_from([None, *AutoUpdate])


@given(watch=st.sampled_from(Watch), link=LINK, adapted=st.booleans())
def test_off_is_off_and_by_itself_means_by_the_link(watch: Watch, link: AutoUpdate | None, *, adapted: bool) -> None:
    """What has no client version, and none coming, is never watched."""
    found = is_watched(watch, link=link, adapted=adapted)
    assert not (found and watch is Watch.OFF)
    assert not (found and link is None and not adapted)
    if watch is Watch.AUTO:
        assert found == (link is AutoUpdate.INSTALL)


COMMITS = st.lists(
    st.builds(
        SettingsCommit,
        url=st.sampled_from(["/a", "/b"]),
        ref=st.sampled_from(["HEAD", "main"]),
        commit=st.sampled_from(["a" * 40, "b" * 40]),
    ),
    max_size=4,
)


@given(used=COMMITS, seen=COMMITS, same=st.booleans())
def test_what_was_made_of_the_commits_that_are_seen_is_left_alone(
    used: list[SettingsCommit], seen: list[SettingsCommit], *, same: bool
) -> None:
    """Only commits that its last build had not are a reason; of another base, or of none known, all are."""
    base, other = DeveloperVersion("acme-1.0.0"), DeveloperVersion("acme-1.0.1")
    made = MadeOf(
        service=SHOP, base=base, version=ClientVersion("acme-1.0.0"), commits=tuple(used), at=FakeClock().now()
    )
    news = moved(made, base if same else other, seen)
    assert set(news) == (set(seen) - set(used) if same else set(seen))
    assert moved(None, base, seen) == tuple(seen)
    # Once it was made of them there is nothing more to do.
    after = MadeOf(service=SHOP, base=base, version=made.version, commits=tuple(seen), at=made.at)
    assert moved(after, base, seen) == ()


@pytest.mark.parametrize(("given", "seconds"), [("", 300), ("0", 0), ("5", 5), ("86400", 86_400)])
def test_how_often_is_a_setting_of_the_node(tmp_path: Path, given: str, seconds: int) -> None:
    """Nothing said: every five minutes; 0: never."""
    assert configured(tmp_path, given).settings_watch_seconds == seconds


@pytest.mark.parametrize("given", ["4", "-1", "86401", "true", "1.5", '"60"'])
def test_other_figures_are_refused(tmp_path: Path, given: str) -> None:
    """Servers are not asked without pause, and no slip of the pen switches the watch off."""
    with pytest.raises(InvalidValueError, match=r"settings_watch_seconds .* is neither 0 nor a number from 5 to 86400"):
        configured(tmp_path, given)


def configured(folder: Path, seconds: str) -> Settings:
    create_node(folder, name=NodeName("acme"), host="127.0.0.1", port=7420, url=None)
    with (folder / "config.toml").open("a") as config:
        config.write(f"settings_watch_seconds = {seconds}\n" if seconds else "")
    return load_settings(folder)


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

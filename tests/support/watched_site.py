"""A node whose settings lie in a real repository, and that counts how often it asks for it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from build.remote import remote_commit
from federation.names import ServiceName
from federation.profile import SELF
from node.model.desired import ListKind
from node.model.settings import Watch
from node.model.task import Task
from node.model.version import GitSource, SiteSettings
from node.usecases.settings_looks import SettingsLooks
from tests.support.git_repo import GitRepo
from tests.support.nodes import WHO, Member, Network

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


@contextlib.asynccontextmanager
async def watched_site(tmp_path: Path) -> AsyncIterator[Site]:
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

"""Watches the settings repositories of this site, and says which client versions rest on older commits.

Making them anew is for ``adaptation``. What each was made of is kept for good, so that neither a restart nor a commit
that changes nothing in them has them made again.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from federation.clock import Clock
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import ListKind
from node.model.peer import Provider
from node.model.settings import MadeOf, SettingsCommit, SettingsLook, Watch, is_watched, moved
from node.model.version import GitSource, SiteSettings
from node.model.window import Windows
from node.storage.repository import Repository
from node.usecases.changes import Change, ChangeHub, Topic
from node.usecases.desired import Desired
from node.usecases.patience import patience
from node.usecases.services import Services
from node.usecases.settings_looks import Place, SettingsLooks, plain_url
from node.usecases.versions import Versions

FIRST_SECONDS: Final = 30.0
_TOPICS: Final = frozenset({Topic.DESIRED, Topic.SERVICES})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """A service whose settings are watched. ``link``: the one that its base came by, if any."""

    base: DeveloperVersion
    site: SiteSettings
    link: Provider | None

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple((one.url, one.ref) for one in self.site.overlays)

    def seen(self, known: Mapping[Place, SettingsLook]) -> list[SettingsCommit]:
        """What is known of the commits of its settings."""
        looks = [known[place] for place in self.places if place in known]
        return [SettingsCommit(url=one.url, ref=one.ref, commit=one.commit) for one in looks if one.commit is not None]


class SettingsWatch:
    """The watch over the settings of this node's services."""

    def __init__(
        self,
        *,
        made: Repository[MadeOf],
        providers: Repository[Provider],
        services: Services,
        desired: Desired,
        versions: Versions,
        looks: SettingsLooks | None,
        hub: ChangeHub,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        """``looks``: none where nothing is watched on this node."""
        self._made = made
        self._providers = providers
        self._services = services
        self._desired = desired
        self._versions = versions
        self._looks = looks
        self._hub = hub
        self._clock = clock
        self._rng = rng
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Look at each settings repository when it is due, for as long as this runs."""
        if self._looks is None:
            return
        async with self._hub.subscribe(_TOPICS) as changes, asyncio.TaskGroup() as group:
            group.create_task(self._listen(changes))
            # Many nodes may start at once.
            await asyncio.sleep(self._rng.uniform(0.0, min(FIRST_SECONDS, self._looks.every_seconds)))
            while True:
                self._woken.clear()
                async with patience("settings repositories"):
                    await self.look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._looks.pause()):
                        await self._woken.wait()

    async def look(self) -> None:
        """Ask the repositories that are due, and tell that more is known of them."""
        if self._looks is None:
            return
        watched = await self._watched()
        if await self._looks.look({place for one in watched.values() for place in one.places}):
            self._hub.publish(Topic.SERVICES)

    async def known(self) -> Mapping[Place, SettingsLook] | None:
        """What is known of each settings repository; ``None``: nothing is watched on this node."""
        return None if self._looks is None else self._looks.known

    async def made_of(self, service: ServiceName) -> MadeOf | None:
        """What the last client version of ``service`` was made of."""
        return await self._made.get(service)

    async def moved(self) -> dict[ServiceName, tuple[SettingsCommit, ...]]:
        """The services whose settings have other commits than their client versions were made of, with these.

        One whose link has a window that is closed is left out until that opens.
        """
        if self._looks is None:
            return {}
        found: dict[ServiceName, tuple[SettingsCommit, ...]] = {}
        known, now = self._looks.known, self._clock.now()
        for service, one in (await self._watched()).items():
            if one.link is not None and Windows.parse(one.link.window).opens(now) is not None:
                continue
            seen = one.seen(known)
            if seen and (commits := moved(await self._made.get(service), one.base, seen)):
                found[service] = commits
        return found

    async def was_made(
        self,
        service: ServiceName,
        base: DeveloperVersion,
        version: ClientVersion,
        fetched: Sequence[tuple[GitSource, str]],
    ) -> None:
        """``version`` is what ``base`` becomes with the settings ``fetched``, each at its commit."""
        commits = tuple(
            SettingsCommit(url=plain_url(source.url), ref=source.ref, commit=commit) for source, commit in fetched
        )
        await self._made.put(MadeOf(service=service, base=base, version=version, commits=commits, at=self._clock.now()))
        self._hub.publish(Topic.SERVICES, service)
        if self._looks is None:
            return
        news = [self._looks.told((one.url, one.ref), commit) for one, commit in fetched]
        if any(news):
            # Others may use the same repository.
            self._hub.publish(Topic.SERVICES)

    async def _listen(self, changes: AsyncIterator[Change]) -> None:
        async for _ in changes:
            self._woken.set()

    async def _watched(self) -> dict[ServiceName, _Watched]:
        developer = (await self._desired.current(ListKind.DEVELOPER)).developer
        adapted = (await self._desired.current(ListKind.CLIENT)).versions
        links: dict[NodeName, Provider] = {one.name: one for one in await self._providers.find()}
        found: dict[ServiceName, _Watched] = {}
        for site in await self._services.sites():
            base = developer.get(site.service)
            if base is None or not site.overlays or site.watch is Watch.OFF:
                continue
            stored = await self._versions.get(ListKind.DEVELOPER, site.service, base)
            link = links.get(stored.received_from) if stored.received_from is not None else None
            by_itself = link.auto_update if link is not None else None
            if is_watched(site.watch, link=by_itself, adapted=site.service in adapted):
                found[site.service] = _Watched(base=base, site=site, link=link)
        return found

"""Publishes the catalogue of each profile, and says who may read it.

What it says comes from ``contents``; signing and the files are the publisher's. Published at once when something
changes, and looked at again every few minutes; whoever asks before that was done waits for it, so an old list is never
handed out.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from federation.catalog.publisher import CatalogPublisher
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, VUpdateError
from federation.names import ProfileName
from federation.profile import Profile
from node.model.desired import ListKind
from node.model.peer import Consumer, Right
from node.usecases.alarms import Alarms
from node.usecases.changes import Change, ChangeHub, Topic
from node.usecases.contents import Contents
from node.usecases.patience import patience
from node.usecases.profiles import Profiles
from node.usecases.shelf import Shelf
from node.usecases.versions import Versions

LOOK_AGAIN: Final = timedelta(minutes=10)
"""So often is signed again what the publisher says is due, and removed what it keeps for slow readers only."""

_JITTER: Final = 0.2
_TOPICS: Final = frozenset({Topic.DESIRED, Topic.PROFILES, Topic.TESTED, Topic.VERSIONS})
_TIMESTAMP: Final = "timestamp.json"
UNPUBLISHED: Final = "catalog-unpublished"
WITHHELD: Final = "private-withheld"


class NoCatalogError(AbsentError):
    """There is no such catalogue, or not for this reader: one answer for both, so nobody learns which there are."""

    def __init__(self) -> None:
        super().__init__("there is no such catalogue here, or it is not for you: ask the operator of this node")


def _changes_catalogs(change: Change) -> bool:
    """Whether a catalogue may say something else after ``change``. What runs at this site is in none."""
    return change.topic is not Topic.DESIRED or change.subject != ListKind.CLIENT.value


@dataclass(slots=True)
class _Catalog:
    """One profile's catalogue. ``generation``: of the state that it was last published from; -1: never yet."""

    shelf: Shelf
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    generation: int = -1
    signed: datetime | None = None
    serial: int = 0
    told: int = 0
    images: frozenset[Digest] = frozenset()


class Catalogs:
    """The catalogues of this node."""

    def __init__(
        self,
        *,
        folder: Path,
        contents: Contents,
        profiles: Profiles,
        versions: Versions,
        alarms: Alarms,
        hub: ChangeHub,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._folder = folder
        self._contents = contents
        self._profiles = profiles
        self._versions = versions
        self._alarms = alarms
        self._hub = hub
        self._clock = clock
        self._rng = rng
        self._catalogs: dict[ProfileName, _Catalog] = {}
        self._generation = 0
        hub.watch(self._noticed)

    # What consumers ask.

    async def root(self, profile: ProfileName) -> str:
        """The newest root metadata of ``profile``: what a consumer's trust in its catalogue begins with.

        Raises:
            AbsentError: there is no such profile.
        """
        await self._profiles.get(profile)
        catalog = await self._current(profile)
        return (await asyncio.to_thread(lambda: catalog.shelf.publisher.root)).decode()

    async def serial(self, profile: ProfileName) -> int:
        """The serial of the newest listing of ``profile``; 0: there is no such profile."""
        if await self._profiles.maybe(profile) is None:
            return 0
        return (await self._current(profile)).serial

    async def metadata(self, reader: Consumer | None, profile: ProfileName, name: str) -> Path:
        """The file of TUF metadata that a client asks for as ``name``.

        Raises:
            NoCatalogError: there is no catalogue, or not for ``reader``.
            AbsentError: there is no such file in it.
        """
        await self._admitted(reader, profile)
        # A client reads what the timestamp leads it to: bringing that one up to date is enough.
        catalog = await self._current(profile) if name == _TIMESTAMP else await self._begun(profile)
        return await asyncio.to_thread(catalog.shelf.publisher.metadata, name)

    async def target(self, reader: Consumer | None, profile: ProfileName, path: str) -> Path:
        """The file of the target that a client asks for as ``path``, which names its hash.

        Raises:
            NoCatalogError: there is no catalogue, or not for ``reader``.
            AbsentError: there is no such file in it.
        """
        await self._admitted(reader, profile)
        catalog = await self._begun(profile)
        return await asyncio.to_thread(catalog.shelf.publisher.target, path)

    async def allowed_image(self, consumer: Consumer, image: Digest) -> None:
        """Let ``consumer`` fetch ``image`` if an entry of its catalogue names it.

        Raises:
            AbsentError: none does.
        """
        profile = await self._profiles.maybe(consumer.profile)
        allowed = profile is not None and Right.TAKE in consumer.rights
        if not allowed or image not in (await self._current(consumer.profile)).images:
            raise AbsentError("there is no such image in your catalogue: read its newest state")

    async def allowed_base(self, consumer: Consumer, base: Digest | None) -> Digest | None:
        """``base`` if the consumer may have it by its profile; otherwise it is treated as unknown.

        One with private files too: a pack that rests on it would tell of them.
        """
        if base is None:
            return None
        profile = await self._profiles.find(consumer.profile)
        versions = await self._versions.of_image(ListKind.DEVELOPER, base)
        return base if any(profile.covers(one.service) and not one.private for one in versions) else None

    async def _admitted(self, reader: Consumer | None, name: ProfileName) -> None:
        profile = await self._profiles.maybe(name)
        own = reader is not None and reader.profile == name and Right.TAKE in reader.rights
        if profile is None or not (profile.public or own):
            raise NoCatalogError

    # Publishing.

    async def run(self) -> None:
        """Publish all catalogues at once after each change, and look at them now and then, for as long as this runs."""
        async with self._hub.subscribe(_TOPICS) as changes:
            while True:
                done = False
                async with patience("catalogues"):
                    await self._publish_all()
                    done = True
                if done:
                    await self._change_or_time(changes)

    async def _change_or_time(self, changes: AsyncIterator[Change]) -> None:
        # Nodes that were started together should not all sign and be asked in the same second.
        wait = LOOK_AGAIN.total_seconds() * (1 + _JITTER * self._rng.random())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                while not _changes_catalogs(await anext(changes)):
                    pass

    async def _publish_all(self) -> None:
        """Publish every profile, whatever becomes of one of them; then raise what went wrong."""
        failures: list[VUpdateError] = []
        for profile in await self._profiles.all():
            try:
                await self._current(profile.name)
            except VUpdateError as error:
                failures.append(error)
                message = f"the catalogue of {profile.name} could not be published: {error.message}"
                await self._alarms.sound(UNPUBLISHED, profile.name, message)
            else:
                await self._alarms.settle(UNPUBLISHED, profile.name)
                await self._tell_withheld(profile)
        if failures:
            raise failures[0]

    async def _tell_withheld(self, profile: Profile) -> None:
        """Say that consumers get nothing of a service, which whoever made its version desired may not have meant."""
        withheld = [f"{one.service} {one.version}" for one in await self._contents.withheld(profile)]
        if not withheld:
            await self._alarms.settle(WITHHELD, profile.name)
            return
        message = (
            f"consumers of the profile {profile.name} are offered no version of what is desired here with private "
            f"files in it: {', '.join(withheld[:5])}; make a version without them desired, or take them out of the "
            "recipe and put them at each site"
        )
        await self._alarms.sound(WITHHELD, profile.name, message)

    def _noticed(self, change: Change) -> None:
        if change.topic in _TOPICS and _changes_catalogs(change):
            self._generation += 1

    def _catalog(self, name: ProfileName) -> _Catalog:
        if name not in self._catalogs:
            self._catalogs[name] = _Catalog(shelf=Shelf(self._folder / name, self._clock))
        return self._catalogs[name]

    async def _begun(self, name: ProfileName) -> _Catalog:
        """The catalogue of ``name``, which has been published at least once."""
        catalog = self._catalog(name)
        return catalog if catalog.signed is not None else await self._current(name)

    async def _current(self, name: ProfileName) -> _Catalog:
        """The catalogue of ``name`` once it says what is true now."""
        catalog = self._catalog(name)
        if not self._is_fresh(catalog):
            async with catalog.lock:
                if not self._is_fresh(catalog):
                    await self._publish(await self._profiles.find(name), catalog)
        return catalog

    def _is_fresh(self, catalog: _Catalog) -> bool:
        signed, now = catalog.signed, self._clock.now()
        return catalog.generation == self._generation and signed is not None and signed <= now < signed + LOOK_AGAIN

    async def _publish(self, profile: Profile, catalog: _Catalog) -> None:
        # Taken before the state is read: what changes meanwhile is a newer generation, and is published after this.
        generation, now = self._generation, self._clock.now()
        content = await self._contents.of(profile)
        standing = await asyncio.to_thread(catalog.shelf.put, content)
        catalog.images = frozenset(entry.image for entry in content.listing.entries)
        catalog.generation, catalog.signed, catalog.serial = generation, now, standing.serial
        if catalog.told != standing.serial:
            catalog.told = standing.serial
            self._hub.publish(Topic.CATALOGS, profile.name)

    async def publisher(self, name: ProfileName) -> CatalogPublisher:
        """The publisher of one catalogue, for its operator; also of one that can't be published just now.

        Raises:
            AbsentError: there is no such profile.
        """
        await self._profiles.get(name)
        publisher = self._catalog(name).shelf.publisher
        await asyncio.to_thread(publisher.create)
        return publisher

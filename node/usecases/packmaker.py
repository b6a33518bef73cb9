"""Makes the packs that will likely be asked for, one at a time and before anybody waits for them.

Decides which: to each version that becomes desired, from the one before and from what consumers or agents lately asked
for or had. Whether a delta is worth anything, and what is kept, the pack store decides; a pack that was not foreseen is
made when it is asked for.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from typing import Final

import structlog

from federation.digest import Digest
from federation.errors import VUpdateError
from federation.names import ServiceName
from federation.transfer.packstore import PRICED_IMAGE_BYTES
from node.model.desired import ListKind
from node.model.version import StoredVersion
from node.usecases.changes import ChangeHub, Topic
from node.usecases.desired import Desired
from node.usecases.images import Images
from node.usecases.instances import Instances
from node.usecases.links import Links
from node.usecases.patience import patience
from node.usecases.versions import Versions

BASES_MOST: Final = 4
"""From so many older versions a new one is made reachable beforehand."""

_SEEN_MOST: Final = 4096
_VERSIONS_LOOKED_AT: Final = 50
_IDLE_SECONDS: Final = 60.0
_TOPICS: Final = frozenset({Topic.DESIRED, Topic.CATALOGS})
_log = structlog.get_logger(__name__)


class PackMaker:
    """Makes packs ahead, for as long as ``run`` runs."""

    def __init__(
        self,
        *,
        images: Images,
        versions: Versions,
        desired: Desired,
        links: Links,
        instances: Instances,
        hub: ChangeHub,
    ) -> None:
        self._images = images
        self._versions = versions
        self._desired = desired
        self._links = links
        self._instances = instances
        self._hub = hub
        self._seen: OrderedDict[Digest, None] = OrderedDict()
        self._done: dict[tuple[ListKind, ServiceName], str] = {}

    def asked(self, base: Digest | None, image: Digest) -> None:
        """Somebody has ``base`` and soon ``image``: a later version may be asked for from either."""
        for digest in (base, image):
            if digest is not None:
                self._seen[digest] = None
                self._seen.move_to_end(digest)
        while len(self._seen) > _SEEN_MOST:
            self._seen.popitem(last=False)

    async def run(self) -> None:
        """Make packs after each change of what is desired. What is desired at the start was seen to before."""
        async with self._hub.subscribe(_TOPICS) as changes:
            async with patience("packs ahead"):
                for kind in ListKind:
                    for service, version in (await self._desired.current(kind)).versions.items():
                        self._done[kind, service] = version
            while True:
                async with patience("packs ahead"):
                    await self.make()
                await self._change_or_idle(changes)

    async def _change_or_idle(self, changes: AsyncIterator[object]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_SECONDS):
                await anext(changes)

    async def make(self) -> None:
        """Make what is likely to be asked for by now, then make smaller what is asked for often."""
        for kind in ListKind:
            if await self._has_readers(kind):
                for service, version in (await self._desired.current(kind)).versions.items():
                    before = self._done.get((kind, service))
                    if before != version:
                        self._done[kind, service] = version
                        await self._make_for(kind, service, version, before)
        while await self._images.improve():
            pass

    async def _has_readers(self, kind: ListKind) -> bool:
        if kind is ListKind.DEVELOPER:
            return bool(await self._links.consumers())
        return bool(await self._instances.all())

    async def _make_for(self, kind: ListKind, service: ServiceName, version: str, before: str | None) -> None:
        try:
            wanted = await self._versions.get(kind, service, version)
            known = await self._versions.find(kind, service, first=_VERSIONS_LOOKED_AT)
            if kind is ListKind.DEVELOPER:
                if wanted.private:
                    return  # no consumer will ask for it
                known = [one for one in known if not one.private]
            bases = list(self._likely(known, wanted, before))[:BASES_MOST]
            for base in bases:
                await self._images.prepare(base, wanted.image)
            if wanted.signed.manifest.size_bytes <= PRICED_IMAGE_BYTES:
                await self._images.prepare(None, wanted.image)
        except VUpdateError as error:
            _log.warning("packs could not be made ahead", service=service, version=version, error=error.message)

    def _likely(self, known: list[StoredVersion], wanted: StoredVersion, before: str | None) -> Iterator[Digest]:
        """The images to start from: that of the version before, then what was asked for last."""
        images = {one.image: one.version for one in known if one.image != wanted.image}
        first = [image for image, version in images.items() if version == before]
        yield from first
        yield from (image for image in reversed(self._seen) if image in images and image not in first)

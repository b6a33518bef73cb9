"""Keeps the versions whose images are here whole, and finds them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from federation.digest import Digest
from federation.errors import AbsentError, ExistsError, TamperedError
from federation.manifest import SignedManifest
from federation.names import ServiceName
from node.model.desired import ListKind
from node.model.version import StoredVersion
from node.storage.fields import KEY
from node.storage.port import Order, Where
from node.storage.repository import Repository
from node.usecases.changes import ChangeHub, Topic
from node.usecases.ordering import BY_KEY

INDEXES: Final = ("kind", "service", "image", "manifest", "stored")
_MOST: Final = 1000


def version_key(version: StoredVersion) -> str:
    """``<kind>/<service>/<version>``."""
    return f"{version.kind.value}/{version.service}/{version.version}"


class Versions:
    """The versions of this node. They are immutable: once kept, a version gets further signatures and no more."""

    def __init__(self, stored: Repository[StoredVersion], hub: ChangeHub) -> None:
        self._stored = stored
        self._hub = hub

    async def get(self, kind: ListKind, service: ServiceName, version: str) -> StoredVersion:
        """One version.

        Raises:
            AbsentError: it is not here.
        """
        found = await self._stored.get(f"{kind.value}/{service}/{version}")
        if found is None:
            raise AbsentError(f"there is no {kind.value} version {version} of {service} here")
        return found

    async def has(self, kind: ListKind, service: ServiceName, version: str) -> bool:
        """Whether the version is here."""
        return await self._stored.get(f"{kind.value}/{service}/{version}") is not None

    async def find(self, kind: ListKind, service: ServiceName | None, first: int) -> list[StoredVersion]:
        """The newest ``first`` versions, of ``service`` or of all, newest first."""
        where: tuple[Where, ...] = (Where("kind", "==", kind.value),)
        if service is not None:
            where = (*where, Where("service", "==", service))
        return await self._stored.find(*where, order=(Order("stored", descending=True),), limit=first)

    async def of_image(self, kind: ListKind, image: Digest) -> list[StoredVersion]:
        """The versions that have exactly this image."""
        where = (Where("kind", "==", kind.value), Where("image", "==", image))
        return await self._stored.find(*where, limit=_MOST)

    async def of_manifest(self, kind: ListKind, manifest: Digest) -> StoredVersion:
        """The version with this manifest.

        Raises:
            AbsentError: there is none.
        """
        where = (Where("kind", "==", kind.value), Where("manifest", "==", manifest))
        found = await self._stored.find(*where, limit=1)
        if not found:
            raise AbsentError("there is no version with this manifest here")
        return found[0]

    async def page(self, after: str, first: int) -> list[StoredVersion]:
        """Up to ``first`` versions in the order of their keys, those whose key is greater than ``after``."""
        return await self._stored.find(Where(KEY, ">", after), order=BY_KEY, limit=first)

    async def sign_again(
        self, version: StoredVersion, signed: Callable[[SignedManifest], SignedManifest]
    ) -> StoredVersion:
        """Keep ``version`` with the signatures that ``signed`` gives it; what was signed stays the same.

        Raises:
            AbsentError: it is not here.
        """

        def again(present: StoredVersion) -> StoredVersion:
            after = signed(present.signed)
            if after.digest != present.manifest:
                raise ValueError("a version's manifest can't be changed, only signed again")
            return replace(present, envelope=after.envelope.to_bytes())

        changed = await self._stored.change(version_key(version), again)
        self._hub.publish(Topic.VERSIONS, f"{version.service}/{version.version}")
        return changed

    async def keep(self, version: StoredVersion) -> StoredVersion:
        """Keep a version whose image is stored whole. Keeping the same one again changes nothing.

        Raises:
            TamperedError: another version of the same name is here.
        """
        try:
            await self._stored.add(version)
        except ExistsError:
            present = await self.get(version.kind, version.service, version.version)
            if present.manifest != version.manifest:
                raise TamperedError(
                    f"{version.service} {version.version} is here already with another manifest: "
                    "the same version can't be made twice"
                ) from None
            return present
        self._hub.publish(Topic.VERSIONS, f"{version.service}/{version.version}")
        return version

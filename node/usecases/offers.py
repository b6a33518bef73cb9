"""Says what this node offers to each consumer: its desired developer versions within the consumer's profile."""

from datetime import timedelta

from federation import limits
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, ConflictError
from federation.keys import PrivateKey
from federation.offer import Offer, Offered
from federation.transfer.packstore import Pack
from node.model.desired import ListKind
from node.model.peer import Consumer
from node.model.version import StoredVersion
from node.usecases.desired import Desired
from node.usecases.images import Images
from node.usecases.profiles import Profiles
from node.usecases.versions import Versions


class Offers:
    """What consumers may see and fetch; everything else does not exist for them."""

    def __init__(
        self, *, key: PrivateKey, desired: Desired, versions: Versions, profiles: Profiles, images: Images, clock: Clock
    ) -> None:
        self._key = key
        self._desired = desired
        self._versions = versions
        self._profiles = profiles
        self._images = images
        self._clock = clock

    async def offer(self, consumer: Consumer) -> bytes:
        """The signed offer for ``consumer`` as of now."""
        serial, visible = await self._steady(consumer)
        offered = tuple(
            Offered(
                service=one.service,
                version=one.signed.manifest.developer_version,
                image=one.image,
                manifest=one.manifest,
            )
            for one in visible
        )
        now = self._clock.now()
        offer = Offer(
            audience=consumer.id,
            profile=consumer.profile,
            serial=serial,
            issued=now,
            expires=now + timedelta(seconds=limits.OFFER_VALID_SECONDS),
            versions=offered,
        )
        return offer.sign(self._key)

    async def _steady(self, consumer: Consumer) -> tuple[int, list[StoredVersion]]:
        """The serial and the versions of one moment: read again when a change came in between."""
        for _ in range(20):
            serial = await self.serial()
            visible = await self._visible(consumer)
            if serial == await self.serial():
                return serial, visible
        raise ConflictError("the desired versions keep changing: ask again")

    async def serial(self) -> int:
        """A number that grows with each change of the desired developer versions or of a profile."""
        revision = await self._desired.current(ListKind.DEVELOPER)
        return revision.number + await self._profiles.change_count()

    async def manifest(self, consumer: Consumer, digest: Digest) -> bytes:
        """The manifest ``digest`` as its origin signed it.

        Raises:
            AbsentError: it is not on offer to ``consumer``.
        """
        for version in await self._visible(consumer):
            if version.manifest == digest:
                return version.envelope
        raise AbsentError("there is no such manifest on offer")

    async def pack(self, consumer: Consumer, image: Digest, base: Digest | None) -> Pack:
        """The cheapest pack to ``image``.

        Raises:
            AbsentError: the image is not on offer to ``consumer``.
        """
        wanted = [version for version in await self._visible(consumer) if version.image == image]
        if not wanted:
            raise AbsentError("there is no such image on offer")
        known = await self._base(consumer, base)
        return await self._images.pack(known, image)

    async def _base(self, consumer: Consumer, base: Digest | None) -> Digest | None:
        """``base`` if the consumer may have it by its profile; otherwise it is treated as unknown."""
        if base is None:
            return None
        profile = await self._profiles.find(consumer.profile)
        versions = await self._versions.of_image(ListKind.DEVELOPER, base)
        return base if any(profile.covers(version.service) for version in versions) else None

    async def _visible(self, consumer: Consumer) -> list[StoredVersion]:
        """By service; without what came from this very consumer, so that two nodes never offer in a circle."""
        profile = await self._profiles.find(consumer.profile)
        revision = await self._desired.current(ListKind.DEVELOPER)
        visible = profile.visible(revision.developer)
        found = [
            await self._versions.get(ListKind.DEVELOPER, service, version)
            for service, version in sorted(visible.items())
        ]
        return [version for version in found if version.received_from != consumer.name]

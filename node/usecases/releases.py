"""Turns a built image into a version of this node: stored whole, stated in a signed manifest, and desired."""

from dataclasses import dataclass

from federation.clock import Clock
from federation.digest import Digest
from federation.image import Image
from federation.keys import PrivateKey
from federation.manifest import Maker, Manifest, SignedManifest, Source
from federation.names import NodeName, ServiceName
from federation.transfer.blobs import ContentSource
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import Delta, ListKind
from node.model.version import StoredVersion
from node.usecases.desired import Desired
from node.usecases.images import Images
from node.usecases.versions import Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a build made. ``base`` and ``overlay``: of a client version, and only of one.

    ``private_files``: the paths of private files in the image.
    """

    service: ServiceName
    version: DeveloperVersion | ClientVersion
    image: Image
    recipe: Digest
    sources: tuple[Source, ...]
    comment: str
    base: Digest | None = None
    overlay: Digest | None = None
    private_files: tuple[str, ...] = ()

    @property
    def kind(self) -> ListKind:
        """The list that the version belongs to."""
        return ListKind.CLIENT if isinstance(self.version, ClientVersion) else ListKind.DEVELOPER


class Releases:
    """Signs in the name of this node."""

    def __init__(
        self, *, node: NodeName, key: PrivateKey, images: Images, versions: Versions, desired: Desired, clock: Clock
    ) -> None:
        self._maker = Maker(node=node, key=key.public)
        self._key = key
        self._images = images
        self._versions = versions
        self._desired = desired
        self._clock = clock

    async def store(self, made: Made, contents: ContentSource) -> StoredVersion:
        """Keep the image, then the signed version: what is named is always here whole.

        Raises:
            DiskFullError: no room; nothing was named.
            TamperedError: another version of this name is here.
        """
        await self._images.keep(made.image, contents)
        return await self.name(made)

    async def name(self, made: Made) -> StoredVersion:
        """Sign and keep a version whose image is here whole already.

        Raises:
            TamperedError: another version of this name is here.
        """
        now = self._clock.now()
        manifest = Manifest(
            service=made.service,
            version=made.version,
            image=made.image.digest,
            size_bytes=made.image.size,
            entries=len(made.image),
            recipe=made.recipe,
            sources=made.sources,
            maker=self._maker,
            created=now,
            comment=made.comment,
            base=made.base,
            overlay=made.overlay,
        )
        signed = SignedManifest.make(manifest, self._key)
        return await self._versions.keep(
            StoredVersion(
                kind=made.kind,
                service=made.service,
                version=str(made.version),
                image=manifest.image,
                manifest=signed.digest,
                envelope=signed.envelope.to_bytes(),
                stored=now,
                private_files=made.private_files,
            )
        )

    async def make_desired(self, version: StoredVersion, *, who: str, why: str) -> None:
        """Want ``version`` to run from now on."""
        delta = Delta(service=version.service, version=version.version)
        await self._desired.set_now(version.kind, (delta,), who=who, why=why)

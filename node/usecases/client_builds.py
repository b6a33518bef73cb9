"""Makes client versions: a developer version adapted to this site, signed by this node, and desired."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from build.client import ClientBuild, ClientBuilt, build_client
from build.source import SourceRequest, checkout
from federation.clock import Clock
from federation.errors import AbsentError
from federation.keys import PrivateKey
from federation.manifest import Maker, Manifest, SignedManifest
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import Delta, ListKind
from node.model.task import Task, TaskKind
from node.model.version import SiteSettings, StoredVersion
from node.usecases.desired import Desired
from node.usecases.images import Images
from node.usecases.services import Services
from node.usecases.tasks import Job, TaskLog, Tasks
from node.usecases.versions import Versions

BuildClient = Callable[[ClientBuild, Callable[[str], None]], Awaitable[ClientBuilt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Adaptation:
    service: ServiceName
    base: StoredVersion
    number: int
    newest: StoredVersion | None

    @property
    def version(self) -> ClientVersion:
        return ClientVersion.of(DeveloperVersion(self.base.version), self.number)


class ClientBuilds:
    """Client builds of this node."""

    def __init__(
        self,
        *,
        node: NodeName,
        key: PrivateKey,
        services: Services,
        versions: Versions,
        desired: Desired,
        images: Images,
        tasks: Tasks,
        clock: Clock,
        work: Path,
        build: BuildClient = build_client,
    ) -> None:
        self._node = node
        self._key = key
        self._services = services
        self._versions = versions
        self._desired = desired
        self._images = images
        self._tasks = tasks
        self._clock = clock
        self._work = work
        self._build = build

    async def start(self, service: ServiceName, *, who: str) -> Task:
        """Queue a client build of the desired developer version of ``service``.

        Raises:
            AbsentError: no developer version of it is desired.
        """
        base = await self._base(service)

        async def work(log: TaskLog) -> str:
            return await self._make(await self._base(service), who, log)

        title = f"Adapt {service} {base.version} to this site"
        job = Job(kind=TaskKind.CLIENT_BUILD, title=title, work=work, service=service, subject=base.version)
        return await self._tasks.start(job, who=who)

    async def _base(self, service: ServiceName) -> StoredVersion:
        current = await self._desired.current(ListKind.DEVELOPER)
        version = current.developer.get(service)
        if version is None:
            raise AbsentError(
                f"no developer version of {service} is desired here: build it, or take it from a provider"
            )
        return await self._versions.get(ListKind.DEVELOPER, service, version)

    async def _adaptation(self, base: StoredVersion) -> _Adaptation:
        stored = await self._versions.find(ListKind.CLIENT, base.service, first=1000)
        same = [one for one in stored if ClientVersion(one.version).base == base.version]
        newest = max(same, key=lambda one: ClientVersion(one.version), default=None)
        number = ClientVersion(newest.version).number + 1 if newest else 0
        return _Adaptation(service=base.service, base=base, number=number, newest=newest)

    async def _make(self, base: StoredVersion, who: str, log: TaskLog) -> str:
        settings = await self._services.site(base.service)
        adaptation = await self._adaptation(base)
        folder = self._work / f"{base.service}-client-{adaptation.version}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            built = await self._adapted(adaptation, settings, folder, log)
            reused = self._reused(adaptation, built)
            if reused is None:
                await self._images.keep(built.image, built.contents)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if reused is None:
            await self._keep(adaptation, built)
            log(f"{base.service} {adaptation.version} is signed and stored")
        version = reused.version if reused else str(adaptation.version)
        delta = Delta(service=base.service, version=version)
        await self._desired.set_now(ListKind.CLIENT, (delta,), who=who, why=f"adapted {base.version}")
        log(f"{base.service} {version} is desired" + (" (nothing in it has changed)" if reused else ""))
        return version

    async def _adapted(
        self, adaptation: _Adaptation, settings: SiteSettings, folder: Path, log: TaskLog
    ) -> ClientBuilt:
        overlays: list[Path] = []
        for position, source in enumerate(settings.overlays):
            request = SourceRequest(name=source.name, url=source.url, ref=source.ref, directory=source.directory)
            into = folder / "overlays" / str(position)
            found = await checkout(request, into=into, cache=self._work.parent / "cache", log=log)
            log(f"settings from {source.name} at {found.source.commit[:12]}")
            overlays.append(found.folder)
        return await self._build(
            ClientBuild(
                service=adaptation.service,
                version=adaptation.version,
                node=self._node,
                base=await self._images.load(adaptation.base.image),
                contents=self._images.contents,
                overlays=tuple(overlays),
                macros=settings.macros or {},
                work=folder / "work",
            ),
            log,
        )

    def _reused(self, adaptation: _Adaptation, built: ClientBuilt) -> StoredVersion | None:
        """The newest client version of the same base, when it was made of the same settings."""
        if adaptation.newest is None:
            return None
        manifest = adaptation.newest.signed.manifest
        same = manifest.overlay == built.overlay and manifest.base == adaptation.base.manifest
        return adaptation.newest if same else None

    async def _keep(self, adaptation: _Adaptation, built: ClientBuilt) -> None:
        base = adaptation.base.signed.manifest
        now = self._clock.now()
        manifest = Manifest(
            service=adaptation.service,
            version=adaptation.version,
            image=built.image.digest,
            size_bytes=built.image.size,
            entries=len(built.image),
            recipe=base.recipe,
            sources=base.sources,
            maker=Maker(node=self._node, key=self._key.public),
            created=now,
            comment=base.comment,
            base=adaptation.base.manifest,
            overlay=built.overlay,
        )
        signed = SignedManifest.make(manifest, self._key)
        stored = StoredVersion(
            kind=ListKind.CLIENT,
            service=adaptation.service,
            version=str(adaptation.version),
            image=manifest.image,
            manifest=signed.digest,
            envelope=signed.envelope.to_bytes(),
            stored=now,
        )
        await self._versions.keep(stored)

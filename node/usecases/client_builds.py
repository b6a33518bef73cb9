"""Makes client versions: a developer version adapted to this site, signed by this node, and desired."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from build.client import ClientBuild, ClientBuilt, build_client
from build.source import SourceRequest, checkout
from federation.errors import AbsentError
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import ListKind
from node.model.task import Asked, Task, TaskKind
from node.model.version import SiteSettings, StoredVersion
from node.usecases.credentials import Credentials
from node.usecases.desired import Desired
from node.usecases.images import Images
from node.usecases.private_files import PrivateFiles
from node.usecases.releases import Made, Releases
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
        services: Services,
        private_files: PrivateFiles,
        credentials: Credentials,
        versions: Versions,
        desired: Desired,
        images: Images,
        releases: Releases,
        tasks: Tasks,
        work: Path,
        build: BuildClient = build_client,
    ) -> None:
        self._node = node
        self._services = services
        self._private_files = private_files
        self._credentials = credentials
        self._versions = versions
        self._desired = desired
        self._images = images
        self._releases = releases
        self._tasks = tasks
        self._work = work
        self._build = build

    async def start(self, service: ServiceName, *, who: str, resumed_from: str = "") -> Task:
        """Queue a client build of the desired developer version of ``service``.

        Raises:
            AbsentError: no developer version of it is desired.
        """
        base = await self._base(service)

        async def work(log: TaskLog) -> str:
            return await self._make(await self._base(service), who, log)

        title = f"Adapt {service} {base.version} to this site"
        job = Job(
            kind=TaskKind.CLIENT_BUILD,
            title=title,
            work=work,
            service=service,
            subject=base.version,
            asked=Asked(service=service),
            resumed_from=resumed_from,
        )
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
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        try:
            built = await self._adapted(adaptation, settings, folder, log)
            stored = self._reused(adaptation, built)
            if stored is None:
                stored = await self._releases.store(_made(adaptation, built), built.contents)
                log(f"{base.service} {stored.version} is signed and stored")
            else:
                log(f"nothing in {base.service} {stored.version} has changed")
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        await self._releases.make_desired(stored, who=who, why=f"adapted {base.version}")
        log(f"{base.service} {stored.version} is desired")
        return stored.version

    async def _adapted(
        self, adaptation: _Adaptation, settings: SiteSettings, folder: Path, log: TaskLog
    ) -> ClientBuilt:
        overlays: list[Path] = []
        for position, source in enumerate(settings.overlays):
            request = SourceRequest(name=source.name, url=source.url, ref=source.ref, directory=source.directory)
            into = folder / "overlays" / str(position)
            cache = self._work.parent / "cache"
            found = await checkout(request, into=into, cache=cache, log=log, credentials=self._credentials)
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
                private=await self._private_files.of_site(adaptation.service),
                sealed=frozenset(adaptation.base.private_files),
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


def _made(adaptation: _Adaptation, built: ClientBuilt) -> Made:
    """The client version, which tells of its sources what its base tells."""
    base = adaptation.base.signed.manifest
    return Made(
        service=adaptation.service,
        version=adaptation.version,
        image=built.image,
        recipe=base.recipe,
        sources=base.sources,
        comment=base.comment,
        base=adaptation.base.manifest,
        overlay=built.overlay,
        private_files=built.private,
    )

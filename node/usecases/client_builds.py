"""Makes client versions: a developer version adapted to this site, signed by this node, and desired."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from build.client import ClientBuild, ClientBuilt, build_client
from build.source import Checkout, SourceRequest, checkout
from federation.errors import AbsentError
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import ListKind
from node.model.task import Asked, Task, TaskKind
from node.model.version import GitSource, SiteSettings, StoredVersion
from node.usecases.credentials import Credentials
from node.usecases.desired import Desired
from node.usecases.images import Images
from node.usecases.private_files import PrivateFiles
from node.usecases.releases import Made, Releases
from node.usecases.services import Services
from node.usecases.settings_watch import SettingsWatch
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
        settings: SettingsWatch,
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
        self._settings = settings
        self._work = work
        self._build = build

    async def start(
        self, service: ServiceName, *, who: str, resumed_from: str = "", keeps_choice: bool = False
    ) -> Task:
        """Queue a client build of the desired developer version of ``service``.

        ``keeps_choice``: if nothing has changed, leave the client version that is desired as somebody chose it since.

        Raises:
            AbsentError: no developer version of it is desired.
        """
        base = await self._base(service)

        async def work(log: TaskLog) -> str:
            return await self._make(await self._base(service), who, log, keeps_choice=keeps_choice)

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

    async def _make(self, base: StoredVersion, who: str, log: TaskLog, *, keeps_choice: bool) -> str:
        settings = await self._services.site(base.service)
        adaptation = await self._adaptation(base)
        folder = self._work / f"{base.service}-client-{adaptation.version}"
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        try:
            overlays = [
                await self._fetched(one, folder / "overlays" / str(at), log) for at, one in enumerate(settings.overlays)
            ]
            built = await self._adapted(adaptation, settings, overlays, folder, log)
            stored = self._reused(adaptation, built)
            if stored is None:
                stored = await self._releases.store(_made(adaptation, built), built.contents)
                log(f"{base.service} {stored.version} is signed and stored")
            else:
                log(f"nothing in {base.service} {stored.version} has changed")
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        version = ClientVersion(stored.version)
        if not (keeps_choice and await self._was_desired(base, version)):
            await self._releases.make_desired(stored, who=who, why=f"adapted {base.version}")
            log(f"{base.service} {stored.version} is desired")
        fetched = [(one, found.source.commit) for one, found in zip(settings.overlays, overlays, strict=True)]
        await self._settings.was_made(base.service, version.base, version, fetched)
        return stored.version

    async def _was_desired(self, base: StoredVersion, version: ClientVersion) -> bool:
        """Whether the build before came to ``version`` too, and so made it desired."""
        made = await self._settings.made_of(base.service)
        return made is not None and made.version == version

    async def _fetched(self, source: GitSource, into: Path, log: TaskLog) -> Checkout:
        request = SourceRequest(name=source.name, url=source.url, ref=source.ref, directory=source.directory)
        cache = self._work.parent / "cache"
        found = await checkout(request, into=into, cache=cache, log=log, credentials=self._credentials)
        log(f"settings from {source.name} at {found.source.commit[:12]}")
        return found

    async def _adapted(
        self,
        adaptation: _Adaptation,
        settings: SiteSettings,
        overlays: Sequence[Checkout],
        folder: Path,
        log: TaskLog,
    ) -> ClientBuilt:
        return await self._build(
            ClientBuild(
                service=adaptation.service,
                version=adaptation.version,
                node=self._node,
                base=await self._images.load(adaptation.base.image),
                contents=self._images.contents,
                overlays=tuple(one.folder for one in overlays),
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

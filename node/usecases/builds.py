"""Builds developer versions from Git, signs them, stores them and makes them desired."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from build.developer import Built, DeveloperBuild, build_developer
from build.source import SourceRequest
from federation.clock import Clock
from federation.errors import ExistsError, InvalidValueError
from federation.log import Level
from federation.manifest import Source
from federation.names import NodeName, ServiceName
from federation.provenance import BuiltSource
from federation.transfer.tree import TreeSource
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.task import Asked, Task, TaskKind
from node.model.version import DevelopedService, StoredVersion
from node.usecases.confining import Confining
from node.usecases.credentials import Credentials
from node.usecases.delegation import Delegation, order_for
from node.usecases.private_files import PrivateFiles
from node.usecases.provenances import PolicyError, Provenances
from node.usecases.releases import Made, Releases
from node.usecases.services import Services
from node.usecases.tagging import fetch_sources, tag_sources
from node.usecases.tasks import Job, TaskLog, Tasks
from node.usecases.versions import Versions
from node.usecases.witness import Witness

BuildDeveloper = Callable[[DeveloperBuild, Callable[[str], None]], Awaitable[Built]]


class Builds:
    """Developer builds of this node."""

    def __init__(
        self,
        *,
        node: NodeName,
        services: Services,
        private_files: PrivateFiles,
        credentials: Credentials,
        versions: Versions,
        releases: Releases,
        tasks: Tasks,
        confining: Confining,
        witness: Witness,
        provenances: Provenances,
        delegation: Delegation,
        clock: Clock,
        work: Path,
        build: BuildDeveloper = build_developer,
    ) -> None:
        self._node = node
        self._services = services
        self._private_files = private_files
        self._credentials = credentials
        self._versions = versions
        self._releases = releases
        self._tasks = tasks
        self._confining = confining
        self._witness = witness
        self._provenances = provenances
        self._delegation = delegation
        self._clock = clock
        self._work = work
        self._cache = work.parent / "cache"
        self._build = build

    async def start(
        self,
        service: ServiceName,
        *,
        version: DeveloperVersion | None,
        comment: str,
        on: Sequence[NodeName] | None = None,
        who: str,
        resumed_from: str = "",
    ) -> Task:
        """Queue a build of ``service``; ``version`` is the next one unless given.

        ``on``: by the first of these peers that takes it, of all where it is empty; ``None``: here.

        Raises:
            AbsentError: this node builds no such service.
            InvalidValueError: ``version`` bears another node's name.
            ExistsError: ``version`` was made already.
        """
        developed = await self._services.get(service)
        begun = await self._stored_by(service, resumed_from) if resumed_from else None
        if version is not None and (begun is None or begun.version != version):
            await self._check_new(service, version)

        async def work(log: TaskLog) -> str:
            if begun is not None:
                log(f"{service} {begun.version} was stored before the end of the task that is resumed: it is whole")
                await self._publish(developed, begun, who, log)
                return begun.version
            # The number is chosen when the build's turn comes, so that two queued builds never choose the same.
            made = version or await self._next(service)
            if on is None:
                await self._make(developed, made, comment, who, log)
            else:
                await self._have_made(developed, made, comment=comment, on=on, who=who, log=log)
            return str(made)

        title = f"Build {service} {version or ''}".rstrip()
        asked = Asked(service=service, version=version, comment=comment, on=None if on is None else tuple(on))
        job = Job(
            kind=TaskKind.BUILD,
            title=title,
            work=work,
            service=service,
            subject=version or "",
            asked=asked,
            resumed_from=resumed_from,
        )
        return await self._tasks.start(job, who=who)

    async def _check_new(self, service: ServiceName, version: DeveloperVersion) -> None:
        if version.node != self._node:
            raise InvalidValueError(f"version {version} can't be made by node {self._node}: it would be {self._node}-…")
        if await self._versions.has(ListKind.DEVELOPER, service, version):
            raise ExistsError(f"{service} {version} was made already: the same version can't be made twice")

    async def _next(self, service: ServiceName) -> DeveloperVersion:
        own = await self._own(service)
        return max(own).next() if own else DeveloperVersion.first(self._node)

    async def _own(self, service: ServiceName) -> dict[DeveloperVersion, StoredVersion]:
        stored = await self._versions.find(ListKind.DEVELOPER, service, first=1000)
        return {version: one for one in stored if (version := DeveloperVersion(one.version)).node == self._node}

    async def _stored_by(self, service: ServiceName, task: str) -> StoredVersion | None:
        """The version that a build of ours, ended before it was made desired, had stored already."""
        own = await self._own(service)
        if not own:
            return None
        newest = max(own)
        said = await self._provenances.of(service, newest)
        # Others may say what they like of their builds.
        mine = (one for one in said if one.node == self._node)
        return own[newest] if any(one.signed.provenance.invocation == task for one in mine) else None

    async def _sources_before(self, service: ServiceName, version: DeveloperVersion) -> tuple[Source, ...]:
        """The sources of the newest version of ours below ``version``."""
        own = await self._own(service)
        before = max((one for one in own if one < version), default=None)
        return () if before is None else own[before].signed.manifest.sources

    async def _make(
        self, service: DevelopedService, version: DeveloperVersion, comment: str, who: str, log: TaskLog
    ) -> None:
        folder = self._work / f"{service.name}-{version}"
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        request = DeveloperBuild(
            service=service.name,
            version=version,
            sources=tuple(
                SourceRequest(name=one.name, url=one.url, ref=one.ref, directory=one.directory)
                for one in service.sources
            ),
            work=folder,
            cache=self._cache,
            private=self._private_files.of_recipe(service.name),
            credentials=self._credentials,
            comment=comment,
            since=await self._sources_before(service.name, version),
            confinement=await self._confining.own(log),
        )
        started = self._clock.now()
        try:
            built = await self._build(request, log)
            if built.private:
                log("it holds private files: it can run at this site, and no consumer is given anything of it")
            made = Made(
                service=service.name,
                version=version,
                image=built.image,
                recipe=built.recipe,
                sources=built.sources,
                comment=built.comment,
                private_files=built.private,
            )
            signed = self._witness.state(request, built, invocation=log.task, started=started)
            # Before the version: whoever finds it finds who built it.
            await self._provenances.keep(signed)
            stored = await self._releases.store(made, TreeSource(built.tree, built.image))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        await self._publish(service, stored, who, log)

    async def _publish(self, service: DevelopedService, stored: StoredVersion, who: str, log: TaskLog) -> None:
        await self._make_desired(stored, who, log)
        if service.tag:
            await tag_sources(stored, cache=self._cache, credentials=self._credentials, log=log)

    async def _have_made(
        self,
        service: DevelopedService,
        version: DeveloperVersion,
        *,
        comment: str,
        on: Sequence[NodeName],
        who: str,
        log: TaskLog,
    ) -> None:
        sources = (
            BuiltSource(name=one.name, url=one.url, commit="", ref=one.ref, directory=one.directory)
            for one in service.sources
        )
        since = await self._sources_before(service.name, version)
        delivered = await self._delegation.build(order_for(service.name, version, sources, since), on, log)
        said = delivered.signed.provenance
        made = Made(
            service=service.name,
            version=version,
            image=delivered.image,
            recipe=said.recipe,
            sources=tuple(Source(name=one.name, url=one.url, commit=one.commit) for one in said.sources),
            comment=comment or delivered.comment,
            private_files=delivered.private_files,
        )
        await self._provenances.keep(delivered.signed)
        stored = await self._releases.name(made)
        if service.tag:
            await fetch_sources(stored, cache=self._cache, credentials=self._credentials, log=log)
        await self._publish(service, stored, who, log)

    async def _make_desired(self, stored: StoredVersion, who: str, log: TaskLog) -> None:
        try:
            await self._releases.make_desired(stored, who=who, why=f"built {stored.version}")
        except PolicyError as error:
            # It is built as asked; others have yet to build it.
            log(
                f"{stored.service} {stored.version} is signed and stored, but not desired: {error.message}",
                Level.WARNING,
            )
            return
        log(f"{stored.service} {stored.version} is signed, stored and desired")

"""Builds a version once more from its very commits, here or at peers, to see whether the same image comes out.

What the builder says is kept beside the version's other provenances, the difference with it if there is one: a policy
counts the builds that came out alike.
"""

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from build.credentials import NO_CREDENTIALS
from build.developer import DeveloperBuild
from build.environment import strangers_view
from build.private import NO_PRIVATE_FILES
from build.source import SourceRequest
from federation.clock import Clock
from federation.compare import Change, Difference, compare
from federation.errors import InvalidValueError
from federation.image import Image
from federation.log import Level
from federation.names import NodeName, ServiceName
from federation.provenance import BuiltSource, SignedProvenance
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.task import Asked, Task, TaskKind
from node.model.version import StoredVersion
from node.usecases.builds import BuildDeveloper
from node.usecases.confining import Confining
from node.usecases.credentials import Credentials
from node.usecases.delegation import Delegation, order_for
from node.usecases.images import Images
from node.usecases.private_files import PrivateFiles
from node.usecases.provenances import Provenances
from node.usecases.tasks import Job, TaskLog, Tasks
from node.usecases.versions import Versions
from node.usecases.witness import Witness

DIFFERENCES_KEPT: Final = 50
_WORDS: Final = {
    Change.ADDED: "is not in the version",
    Change.REMOVED: "is missing",
    Change.CONTENT: "has other content",
    Change.MODE: "has another mode",
    Change.KIND: "is of another kind",
}


class Rebuilds:
    """Rebuilds of versions that are here, own ones and those of providers."""

    def __init__(
        self,
        *,
        node: NodeName,
        versions: Versions,
        images: Images,
        provenances: Provenances,
        delegation: Delegation,
        confining: Confining,
        witness: Witness,
        private_files: PrivateFiles,
        credentials: Credentials,
        tasks: Tasks,
        clock: Clock,
        work: Path,
        build: BuildDeveloper,
    ) -> None:
        self._node = node
        self._versions = versions
        self._images = images
        self._provenances = provenances
        self._delegation = delegation
        self._confining = confining
        self._witness = witness
        self._private_files = private_files
        self._credentials = credentials
        self._tasks = tasks
        self._clock = clock
        self._work = work
        self._build = build

    async def start(
        self,
        service: ServiceName,
        version: DeveloperVersion,
        *,
        on: Sequence[NodeName],
        here: bool,
        who: str,
        resumed_from: str = "",
    ) -> Task:
        """Queue a rebuild of ``version``: ``here``, or by the first of the peers ``on`` that takes it (none: of all).

        Raises:
            AbsentError: the version is not here.
            InvalidValueError: peers are named for a rebuild here.
        """
        if here and on:
            raise InvalidValueError("a rebuild is made here or at peers: name peers, or none")
        stored = await self._versions.get(ListKind.DEVELOPER, service, version)

        async def work(log: TaskLog) -> str:
            image, signed = await (self._here(stored, log) if here else self._at_peer(stored, on, log))
            return await self._judged(stored, image, signed, log)

        # Not a task of the service: it must not hold up the service's own builds.
        job = Job(
            kind=TaskKind.REBUILD,
            title=f"Rebuild {service} {version}",
            work=work,
            subject=f"{service}/{version}",
            asked=Asked(service=service, version=version, on=None if here else tuple(on)),
            resumed_from=resumed_from,
        )
        return await self._tasks.start(job, who=who)

    async def _sources(self, stored: StoredVersion) -> tuple[BuiltSource, ...]:
        """The checkouts of ``stored`` at their commits; the folders inside them stand in a provenance only."""
        said = [one.signed.provenance for one in await self._provenances.of(*stored.developer_key)]
        folders = {source.name: source.directory for one in said for source in one.sources}
        return tuple(
            BuiltSource(
                name=one.name, url=one.url, commit=one.commit, ref=one.commit, directory=folders.get(one.name, "")
            )
            for one in stored.signed.manifest.sources
        )

    async def _here(self, stored: StoredVersion, log: TaskLog) -> tuple[Image, SignedProvenance]:
        own = stored.signed.manifest.maker.node == self._node
        folder = self._work / f"rebuild-{log.task}"
        request = DeveloperBuild(
            service=stored.service,
            version=DeveloperVersion(stored.version),
            sources=tuple(
                SourceRequest(name=one.name, url=one.url, ref=one.ref, directory=one.directory)
                for one in await self._sources(stored)
            ),
            work=folder,
            # A place where nothing lies: what an earlier build left must not make this one come out the same.
            cache=folder / "cache",
            confinement=await (self._confining.own(log) if own else self._confining.foreign()),
            trusted=own,
            host=dict(os.environ) if own else strangers_view(os.environ),
            private=self._private_files.of_recipe(stored.service) if own else NO_PRIVATE_FILES,
            credentials=self._credentials if own else NO_CREDENTIALS,
        )
        started = self._clock.now()
        try:
            built = await self._build(request, log)
            return built.image, self._witness.state(request, built, invocation=log.task, started=started)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _at_peer(
        self, stored: StoredVersion, on: Sequence[NodeName], log: TaskLog
    ) -> tuple[Image, SignedProvenance]:
        order = order_for(stored.service, DeveloperVersion(stored.version), await self._sources(stored))
        delivered = await self._delegation.build(order, on, log)
        return delivered.image, delivered.signed

    async def _judged(self, stored: StoredVersion, image: Image, signed: SignedProvenance, log: TaskLog) -> str:
        builder = signed.provenance.builder.node
        if image.digest == stored.image:
            await self._provenances.keep(signed)
            log(f"{builder} built the same image: {image.digest}")
            return "the same image"
        differences = compare(await self._images.load(stored.image), image)
        told = tuple(_told(one) for one in differences[:DIFFERENCES_KEPT])
        await self._provenances.keep(signed, difference=told)
        for line in told:
            log(line, Level.WARNING)
        log(f"{builder} built another image: it differs in {len(differences)} paths", Level.WARNING)
        return f"another image: {len(differences)} paths differ"


def _told(one: Difference) -> str:
    return f"{one.path[:300]} {' and '.join(_WORDS[change] for change in one.changes)}"

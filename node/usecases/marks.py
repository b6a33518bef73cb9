"""Gives tested marks: this node's word to its providers that the versions desired here passed its tests."""

import uuid
from collections.abc import Collection
from typing import Final

from federation import codec
from federation.clock import Clock
from federation.errors import AbsentError, InvalidValueError
from federation.link.rights import Right
from federation.names import NodeName, ServiceName
from federation.outbox import Entry
from federation.report import INSTALLED, Installed, TestedReport
from node.model.desired import ListKind
from node.model.peer import Provider
from node.model.report import OwnMark
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.delivery import Letter, Withheld
from node.usecases.desired import Desired
from node.usecases.links import Links
from node.usecases.outbox import Outbox
from node.usecases.redactors import Redactors
from node.usecases.versions import Versions

KIND: Final = "tested"
PATH: Final = "/federation/v1/tested"


class Marks:
    """The tested marks of this node."""

    def __init__(
        self,
        *,
        kept: Repository[OwnMark],
        links: Links,
        desired: Desired,
        versions: Versions,
        outbox: Outbox,
        redactors: Redactors,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._kept = kept
        self._links = links
        self._desired = desired
        self._versions = versions
        self._outbox = outbox
        self._redactors = redactors
        self._audit = audit
        self._clock = clock

    async def give(self, services: Collection[ServiceName] | None, *, comment: str, who: str) -> list[OwnMark]:
        """Tell each provider that its versions that are desired here, of ``services`` or of all, passed the tests.

        Raises:
            AbsentError: no such version came from a provider.
            InvalidValueError: the comment is too long.
        """
        by_provider = await self._tested(services)
        if not by_provider:
            raise AbsentError("no desired version of these services came from a provider: there is nobody to tell")
        given = []
        for provider, versions in sorted(by_provider.items()):
            mark = OwnMark(
                provider=provider,
                who=who,
                report=TestedReport(
                    id=str(uuid.uuid4()), at=self._clock.now(), versions=tuple(versions), comment=comment
                ),
            )
            await self._kept.add(mark)
            await self._outbox.queue(provider, KIND, mark.id, size_bytes=len(codec.encode(mark.report)))
            told = ", ".join(f"{one.service} {one.version}" for one in versions)
            await self._audit.record(who, "tested-mark", f"to {provider}: {told}"[:1000])
            given.append(mark)
        return given

    async def _tested(self, services: Collection[ServiceName] | None) -> dict[NodeName, list[Installed]]:
        current = (await self._desired.current(ListKind.DEVELOPER)).developer
        missing = sorted(set(services or ()) - current.keys())
        if missing:
            raise InvalidValueError(f"{', '.join(missing)}: no version is desired here, so none can have been tested")
        linked = {provider.name for provider in await self._links.providers()}
        found: dict[NodeName, list[Installed]] = {}
        for service, version in sorted(current.items())[:INSTALLED]:
            if services is None or service in services:
                stored = await self._versions.get(ListKind.DEVELOPER, service, version)
                if stored.received_from in linked:
                    found.setdefault(stored.received_from, []).append(Installed(service=service, version=version))
        return found

    # What the delivery asks.

    @property
    def right(self) -> Right:
        """What the provider has to allow."""
        return Right.STATES

    @property
    def always(self) -> bool:
        """Only what waits is sent."""
        return False

    async def letter(self, entry: Entry, provider: Provider) -> Letter | Withheld:
        """The mark, its comment redacted as the link says."""
        mark = await self._kept.require(entry.subject)
        comment = self._redactors.of(provider).text(mark.report.comment)
        report = TestedReport(
            id=mark.report.id, at=mark.report.at, versions=mark.report.versions, comment=comment[: len(comment)]
        )
        return Letter(path=PATH, body=codec.encode(report))

    async def delivered(self, entry: Entry) -> None:
        """Nothing to note: the receipt says it."""

"""Keeps the private files of services, and gives them to the builds of this node and to nobody else.

A file is either for recipes (put without a place) or for this site (put with the place where it stands in each client
version); ``build.private`` says what becomes of each. Putting it again gives it another content, and another place only
if one is named: whoever renews a key need not remember where it goes.
"""

import asyncio
from dataclasses import dataclass

from build.private import PrivatePart, PrivateSource, clash_of, private_target
from federation import limits
from federation.clock import Clock
from federation.errors import AbsentError, InvalidValueError, OversizedError
from federation.names import PrivateFileName, ServiceName
from node.model.private import PrivateFile
from node.storage.private_files import PrivateFileStore, Putting
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic


@dataclass(frozen=True, slots=True)
class _OfRecipe(PrivateSource):
    """What the recipe of one service may name."""

    store: PrivateFileStore
    service: ServiceName

    async def missing(self, wanted: frozenset[PrivateFileName]) -> frozenset[PrivateFileName]:
        return wanted - {one.name for one in await self.store.of_service(self.service) if one.into is None}

    async def read(self, name: PrivateFileName) -> bytes:
        return (await self.store.read(self.service, name))[1]


class PrivateFiles:
    """The private files of this node. No method hands out a content but those that are for builds."""

    def __init__(self, store: PrivateFileStore, hub: ChangeHub, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._hub = hub
        self._audit = audit
        self._clock = clock
        self._changing = asyncio.Lock()

    async def find(self, service: ServiceName) -> list[PrivateFile]:
        """The private files of ``service``, by name, without their contents."""
        return await self._store.of_service(service)

    async def put(
        self, service: ServiceName, name: PrivateFileName, content: bytes, *, into: str | None = None, who: str
    ) -> PrivateFile:
        """Keep ``content`` as a private file of ``service``. ``into``: where it goes at this site; none: as before.

        Raises:
            InvalidValueError: it is empty, the service has too many, or it can't stand there in an image.
            OversizedError: it is too large.
            CorruptError, DiskFullError: it can't be kept.
        """
        _check_size(content)
        async with self._changing:
            others = await self._store.of_service(service)
            present = next((one for one in others if one.name == name), None)
            if present is None and len(others) >= limits.PRIVATE_FILES:
                raise InvalidValueError(f"{service} has {limits.PRIVATE_FILES} private files, and no more are kept")
            if into is None and present is not None:
                into = present.into
            if into is not None:
                _check_place(into, [one for one in others if one.name != name])
            putting = Putting(service=service, name=name, into=into, at=self._clock.now(), by=who)
            file = await self._store.put(putting, content)
        await self._changed(service, name, "put-private-file", who)
        return file

    async def remove(self, service: ServiceName, name: PrivateFileName, *, who: str) -> None:
        """Keep a private file no more; the versions that were made with it have it still.

        Raises:
            AbsentError: there is none of this name.
        """
        if not await self._store.remove(service, name):
            raise AbsentError(f"this node keeps no private file {name!r} for {service}")
        await self._changed(service, name, "remove-private-file", who)

    async def _changed(self, service: ServiceName, name: PrivateFileName, action: str, who: str) -> None:
        await self._audit.record(who, action, f"{service}/{name}")
        self._hub.publish(Topic.SERVICES, service)

    # For builds.

    def of_recipe(self, service: ServiceName) -> PrivateSource:
        """The files that the recipe of ``service`` may name."""
        return _OfRecipe(self._store, service)

    async def of_site(self, service: ServiceName) -> tuple[PrivatePart, ...]:
        """The files that go into each client version of ``service``, by name.

        Raises:
            CorruptError: one can't be opened.
        """
        named = [one.name for one in await self._store.of_service(service) if one.into is not None]
        found = [await self._store.read(service, name) for name in named]
        return tuple(
            PrivatePart(target=file.into, fingerprint=file.fingerprint, content=content)
            for file, content in found
            if file.into is not None
        )

    async def fingerprints(self, service: ServiceName) -> dict[str, str]:
        """What tells the contents that ``of_site`` gives from others, by the paths where they go."""
        found = await self._store.of_service(service)
        return {one.into: one.fingerprint for one in found if one.into is not None}


def _check_size(content: bytes) -> None:
    if not content:
        raise InvalidValueError("a private file is not empty: remove it instead")
    if len(content) > limits.PRIVATE_FILE_BYTES:
        raise OversizedError(f"a private file has at most {limits.PRIVATE_FILE_BYTES} bytes")


def _check_place(into: str, others: list[PrivateFile]) -> None:
    clash = clash_of([private_target(into), *(one.into for one in others if one.into is not None)])
    if clash is not None:
        raise InvalidValueError(clash)

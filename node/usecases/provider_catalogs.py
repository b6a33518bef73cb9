"""Reads the catalogues of providers: fetches what the verifying reader asks for next, until it is content.

What may be believed decides ``federation.catalog.reader``; what is taken decides ``node.model.policy``.
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

from federation.catalog.reader import CatalogReader, Catalogue
from federation.clock import Clock
from federation.errors import AbsentError, OversizedError, TamperedError, UnreachableError
from federation.names import NodeName
from node.model.peer import CatalogSeen, Provider
from node.usecases.peers import ConnectPeer, Peer

_READ_SECONDS: Final = 300
# Rotated roots one by one, then a handful of files: more questions than this no honest catalogue has.
_QUESTIONS_MOST: Final = 1024


class _Reading:
    """One provider's reader. Its state on the disk is of one reading at a time, so a second one waits for the first."""

    def __init__(self, folder: Path) -> None:
        self.reader = CatalogReader(folder)
        self.turn = asyncio.Lock()


class ProviderCatalogs:
    """The catalogues that this node reads. What is trusted of each stands in ``<folder>/<provider>/``."""

    def __init__(self, *, folder: Path, connect: ConnectPeer, clock: Clock) -> None:
        self._folder = folder
        self._connect = connect
        self._clock = clock
        self._readings: dict[NodeName, _Reading] = {}

    async def trust(self, provider: NodeName, root: str) -> None:
        """Begin to trust ``provider`` by ``root``, which its node key vouched for; what was seen before is forgotten.

        Raises:
            TamperedError, OversizedError: not a root.
        """
        reading = self._reading(provider)
        async with reading.turn:
            await asyncio.to_thread(reading.reader.trust, root.encode())

    async def forget(self, provider: NodeName) -> None:
        """Remove all that is kept of ``provider``."""
        reading = self._reading(provider)
        async with reading.turn:
            await asyncio.to_thread(reading.reader.forget)

    async def read(self, provider: Provider) -> Catalogue:
        """The catalogue of ``provider`` as of now, verified as a whole.

        Raises:
            StaleError, TamperedError, OversizedError: it can't be believed.
            AbsentError: the provider has none for this node.
            UnreachableError: it does not answer, or a part is missing.
            DeniedError: it does not know this node.
        """
        reading = self._reading(provider.name)
        try:
            async with asyncio.timeout(_READ_SECONDS), reading.turn:
                catalogue = await self._read(reading.reader, provider)
        except TimeoutError as error:
            raise UnreachableError(
                f"{provider.name} took too long to tell what it offers: tried again later"
            ) from error
        listing = catalogue.listing
        if (listing.node, listing.profile) != (provider.name, provider.profile):
            raise TamperedError(
                f"{provider.name} shows the catalogue of {listing.node} for profile {listing.profile}: refused; "
                "ask its operator, or link anew"
            )
        return catalogue

    async def fetch(self, provider: Provider, catalogue: Catalogue, path: str, *, most_bytes: int) -> bytes:
        """The target ``path`` of ``catalogue``, which is what the catalogue names.

        Raises:
            AbsentError: it names none.
            TamperedError: the provider served other bytes.
            OversizedError: more than ``most_bytes``.
            UnreachableError: it does not answer.
        """
        length = catalogue.info(path).length
        if length > most_bytes:
            raise OversizedError(
                f"{provider.name} lists {path} with {length} bytes; {most_bytes} are the bound: refused"
            )
        address = _address(provider, catalogue.url_path(path))
        return catalogue.check_target(path, await self._peer(provider).get(address, most_bytes=max(1, length)))

    async def _read(self, reader: CatalogReader, provider: Provider) -> Catalogue:
        peer = self._peer(provider)
        got: dict[str, bytes | None] = {}
        for _ in range(_QUESTIONS_MOST):
            step = await asyncio.to_thread(reader.read, got, self._clock.now())
            if isinstance(step, Catalogue):
                return step
            try:
                got[step.path] = await peer.get(_address(provider, step.path), most_bytes=step.most_bytes)
            except AbsentError:
                got[step.path] = None
        raise TamperedError(f"the catalogue of {provider.name} has no end: refused")

    def _peer(self, provider: Provider) -> Peer:
        return self._connect(provider.url, provider.key)

    def _reading(self, provider: NodeName) -> _Reading:
        if provider not in self._readings:
            self._readings[provider] = _Reading(self._folder / provider)
        return self._readings[provider]


def seen(catalogue: Catalogue, now: datetime) -> CatalogSeen:
    """What is kept of ``catalogue``, read at ``now``."""
    return CatalogSeen(
        listing=catalogue.listing,
        root_version=catalogue.root_version,
        targets_version=catalogue.targets_version,
        expires=catalogue.expires,
        read=now,
    )


def _address(provider: Provider, path: str) -> str:
    return f"/catalogs/{provider.profile}/{path}"

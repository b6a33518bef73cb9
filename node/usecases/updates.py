"""Takes versions from providers: checks what is offered, fetches, verifies, stores and makes it desired."""

import shutil
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from federation import limits
from federation.clock import Clock
from federation.errors import CorruptError, TamperedError, VUpdateError
from federation.identity import NodeId
from federation.manifest import SignedManifest
from federation.names import NodeName
from federation.offer import Offer, Offered
from federation.trust import check_offer_order
from federation.versions import DeveloperVersion
from node.model.desired import Delta, ListKind
from node.model.peer import AutoUpdate, Provider
from node.model.task import Task, TaskKind, TaskState
from node.model.version import StoredVersion, Transfer
from node.storage.port import Order
from node.storage.repository import Repository
from node.usecases.desired import Desired
from node.usecases.images import Images
from node.usecases.links import Links
from node.usecases.peers import ConnectPeer, Peer
from node.usecases.pins import Pins
from node.usecases.services import Services
from node.usecases.tasks import Job, TaskLog, Tasks
from node.usecases.versions import Versions

TRANSFER_INDEXES: Final = ("at",)
_BASES_LOOKED_AT: Final = 50


def transfer_key(transfer: Transfer) -> str:
    """One transfer of one version from one provider at one time."""
    return f"{transfer.provider}/{transfer.service}/{transfer.version}/{transfer.at:%Y%m%dT%H%M%S%f}"


class Updates:
    """Updates of this node from its providers."""

    def __init__(
        self,
        *,
        reader: NodeId,
        links: Links,
        pins: Pins,
        services: Services,
        versions: Versions,
        desired: Desired,
        images: Images,
        tasks: Tasks,
        transfers: Repository[Transfer],
        connect: ConnectPeer,
        clock: Clock,
        work: Path,
    ) -> None:
        self._reader = reader
        self._links = links
        self._pins = pins
        self._services = services
        self._versions = versions
        self._desired = desired
        self._images = images
        self._tasks = tasks
        self._transfers = transfers
        self._connect = connect
        self._clock = clock
        self._work = work

    async def check(self, name: NodeName) -> Provider:
        """Ask a provider what it offers now, verify the answer and remember it.

        Raises:
            AbsentError: no such provider.
            UnreachableError: it does not answer.
            TamperedError, StaleError: its answer can't be believed.
        """
        provider = await self._links.provider(name)
        try:
            offer = await self._fetch_offer(provider)
        except VUpdateError as error:
            await self._links.change_provider(replace(provider, checked=self._clock.now(), error=error.message))
            raise
        return await self._links.change_provider(replace(provider, offer=offer, checked=self._clock.now(), error=""))

    async def update(self, name: NodeName, *, who: str) -> Task:
        """Queue an update from a provider: fetch what is new and make it desired."""
        await self._links.provider(name)
        return await self.start(name, install=True, who=who)

    async def start(self, name: NodeName, *, install: bool, who: str) -> Task:
        """Queue an update; without ``install`` the versions are only fetched."""

        async def work(log: TaskLog) -> str:
            provider = await self.check(name)
            return await self._take(provider, log, install=install, who=who)

        title = f"Update from {name}" if install else f"Download from {name}"
        job = Job(kind=TaskKind.PROVIDER_UPDATE, title=title, work=work, subject=name)
        return await self._tasks.start(job, who=who)

    async def run(self, name: NodeName, *, install: bool) -> bool:
        """Update by itself and wait for the end; whether it succeeded."""
        task = await self.start(name, install=install, who=f"auto-update from {name}")
        return (await self._tasks.wait(task.id)).state is TaskState.SUCCEEDED

    async def has_news(self, provider: Provider) -> bool:
        """Whether the last offer of ``provider`` holds something that its link wants and that is not here yet."""
        wanted = await self._wanted(provider)
        if provider.auto_update is AutoUpdate.DOWNLOAD:
            present = [await self._versions.has(ListKind.DEVELOPER, one.service, one.version) for one in wanted]
            return not all(present)
        current = (await self._desired.current(ListKind.DEVELOPER)).developer
        return any(current.get(one.service) != one.version for one in wanted)

    async def transfers(self, first: int) -> list[Transfer]:
        """The newest ``first`` transfers, newest first."""
        return await self._transfers.find(order=(Order("at", descending=True),), limit=first)

    async def _fetch_offer(self, provider: Provider) -> Offer:
        peer = self._connect(provider.url, provider.key)
        content = await peer.get("/federation/v1/offer", most_bytes=limits.ENVELOPE_BYTES)
        offer = Offer.read(content, provider=provider.key, reader=self._reader, now=self._clock.now())
        check_offer_order(provider.offer, offer)
        return offer

    async def _wanted(self, provider: Provider) -> list[Offered]:
        """What this node takes from ``provider``: not what it builds itself, nor what another provider brings."""
        wanted: list[Offered] = []
        others = {other.name for other in await self._links.providers()} - {provider.name}
        current = (await self._desired.current(ListKind.DEVELOPER)).developer
        for offered in provider.offer.versions if provider.offer else ():
            version = current.get(offered.service)
            if await self._services.is_developed(offered.service):
                continue
            if version is not None:
                stored = await self._versions.get(ListKind.DEVELOPER, offered.service, version)
                if stored.received_from in others:
                    continue
            wanted.append(offered)
        return wanted

    async def _take(self, provider: Provider, log: TaskLog, *, install: bool, who: str) -> str:
        wanted = await self._wanted(provider)
        taken: list[Offered] = []
        failures: list[VUpdateError] = []
        for offered in wanted:
            try:
                await self._take_one(provider, offered, log)
                taken.append(offered)
            except VUpdateError as error:
                log(f"{offered.service} {offered.version}: {error.message}")
                failures.append(error)
        if install and taken:
            await self._make_desired(provider, taken, who)
        if failures:
            raise failures[0]
        return ", ".join(f"{one.service} {one.version}" for one in taken) or "nothing new"

    async def _make_desired(self, provider: Provider, taken: Iterable[Offered], who: str) -> None:
        deltas = tuple(Delta(service=one.service, version=one.version) for one in taken)
        await self._desired.set_now(ListKind.DEVELOPER, deltas, who=who, why=f"offered by {provider.name}")

    async def _take_one(self, provider: Provider, offered: Offered, log: TaskLog) -> None:
        if await self._versions.has(ListKind.DEVELOPER, offered.service, offered.version):
            present = await self._versions.get(ListKind.DEVELOPER, offered.service, offered.version)
            if present.manifest != offered.manifest:
                raise TamperedError(
                    f"{provider.name} offers {offered.service} {offered.version} with another manifest than before"
                )
            return
        peer = self._connect(provider.url, provider.key)
        signed = await self._fetch_manifest(peer, provider, offered)
        transfer = await self._fetch_image(peer, provider, offered)
        await self._versions.keep(
            StoredVersion(
                kind=ListKind.DEVELOPER,
                service=offered.service,
                version=offered.version,
                image=offered.image,
                manifest=offered.manifest,
                envelope=signed.envelope.to_bytes(),
                stored=self._clock.now(),
                received_from=provider.name,
            )
        )
        await self._transfers.put(transfer)
        log(
            f"{offered.service} {offered.version}: {transfer.moved_bytes} bytes moved "
            f"where the whole image is {transfer.full_bytes}; signed by {signed.manifest.maker.node}"
        )

    async def _fetch_manifest(self, peer: Peer, provider: Provider, offered: Offered) -> SignedManifest:
        path = f"/federation/v1/manifests/{offered.manifest}"
        signed = SignedManifest.from_bytes(await peer.get(path, most_bytes=limits.ENVELOPE_BYTES))
        manifest = signed.manifest
        stated = (signed.digest, manifest.service, manifest.version, manifest.image)
        if stated != (offered.manifest, offered.service, offered.version, offered.image):
            raise TamperedError(f"{provider.name} sent another manifest than the one it offers: refused")
        if manifest.base is not None:
            raise TamperedError(f"{provider.name} offers a client version as a developer version: refused")
        await self._pins.check(manifest.maker.node, manifest.maker.key, through=provider.name)
        return signed

    async def _fetch_image(self, peer: Peer, provider: Provider, offered: Offered) -> Transfer:
        base = await self._newest_base(offered)
        try:
            return await self._fetch_pack(peer, provider, offered, base)
        except (TamperedError, CorruptError):
            # A delta that lies or rests on another base than was said, or a base damaged on the disk here: the whole
            # image is the way out.
            if base is None:
                raise
            return await self._fetch_pack(peer, provider, offered, None)

    async def _fetch_pack(
        self, peer: Peer, provider: Provider, offered: Offered, base: StoredVersion | None
    ) -> Transfer:
        started = self._clock.monotonic()
        folder = self._work / f"pack-{uuid.uuid4().hex}"
        folder.mkdir(parents=True)
        try:
            target = folder / "pack"
            query = {"from": str(base.image)} if base else {}
            path = f"/federation/v1/packs/{offered.image}"
            got = await peer.download(path, query, target, most_bytes=limits.IMAGE_BYTES)
            used = base if base and got.headers.get("Vupdate-Pack-Base") == base.image else None
            await self._images.unpack(target, expected=offered.image, base=used.image if used else None)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        full = got.headers.get("Vupdate-Full-Bytes", "")
        return Transfer(
            provider=provider.name,
            service=offered.service,
            version=offered.version,
            base=used.version if used else None,
            moved_bytes=got.bytes,
            full_bytes=max(int(full), got.bytes) if full.isascii() and full.isdigit() else got.bytes,
            seconds=self._clock.monotonic() - started,
            at=self._clock.now(),
        )

    async def _newest_base(self, offered: Offered) -> StoredVersion | None:
        """The stored version of the same service that is likely nearest: the newest one below, else the newest."""
        stored = await self._versions.find(ListKind.DEVELOPER, offered.service, first=_BASES_LOOKED_AT)
        same = [one for one in stored if DeveloperVersion(one.version).node == offered.version.node]
        below = [one for one in same if DeveloperVersion(one.version) < offered.version]
        return max(below or same, key=lambda one: DeveloperVersion(one.version), default=None)

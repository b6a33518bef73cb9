"""Fetches an image from a provider: by the cheapest pack, content by content where that one was bad, whole at worst.

Every byte is checked against the index that the signed manifest names, so a provider can waste time and no more; a lie
is remembered by ``penalties``. Whether the version may be taken at all was decided before.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import structlog

from federation import limits
from federation.catalog.listing import Entry
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import CorruptError, OversizedError, TamperedError, VUpdateError
from federation.files import explained_disk_errors
from federation.image import Image
from federation.transfer.format import BASE_FIELD, FULL_BYTES_FIELD
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.peer import Provider
from node.model.version import StoredVersion, Transfer
from node.usecases.images import Images
from node.usecases.peers import ConnectPeer, Peer
from node.usecases.penalties import Penalties
from node.usecases.transfers import Transfers
from node.usecases.versions import Versions

SINGLES_MOST: Final = 4000
"""So many contents are fetched one by one instead of a whole pack, and so many at a time:"""
_AT_ONCE: Final = 4

KEPT_FOR: Final = timedelta(days=2)
"""What was half fetched is kept for so long, for when the provider is back."""

_BASES_LOOKED_AT: Final = 50
_LIES: Final = (TamperedError, OversizedError)
_log = structlog.get_logger(__name__)


class MissingContentsError(TamperedError):
    """Part of a pack was wrong, too much of it to ask for what is missing content by content."""

    code = "contents-missing"


@dataclass(slots=True)
class _Cost:
    """Bytes so far: all that moved, and of those what made good for something wrong."""

    moved: int = 0
    repaired: int = 0
    full: int = 0

    def saw_full(self, headers: Mapping[str, str]) -> None:
        text = headers.get(FULL_BYTES_FIELD, "")
        if text.isascii() and text.isdigit() and len(text) < 16:
            self.full = int(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """One image to fetch. ``most_bytes``: of any pack of it."""

    peer: Peer
    provider: Provider
    entry: Entry
    folder: Path
    most_bytes: int
    cost: _Cost


class Fetcher:
    """Fetches images into this node. ``work``: where they arrive, in places that a restarted node finds again."""

    def __init__(
        self,
        *,
        images: Images,
        versions: Versions,
        penalties: Penalties,
        transfers: Transfers,
        connect: ConnectPeer,
        clock: Clock,
        work: Path,
    ) -> None:
        self._images = images
        self._versions = versions
        self._penalties = penalties
        self._transfers = transfers
        self._connect = connect
        self._clock = clock
        self._work = work
        self._locks: WeakValueDictionary[Digest, asyncio.Lock] = WeakValueDictionary()

    async def fetch(self, provider: Provider, entry: Entry, *, image_bytes: int | None = None) -> Transfer:
        """Bring the image of ``entry`` here whole; what it cost, which is recorded.

        ``image_bytes``: the size that the signed manifest states; a bound for what is taken.

        Raises:
            AbsentError, DeniedError: the provider does not give it to us.
            UnreachableError: it is away, or the connection keeps breaking; what came is kept for the next time.
            TamperedError, OversizedError: it lies, and no way round was found.
            CorruptError: what is stored here is damaged.
            DiskFullError: no room.
        """
        async with self._locks.setdefault(entry.image, asyncio.Lock()):
            transfer = await self._fetch(provider, entry, image_bytes)
        await self._transfers.record(transfer)
        return transfer

    async def _fetch(self, provider: Provider, entry: Entry, image_bytes: int | None) -> Transfer:
        started = self._clock.monotonic()
        cost, used = _Cost(), None
        stored = await self._images.stored_bytes(entry.image)
        if stored is not None:
            cost.full = stored  # another version or another provider brought it
        else:
            errand = _Errand(
                peer=self._connect(provider.url, provider.key),
                provider=provider,
                entry=entry,
                folder=self._work / provider.name,
                most_bytes=_bound(image_bytes),
                cost=cost,
            )
            await asyncio.to_thread(_make_folder, errand.folder)
            used = await self._by_any_pack(errand)
            await asyncio.to_thread(self._clear, errand)
            await self._penalties.good(provider.name)
        return Transfer(
            provider=provider.name,
            service=entry.service,
            version=entry.version,
            base=used.version if used else None,
            moved_bytes=cost.moved,
            full_bytes=max(cost.full, cost.moved - cost.repaired),
            repaired_bytes=cost.repaired,
            seconds=self._clock.monotonic() - started,
            at=self._clock.now(),
        )

    async def _by_any_pack(self, errand: _Errand) -> StoredVersion | None:
        """Fetch a delta, or the full pack where there can be none or it was bad; what it rested on."""
        base = await self._base(errand.provider, errand.entry)
        if base is not None:
            try:
                return await self._by_pack(errand, base)
            except MissingContentsError:
                pass  # told already
            except _LIES as error:
                await self._lied(errand, error)
            except CorruptError as error:
                # Ours is damaged, which is no lie of theirs: the whole image is the way out.
                _log.warning("base of a delta is damaged", service=errand.entry.service, error=error.message)
            errand.cost.repaired = errand.cost.moved
        try:
            return await self._by_pack(errand, None)
        except MissingContentsError:
            raise
        except _LIES as error:
            await self._lied(errand, error)
            raise

    async def _lied(self, errand: _Errand, error: VUpdateError) -> None:
        _log.warning("provider lied", provider=errand.provider.name, image=errand.entry.image, error=error.message)
        await self._penalties.record(errand.provider.name, error.message)

    async def _base(self, provider: Provider, entry: Entry) -> StoredVersion | None:
        """The stored version of the same service that is likely nearest: the newest one below, else the newest."""
        if await self._penalties.current(provider.name) is not None:
            return None
        stored = await self._versions.find(ListKind.DEVELOPER, entry.service, first=_BASES_LOOKED_AT)
        # Asking for a delta tells the provider the digest of the image that it rests on.
        stored = [one for one in stored if not one.private]
        same = [one for one in stored if DeveloperVersion(one.version).node == entry.version.node]
        below = [one for one in same if DeveloperVersion(one.version) < entry.version]
        return max(below or same, key=lambda one: DeveloperVersion(one.version), default=None)

    async def _by_pack(self, errand: _Errand, base: StoredVersion | None) -> StoredVersion | None:
        target = self._pack_path(errand, base)
        query = {"from": str(base.image)} if base else {}
        path = f"/federation/v1/packs/{errand.entry.image}"
        got = await errand.peer.download(path, query, target, most_bytes=errand.most_bytes)
        errand.cost.moved += got.moved_bytes
        errand.cost.saw_full(got.headers)
        used = base if base and got.headers.get(BASE_FIELD) == base.image else None
        try:
            await self._take(errand, target, used)
        finally:
            await asyncio.to_thread(target.unlink, missing_ok=True)
        return used

    async def _take(self, errand: _Errand, pack: Path, base: StoredVersion | None) -> None:
        """Store what is in ``pack``, and what it should have brought as well; the image is here when this returns."""
        image = errand.entry.image
        got = await self._images.salvage(pack, expected=image, base=base.image if base else None)
        if got.wrong is not None:
            await self._lied(errand, got.wrong)
        if got.missing:
            await self._repair(errand, got.image, got.missing, base)
        await self._images.complete(got.image)

    async def _repair(
        self, errand: _Errand, image: Image, missing: tuple[Digest, ...], base: StoredVersion | None
    ) -> None:
        due = sum(image.contents[digest] for digest in missing)
        # From a delta the full pack is still to be had: it is the better one where most would have to come anyway.
        if len(missing) > SINGLES_MOST or (base is not None and due * 2 > image.size):
            raise MissingContentsError(
                f"{errand.provider.name} sent a pack with {len(missing)} wrong contents: its update is not taken"
            )
        left = iter(missing)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_AT_ONCE):
                    group.create_task(self._fetch_singly(errand, image, left))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from failed

    async def _fetch_singly(self, errand: _Errand, image: Image, left: Iterator[Digest]) -> None:
        for digest in left:
            size = image.contents[digest]
            target = errand.folder / f"{digest}.content"
            path = f"/federation/v1/images/{image.digest}/contents/{digest}"
            most = size + size // 64 + 64 * limits.KIB
            got = await errand.peer.download(path, {}, target, most_bytes=most)
            errand.cost.moved += got.moved_bytes
            errand.cost.repaired += got.moved_bytes
            try:
                await self._images.take_content(target, digest, size)
            finally:
                await asyncio.to_thread(target.unlink, missing_ok=True)

    def _pack_path(self, errand: _Errand, base: StoredVersion | None) -> Path:
        return errand.folder / f"{base.image if base else 'full'}_{errand.entry.image}.pack"

    def _clear(self, errand: _Errand) -> None:
        """Remove what is left of other ways to this image."""
        for path in errand.folder.glob(f"*_{errand.entry.image}.pack*"):
            path.unlink(missing_ok=True)

    def clear_leftovers(self) -> None:
        """Remove what nobody came back for; for a start, before anything is fetched. Blocking."""
        oldest = (self._clock.now() - KEPT_FOR).timestamp()
        for path in self._work.glob("*/*"):
            if path.lstat().st_mtime < oldest:
                path.unlink()


def _make_folder(folder: Path) -> None:
    with explained_disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)


def _bound(image_bytes: int | None) -> int:
    """The most that a pack of an image of ``image_bytes`` can have: what can't be compressed grows a little."""
    if image_bytes is None:
        return limits.IMAGE_BYTES
    return min(limits.IMAGE_BYTES, image_bytes + image_bytes // 64 + limits.IMAGE_INDEX_BYTES)

"""Brings one version onto the instance: its manifest checked, its pack fetched, its tree unpacked beside the others.

The pack's file is named by what is in it, so a new agent knows what an old one had fetched.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent import settings, slots
from agent.home import Unit
from agent.plan import Slot
from agent.settings import Place
from agent.threads import unbroken
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import CorruptError, TamperedError
from federation.image import Image
from federation.keys import PublicKey
from federation.manifest import SignedManifest
from federation.state import Moved
from federation.transfer.install import install_pack


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A pack that arrived: the image it rests on, bytes received, and what the whole image would have cost."""

    base: Digest | None
    moved_bytes: int
    full_bytes: int


class Delivery(Protocol):
    """Where versions come from."""

    @property
    def node_key(self) -> PublicKey:
        """The key that our node is known by now."""
        ...

    async def manifest(self, digest: Digest) -> SignedManifest:
        """The verified manifest whose signed statement has ``digest``.

        Raises:
            AbsentError, UnreachableError, TamperedError, RemoteError
        """
        ...

    async def pack(self, image: Digest, base: Digest | None, target: Path) -> Fetched:
        """Fetch the pack of ``image``, perhaps one that rests on ``base``, to ``target``.

        Raises:
            AbsentError, UnreachableError, OversizedError, RemoteError, DiskFullError
        """
        ...


def check_manifest(signed: SignedManifest, slot: Slot, unit: Unit, node_key: PublicKey) -> None:
    """Accept only the manifest that the assignment means, signed by the key that our own node has now.

    Raises:
        TamperedError: another one.
    """
    manifest = signed.manifest
    if not signed.bears(node_key):
        raise TamperedError(f"{slot.version} was not signed by our node but by {manifest.maker.node}: refused")
    named = (manifest.service, manifest.version, manifest.image)
    if named != (unit.key.service, slot.version, slot.image):
        raise TamperedError(
            f"the manifest of {slot.version} is of {manifest.service} {manifest.version} or of another image: refused"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pack:
    path: Path
    base: Image | None
    base_tree: Path | None


class Installer:
    """Brings versions to the units of one agent."""

    def __init__(self, delivery: Delivery, place: Place, clock: Clock) -> None:
        self._delivery = delivery
        self._place = place
        self._clock = clock

    async def download(self, unit: Unit, slot: Slot, committed: Slot | None) -> Moved:
        """Fetch what is needed to stage ``slot``."""
        began = self._clock.monotonic()
        signed = await self._delivery.manifest(slot.manifest)
        check_manifest(signed, slot, unit, self._delivery.node_key)
        base = None if committed is None else await unbroken(slots.installed_image, unit, committed.version)
        fetched = await self._fetch(unit, slot, None if base is None else base.digest)
        return Moved(
            version=slot.version,
            base=None if fetched.base is None or committed is None else committed.version,
            moved_bytes=fetched.moved_bytes,
            full_bytes=fetched.full_bytes,
            seconds=round(self._clock.monotonic() - began, 3),
        )

    async def _fetch(self, unit: Unit, slot: Slot, base: Digest | None) -> Fetched:
        # One place for all: a new agent goes on with what an old one had begun, if it asks for the same.
        arriving = unit.packs / "pack"
        fetched = await self._delivery.pack(slot.image, base, arriving)
        if fetched.base not in (None, base):
            raise TamperedError(f"the pack of {slot.version} rests on an image that is not installed here: refused")
        await unbroken(arriving.replace, _pack_path(unit, slot, fetched.base))
        return fetched

    async def stage(self, unit: Unit, slot: Slot, committed: Slot | None, moved: Moved | None) -> Moved | None:
        """Unpack ``slot`` beside the other versions; what it cost, with a second fetch where one was needed."""
        pack = await unbroken(_find_pack, unit, slot, committed)
        if pack is None:
            moved = await self.download(unit, slot, committed)
            pack = await unbroken(_find_pack, unit, slot, committed)
        if pack is None:
            raise CorruptError(f"the pack of {slot.version} vanished from {unit.packs}: it will be fetched again")
        try:
            image = await unbroken(_unpack, unit, slot, pack)
        except (CorruptError, TamperedError):
            await unbroken(slots.remove_tree, pack.path)
            if pack.base is None:
                raise
            # The running service changed its own files, or the delta is no good: the whole image always is.
            fetched = await self._fetch(unit, slot, None)
            image = await unbroken(
                _unpack, unit, slot, _Pack(path=_pack_path(unit, slot, None), base=None, base_tree=None)
            )
            moved = _again(moved, slot, fetched)
        await unbroken(self._finish, unit, slot, image)
        return moved

    def _finish(self, unit: Unit, slot: Slot, image: Image) -> None:
        runnable = settings.load(unit.staging, unit, slot.version, self._place)
        slots.link_data(unit, unit.staging, runnable.service.run.data)
        slots.adopt(unit, slot.version, image)
        slots.remove_tree(unit.packs)


def _again(moved: Moved | None, slot: Slot, fetched: Fetched) -> Moved:
    before = 0 if moved is None else moved.moved_bytes
    return Moved(
        version=slot.version,
        base=None,
        moved_bytes=before + fetched.moved_bytes,
        full_bytes=fetched.full_bytes,
        seconds=0.0 if moved is None else moved.seconds,
    )


def _pack_path(unit: Unit, slot: Slot, base: Digest | None) -> Path:
    return unit.packs / f"{slot.image}.{'full' if base is None else base}.pack"


def _find_pack(unit: Unit, slot: Slot, committed: Slot | None) -> _Pack | None:
    """What was fetched for ``slot`` and can be unpacked with what is installed."""
    base = None if committed is None else slots.installed_image(unit, committed.version)
    if base is not None and committed is not None and _pack_path(unit, slot, base.digest).exists():
        path = _pack_path(unit, slot, base.digest)
        return _Pack(path=path, base=base, base_tree=unit.version(committed.version))
    full = _pack_path(unit, slot, None)
    return _Pack(path=full, base=None, base_tree=None) if full.exists() else None


def _unpack(unit: Unit, slot: Slot, pack: _Pack) -> Image:
    unit.versions.mkdir(parents=True, exist_ok=True)
    slots.remove_tree(unit.staging)
    return install_pack(pack.path, expected=slot.image, base=pack.base, base_tree=pack.base_tree, target=unit.staging)

"""How nodes of a simulated network lie: on the wire, and with all the keys that they have.

``WITHHOLDING`` are those that nobody can tell from a provider with nothing new, or from one that is away: a service
that is followed from one stays as it is until the catalogue seen last expires. All others are found out.
"""

import asyncio
import dataclasses
import enum
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from federation.catalog.listing import Entry, key_changes_target, manifest_target, marker
from federation.keychange import KeyChange, to_document
from federation.keys import PrivateKey
from federation.manifest import Maker, SignedManifest
from federation.names import NodeName
from federation.profile import Profile
from federation.transfer.tree import TreeSource
from federation.versions import DeveloperVersion
from node.usecases.contents import Content
from tests.support.nodes import Member
from tests.support.simulated_network import Answered

FORGED_BUILD: Final = "66.6.6"
_SLOW_SECONDS: Final = 100.0
_REFUSAL: Final = b'{"code":"internal","message":"something went wrong"}'
_ABSENT: Final = b'{"code":"not-found","message":"no such file"}'


class Lie(enum.Enum):
    """What a node does wrong."""

    ROLLS_BACK = "shows an older catalogue than before"
    FLIPS_METADATA = "flips bits in the metadata of its catalogue"
    FLIPS_LISTING = "flips bits in its listing"
    FLIPS_MANIFESTS = "flips bits in manifests"
    FLIPS_PACKS = "flips bits in packs"
    SWAPS_PACKS = "sends another pack"
    KEEPS_PACKS = "lists versions and does not give them"
    FORGES = "lists versions in the name of others, signed by itself"
    FORKS_KEYS = "the same, by a stolen old key and another change of it"
    ENDLESS = "answers without end"
    CRIES = "tells of news all the time"
    STRIPS_TRAILS = "says that all it has is its own choice"
    FREEZES = "shows the same catalogue for ever"
    FAILS = "answers with an error to everything"
    SILENT = "takes requests and says nothing"
    SLOW = "answers each question after 100 seconds"


WITHHOLDING: Final = frozenset({Lie.FREEZES, Lie.FAILS, Lie.SILENT, Lie.SLOW})
FOUND_OUT: Final = tuple(lie for lie in Lie if lie not in WITHHOLDING)

_FLIPPED: Final = {
    Lie.FLIPS_METADATA: ".targets.json",
    Lie.FLIPS_LISTING: ".listing.json",
    Lie.FLIPS_MANIFESTS: "/targets/manifests/",
    Lie.FLIPS_PACKS: "/packs/",
}


@dataclass
class Lying:
    """The answers of one node, spoilt. ``shown``: the copy of an old catalogue that it goes on showing."""

    lie: Lie
    rng: random.Random
    shown: Path | None = None
    _pack: bytes | None = None
    _cries: int = 10**6

    async def answer(self, of: str, path: str, honest: Answered) -> Answered:  # noqa: ARG002  all are lied to alike
        if self.lie is Lie.SILENT:
            await asyncio.Event().wait()
        if self.lie is Lie.SLOW:
            await asyncio.sleep(_SLOW_SECONDS)
        if self.lie is Lie.FAILS:
            return Answered(500, {}, _REFUSAL)
        if self.shown is not None and path.startswith("/catalogs/"):
            return self._old(self.shown, path)
        return honest if honest.status >= 400 else self._spoilt(path, honest)

    def _spoilt(self, path: str, honest: Answered) -> Answered:
        """What becomes of a good answer."""
        part, pack = _FLIPPED.get(self.lie), "/packs/" in path
        if self.lie is Lie.ENDLESS and not path.endswith(("/events", "/link")):
            return dataclasses.replace(honest, endless=True)
        if self.lie is Lie.KEEPS_PACKS and (pack or "/contents/" in path):
            return Answered(404, {}, _ABSENT)
        if self.lie is Lie.SWAPS_PACKS and pack:
            self._pack = self._pack or honest.content
            return dataclasses.replace(honest, content=self._pack)
        flips = part is not None and part in path
        return dataclasses.replace(honest, content=self._flipped(honest.content)) if flips else honest

    def piece(self, piece: bytes) -> bytes:
        if self.lie in (Lie.FREEZES, Lie.ROLLS_BACK):
            return b":\n\n"
        if self.lie is Lie.CRIES:
            self._cries += 1
            return b'event: catalog\ndata: {"serial":%d,"link":%d}\n\n' % (self._cries, self._cries)
        return piece

    def _flipped(self, content: bytes) -> bytes:
        spoilt = bytearray(content)
        spoilt[self.rng.randrange(len(spoilt))] ^= 1 << self.rng.randrange(8)
        return bytes(spoilt)

    def _old(self, shown: Path, path: str) -> Answered:
        _, _, _, kind, name = path.split("/", 4)
        folder, _, file = name.rpartition("/")
        asked = shown / kind / folder / file
        found = asked if kind != "targets" else next(iter(shown.glob(f"targets/**/{file}")), asked)
        return Answered(200, {}, found.read_bytes()) if found.is_file() else Answered(404, {}, _ABSENT)


def copy_of(member: Member, profile: str, to: Path) -> Path:
    """The catalogue of ``member`` as it is now, to be shown later."""
    shutil.copytree(member.folder / "tuf" / profile, to)
    return to


def republish(member: Member, lie: Callable[[Content], Content]) -> None:
    """From now on ``member`` signs what ``lie`` makes of its catalogue."""
    contents = member.use.catalogs._contents
    honest = contents.of

    async def of(profile: Profile) -> Content:
        return lie(await honest(profile))

    contents.of = of  # type: ignore[method-assign]  # the lie itself


def stripped(member: Member) -> Callable[[Content], Content]:
    """Each entry came through nobody else."""

    def lie(content: Content) -> Content:
        entries = tuple(
            dataclasses.replace(entry, trail=(marker(member.key.id, entry.service),))
            for entry in content.listing.entries
        )
        return dataclasses.replace(content, listing=dataclasses.replace(content.listing, entries=entries))

    return lie


@dataclass
class Forger:
    """Puts versions that their origins never made in the place of theirs, signed by its own key.

    ``stolen``: keys that origins gave up; with them it states that its own key came after those.
    """

    member: Member
    stolen: dict[str, PrivateKey] = field(default_factory=dict)
    _made: dict[str, tuple[Entry, SignedManifest]] = field(default_factory=dict)

    async def prepare(self, origins: dict[str, str]) -> None:
        """Have the forged images here, so that they could be taken. ``origins``: by service."""
        for service, origin in origins.items():
            version, evil = DeveloperVersion(f"{origin}-{FORGED_BUILD}"), {"evil": f"evil {service}".encode()}
            signed, image, tree = self.member.signed(service, f"{self.member.name}-{FORGED_BUILD}", evil)
            await self.member.use.client_builds._images.keep(image, TreeSource(tree, image))
            maker = Maker(node=NodeName(origin), key=self.member.key.public)
            manifest = dataclasses.replace(signed.manifest, version=version, maker=maker)
            forged = SignedManifest.make(manifest, self.member.key)
            entry = Entry(
                service=signed.manifest.service,
                version=version,
                image=image.digest,
                manifest=forged.digest,
                trail=(marker(self.member.key.id, signed.manifest.service),),
            )
            self._made[service] = (entry, forged)

    def lie(self, content: Content) -> Content:
        """All that it has is replaced."""
        made = [self._made.get(entry.service) for entry in content.listing.entries]
        pairs = list(zip(content.listing.entries, made, strict=True))
        entries = tuple(forged[0] if forged else entry for entry, forged in pairs)
        documents = {manifest_target(one[0].manifest): one[1].envelope.to_bytes() for one in made if one}
        origins = {entry.version.node for entry in entries}
        for origin, key in self.stolen.items():
            if NodeName(origin) in origins:
                documents[key_changes_target(NodeName(origin))] = self._forked(origin, key)
        changes = sorted({*content.listing.key_changes, *(NodeName(one) for one in self.stolen if one in origins)})
        listing = dataclasses.replace(content.listing, entries=entries, key_changes=tuple(changes))
        return dataclasses.replace(content, listing=listing, documents={**content.documents, **documents})

    def _forked(self, origin: str, stolen: PrivateKey) -> bytes:
        own = self.member.key
        at = self.member.clock.now()
        change = KeyChange(node=NodeName(origin), old=stolen.public, new=own.public, at=at, number=1)
        return to_document([change.sign(stolen, own)])

"""The keys of this node's catalogues, for its operator: what they are, and their rotation, step by step.

The steps themselves are ``federation.catalog``'s; here they are run in threads, recorded, and their warnings sounded.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from federation.catalog.ceremony import Ceremony, KeyInfo
from federation.catalog.publisher import CatalogPublisher
from federation.catalog.roles import Role
from federation.catalog.root import appointments, parse
from federation.catalog.tufkeys import key_id
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, InvalidValueError, VUpdateError
from federation.keys import PublicKey
from federation.names import ProfileName
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.catalogs import Catalogs
from node.usecases.patience import patience
from node.usecases.profiles import Profiles

ALARM: Final = "catalog-keys"
_LOOK_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleState:
    """One role as it stands: its newest metadata's version and expiry, its keys, and how many of them must sign."""

    role: Role
    version: int
    expires: datetime
    threshold: int
    keys: tuple[KeyInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogState:
    """One catalogue as its operator sees it. ``root``: the digest of the newest root, to be compared by eye."""

    profile: ProfileName
    public: bool
    serial: int
    root: Digest
    roles: tuple[RoleState, ...]
    online: bool
    prepared: int | None
    warnings: tuple[str, ...]


class _Named(msgspec.Struct):
    version: int


class _Signed(msgspec.Struct):
    version: int
    expires: datetime
    meta: dict[str, _Named] = {}

    def of(self, role: str) -> int:
        """The version of ``role`` that this names."""
        return self.meta[f"{role}.json"].version


class _Metadata(msgspec.Struct):
    signed: _Signed


class CatalogKeys:
    """The operator's view of the catalogues."""

    def __init__(self, *, catalogs: Catalogs, profiles: Profiles, alarms: Alarms, audit: Audit, clock: Clock) -> None:
        self._catalogs = catalogs
        self._profiles = profiles
        self._alarms = alarms
        self._audit = audit
        self._clock = clock

    async def all(self) -> list[CatalogState]:
        """All catalogues, by profile."""
        return [await self.get(profile.name) for profile in await self._profiles.all()]

    async def get(self, name: ProfileName) -> CatalogState:
        """One catalogue.

        Raises:
            AbsentError: there is no such profile.
        """
        profile = await self._profiles.get(name)
        publisher = await self._catalogs.publisher(name)
        warnings, serial = await asyncio.to_thread(publisher.warnings, self._clock.now()), 0
        try:
            serial = await self._catalogs.serial(name)
        except VUpdateError as error:
            warnings = [*warnings, f"it can't be published: {error.message}"]
        roles = await asyncio.to_thread(_roles, publisher)
        info = await asyncio.to_thread(publisher.info)
        return CatalogState(
            profile=name,
            public=profile.public,
            serial=serial,
            root=Digest.of(await asyncio.to_thread(lambda: publisher.root)),
            roles=roles,
            online=info.online,
            prepared=info.prepared,
            warnings=tuple(dict.fromkeys(warnings)),
        )

    async def run(self) -> None:
        """Look at the start and every hour, for as long as this runs."""
        while True:
            async with patience("keys of catalogues"):
                await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Sound an alarm for each catalogue whose operator has something to do, and settle those that are done."""
        for profile in await self._profiles.all():
            publisher = await self._catalogs.publisher(profile.name)
            warnings = await asyncio.to_thread(publisher.warnings, self._clock.now())
            if warnings:
                await self._alarms.sound(ALARM, profile.name, "; ".join(warnings))
            else:
                await self._alarms.settle(ALARM, profile.name)

    async def rotate(self, profile: ProfileName, roles: Sequence[Role], *, who: str) -> Ceremony:
        """Give ``roles`` new keys: at once if the root's keys are here, else in a root prepared for signing.

        Raises:
            AbsentError: there is no such profile.
            InvalidValueError: no role is named, or root, and its keys are not here.
        """
        publisher = await self._catalogs.publisher(profile)
        ceremony = await asyncio.to_thread(publisher.rotate, *dict.fromkeys(roles))
        names = ", ".join(role.value for role in roles)
        return await self._recorded("rotate-catalog-keys", profile, ceremony, who, names)

    async def prepare(
        self, profile: ProfileName, *, add: Sequence[PublicKey], remove: Sequence[str], threshold: int | None, who: str
    ) -> Ceremony:
        """Prepare the next root for signing elsewhere. ``remove``: key ids, or beginnings of them that fit one key.

        Raises:
            AbsentError: there is no such profile.
            InvalidValueError: the keys or the threshold don't fit.
        """
        publisher = await self._catalogs.publisher(profile)
        root = [key.key for key in (await asyncio.to_thread(publisher.info)).keys if key.role is Role.ROOT]
        gone = [_named(root, one) for one in remove]
        ceremony = await asyncio.to_thread(
            lambda: publisher.prepare_root(add=tuple(add), remove=gone, threshold=threshold)
        )
        return await self._recorded("prepare-catalog-root", profile, ceremony, who)

    async def publish_root(self, profile: ProfileName, documents: Sequence[bytes], *, who: str) -> Ceremony:
        """Put the prepared root in force, once enough keys have signed it.

        Raises:
            AbsentError: there is no such profile.
            InvalidValueError: signatures are missing; the message says whose.
            TamperedError: not a root, or not the next one.
            ConflictError: not the one prepared here last.
        """
        publisher = await self._catalogs.publisher(profile)
        ceremony = await asyncio.to_thread(publisher.publish_root, *documents)
        return await self._recorded("publish-catalog-root", profile, ceremony, who)

    async def _recorded(
        self, what: str, profile: ProfileName, ceremony: Ceremony, who: str, detail: str = ""
    ) -> Ceremony:
        await self._audit.record(who, what, f"{profile}, root {ceremony.root_version} {detail}".rstrip())
        await self.look()
        return ceremony


def _named(keys: Sequence[PublicKey], beginning: str) -> PublicKey:
    """The one of ``keys`` whose id begins so."""
    found = [key for key in keys if beginning and key_id(key).startswith(beginning.lower())]
    if len(found) != 1:
        known = ", ".join(key_id(key)[:16] for key in keys)
        which = "no" if not found else "more than one"
        raise InvalidValueError(f"{which} root key has an id that begins with {beginning[:64]!r}; there are {known}")
    return found[0]


def _roles(publisher: CatalogPublisher) -> tuple[RoleState, ...]:
    """The roles whose metadata is there, the root first; blocking."""
    keys = publisher.info().keys
    root = parse(publisher.root).signed
    appointed = appointments(root)
    found = {Role.ROOT: _Signed(version=root.version, expires=root.expires)}
    # What was never published is not there yet.
    with contextlib.suppress(AbsentError, KeyError):
        timestamp = found[Role.TIMESTAMP] = _signed(publisher, "timestamp.json")
        snapshot = found[Role.SNAPSHOT] = _signed(publisher, f"{timestamp.of('snapshot')}.snapshot.json")
        found[Role.TARGETS] = _signed(publisher, f"{snapshot.of('targets')}.targets.json")
    return tuple(
        RoleState(
            role=role,
            version=found[role].version,
            expires=found[role].expires,
            threshold=appointed[role].threshold,
            keys=tuple(key for key in keys if key.role is role),
        )
        for role in Role
        if role in found
    )


def _signed(publisher: CatalogPublisher, name: str) -> _Signed:
    return msgspec.json.decode(publisher.metadata(name).read_bytes(), type=_Metadata).signed

"""Says what stands in the catalogue of each profile, from the state of the node; publishing it is for ``catalogs``.

An entry is a desired developer version of a service of the profile, unless it was withdrawn or holds private files: of
those not even the withdrawal is told. With the entries go the manifests as their origins signed them, the withdrawals
in force and the key changes of all who signed any of these.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from federation import keychange
from federation.catalog.listing import (
    LISTING_TARGET,
    Entry,
    Listing,
    Tested,
    key_changes_target,
    manifest_target,
    marker,
    withdrawal_target,
)
from federation.errors import AbsentError
from federation.identity import NodeId
from federation.limits import OFFER_VERSIONS, TRAIL_HOPS
from federation.names import NodeName, ProfileName, ServiceName
from federation.profile import Profile
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.version import StoredVersion
from node.model.withdrawal import KeptWithdrawal
from node.usecases.changes import Change, ChangeHub, Topic
from node.usecases.desired import Desired
from node.usecases.versions import Versions
from node.usecases.withdrawals import Withdrawals

TrailsOf = Callable[[Mapping[ServiceName, DeveloperVersion]], Awaitable[Mapping[ServiceName, tuple[str, ...]]]]
"""The trails of the entries that this node follows, if they are for these versions; none for choices of its own."""

MarksOf = Callable[[ProfileName], Awaitable[Sequence[Tested]]]
"""The tested marks that consumers of a profile gave."""

KeyChangesOf = Callable[[NodeName], Awaitable[Sequence[bytes]]]
"""The signed key changes of a node, oldest first."""

_REMEMBERED_MOST: Final = 20_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that a catalogue says. ``listing``: under serial 0; ``documents``: the other targets, by path."""

    listing: Listing
    documents: Mapping[str, bytes]

    def targets(self, serial: int) -> dict[str, bytes]:
        """The targets to publish under ``serial``."""
        return {LISTING_TARGET: replace(self.listing, serial=serial).encode(), **self.documents}


class Contents:
    """What this node publishes."""

    def __init__(
        self,
        *,
        node: NodeName,
        node_id: NodeId,
        desired: Desired,
        versions: Versions,
        withdrawals: Withdrawals,
        trails_of: TrailsOf,
        marks_of: MarksOf,
        key_changes_of: KeyChangesOf,
        hub: ChangeHub,
    ) -> None:
        self._node = node
        self._node_id = node_id
        self._desired = desired
        self._versions = versions
        self._withdrawals = withdrawals
        self._trails_of = trails_of
        self._marks_of = marks_of
        self._key_changes_of = key_changes_of
        # A stored version hardly ever changes, so what was read once is not read again with each change of the list.
        self._remembered: dict[str, StoredVersion] = {}
        self._forgotten = 0
        hub.watch(self._forget)

    async def of(self, profile: Profile) -> Content:
        """What the catalogue of ``profile`` says as of now.

        Raises:
            OversizedError: more services than one catalogue can hold.
        """
        withdrawn = [one for one in await self._withdrawals.in_force() if await self._is_told(profile, one)]
        offered = await self._offered(profile, {one.version_key for one in withdrawn})
        trails = await self._trails_of({one.service: DeveloperVersion(one.version) for one in offered})
        entries = {entry: one for one in offered if (entry := self._entry(one, trails.get(one.service, ())))}
        told = {one.digest: one for one in withdrawn if len(one.trail) < TRAIL_HOPS}
        told = {digest: told[digest] for digest in sorted(told)[:OFFER_VERSIONS]}
        signers = {self._node, *(one.version.node for one in entries), *(one.version.node for one in told.values())}
        changes = {node: found for node in sorted(signers) if (found := await self._key_changes_of(node))}
        listing = Listing(
            node=self._node,
            profile=profile.name,
            serial=0,
            entries=tuple(entries),
            withdrawals=tuple(told),
            tested=tuple(await self._marks_of(profile.name))[:OFFER_VERSIONS],
            key_changes=tuple(changes),
            withdrawal_trails=tuple(self._trail(one.trail, one.service) for one in told.values()),
        )
        return Content(
            listing=listing,
            documents={
                **{manifest_target(one.manifest): one.envelope for one in entries.values()},
                **{withdrawal_target(digest): one.passed_on for digest, one in told.items()},
                **{key_changes_target(node): keychange.to_document(found) for node, found in changes.items()},
            },
        )

    async def _offered(
        self, profile: Profile, gone: Collection[tuple[ServiceName, DeveloperVersion]]
    ) -> list[StoredVersion]:
        """The desired versions of the profile's services, by service, without those withdrawn or private."""
        return [one for one in await self._desired_of(profile) if one.developer_key not in gone and not one.private]

    async def withheld(self, profile: Profile) -> list[StoredVersion]:
        """The desired versions of the profile's services that no consumer is offered, as they hold private files."""
        return [one for one in await self._desired_of(profile) if one.private]

    async def _desired_of(self, profile: Profile) -> list[StoredVersion]:
        revision = await self._desired.current(ListKind.DEVELOPER)
        return [await self._stored(*one) for one in sorted(profile.visible(revision.developer).items())]

    async def _is_told(self, profile: Profile, withdrawal: KeptWithdrawal) -> bool:
        if not profile.covers(withdrawal.service):
            return False
        if withdrawal.provider is not None or withdrawal.version.node != self._node:
            return True  # only what was made here can hold private files
        try:
            return not (await self._stored(withdrawal.service, withdrawal.version)).private
        except AbsentError:
            return True

    async def _stored(self, service: ServiceName, version: DeveloperVersion) -> StoredVersion:
        key, forgotten = f"{service}/{version}", self._forgotten
        found = self._remembered.get(key)
        if found is None:
            found = await self._versions.get(ListKind.DEVELOPER, service, version)
            if forgotten == self._forgotten and len(self._remembered) < _REMEMBERED_MOST:
                self._remembered[key] = found
        return found

    def _forget(self, change: Change) -> None:
        if change.topic is Topic.VERSIONS:
            self._forgotten += 1
            self._remembered.pop(change.subject, None)
            if not change.subject or len(self._remembered) >= _REMEMBERED_MOST:
                self._remembered.clear()

    def _entry(self, stored: StoredVersion, trail: tuple[str, ...]) -> Entry | None:
        version = DeveloperVersion(stored.version)
        if len(trail) >= TRAIL_HOPS:
            _log.warning("came through too many nodes to be passed on", service=stored.service, version=version)
            return None
        return Entry(
            service=stored.service,
            version=version,
            image=stored.image,
            manifest=stored.manifest,
            trail=self._trail(trail, stored.service),
        )

    def _trail(self, before: tuple[str, ...], service: ServiceName) -> tuple[str, ...]:
        return (*before, marker(self._node_id, service))

"""Carries changes of keys through: this node's own, those of its origins, of its providers and of its consumers.

What is believed, ``model.pin`` and ``federation.keychange`` decide; here it is kept, passed on and told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from federation import limits
from federation.errors import TamperedError
from federation.identity import NodeId
from federation.keychange import KeyChain, KeyIntroduction, follow, former_ids
from federation.keys import PrivateKey, PublicKey
from federation.link.refusals import UnknownSignerError
from federation.manifest import SignedManifest
from federation.names import NodeName
from node.model.peer import Consumer, Provider
from node.model.version import StoredVersion
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.pins import Pins
from node.usecases.versions import Versions, version_key

_PAGE: Final = 200
_WHO: Final = "node"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Countersigned:
    """The key by which all versions made here are signed, whatever key they were made by."""

    key: PublicKey


def countersigned_key(_one: Countersigned) -> str:
    """There is one."""
    return "own"


class KeyChanges:
    """The key changes that this node knows of."""

    def __init__(
        self,
        *,
        node: NodeName,
        key: PrivateKey,
        own: KeyChain,
        pins: Pins,
        providers: Repository[Provider],
        consumers: Repository[Consumer],
        countersigned: Repository[Countersigned],
        versions: Versions,
        audit: Audit,
        hub: ChangeHub,
    ) -> None:
        """``own``: the changes that led to ``key``, this node's."""
        self._node = node
        self._key = key
        self._own = own
        self._pins = pins
        self._providers = providers
        self._consumers = consumers
        self._countersigned = countersigned
        self._versions = versions
        self._audit = audit
        self._hub = hub

    @property
    def former_ids(self) -> frozenset[NodeId]:
        """The ids that this node was known by before: what is addressed to them is meant for it."""
        return former_ids(self._own)

    @property
    def introduction(self) -> KeyIntroduction | None:
        """What a provider must see to know this node by its present key; nothing where it never had another."""
        if not self._own.changes:
            return None
        return KeyIntroduction(node=self._node, key=self._key.public, changes=self._own.envelopes)

    async def envelopes(self, node: NodeName) -> list[bytes]:
        """The key changes of ``node``, oldest first: this node's own, or those that led to its pinned key."""
        if node == self._node:
            return list(self._own.envelopes)
        pin = await self._pins.get(node)
        return [] if pin is None else list(pin.changes)

    async def learn(self, node: NodeName, envelopes: Sequence[bytes], *, through: NodeName | None) -> None:
        """Follow the key changes of an origin that ``through`` has shown; see ``Pins.learn``."""
        await self._pins.learn(node, envelopes, through=through)

    # This node's own versions, and those that it passes on.

    async def countersign(self) -> int:
        """Sign all versions made here by the present key too, so that they outlive the one they were made by.

        How many were signed. What was broken off goes on at the next call; a second call does nothing.
        """
        done = await self._countersigned.get("own")
        if not self._own.changes or (done is not None and done.key == self._key.public):
            return 0
        count, after = 0, ""
        while found := await self._versions.page(after, _PAGE):
            for version in found:
                count += await self._countersign(version)
            after = version_key(found[-1])
        await self._countersigned.put(Countersigned(key=self._key.public))
        await self._audit.record(_WHO, "countersign", f"{count} versions, by key {self._key.id}")
        return count

    async def _countersign(self, version: StoredVersion) -> bool:
        signed = version.signed
        if signed.manifest.maker.node != self._node or signed.bears(self._key.public):
            return False
        await self._versions.sign_again(version, lambda present: present.countersigned(self._key))
        return True

    async def lacks_newest(self, version: StoredVersion) -> bool:
        """Whether the newest key known of the version's maker has not signed it: then it can't be passed on."""
        signed = version.signed
        pin = await self._pins.get(signed.manifest.maker.node)
        return pin is not None and not signed.bears(pin.key)

    async def refresh(self, version: StoredVersion, envelope: bytes) -> StoredVersion:
        """Add the signature by its maker's newest key to ``version``, which stands in ``envelope`` beside the others.

        Raises:
            TamperedError: another manifest, or without that signature; nothing was changed.
            OversizedError: over a bound of ``limits``.
        """
        brought = SignedManifest.from_bytes(envelope)
        pin = await self._pins.get(brought.manifest.maker.node)
        if pin is None:
            raise TamperedError(f"no key of {brought.manifest.maker.node} is known here: refused")
        newest = pin.key
        return await self._versions.sign_again(version, lambda present: present.with_signature_of(newest, brought))

    # The two sides of a link.

    async def introduce(self, brought: KeyIntroduction) -> None:
        """Know a consumer by a new key from now on; the request was signed by it.

        Raises:
            UnknownSignerError: there is no such consumer.
            OriginKeyChangedError, TamperedError, OversizedError: its changes don't lead from the key known here.
        """
        present = await self._consumers.get(brought.node)
        if present is None:
            raise UnknownSignerError(
                "this node is not linked to yours, or no longer: ask its operator for an invitation"
            )
        if present.key == brought.key:
            return

        def changed(consumer: Consumer) -> Consumer:
            follow(consumer.key, brought.key, brought.changes, brought.node)
            former = (*consumer.former, consumer.id)[-limits.KEY_CHANGES_KEPT :]
            return replace(consumer, key=brought.key, former=former)

        await self._consumers.change(brought.node, changed)
        await self._told(f"consumer {brought.node}", brought.node, present.key, brought.key)
        # Where it is also an origin whose versions run here, its statements are good for that too.
        await self._pins.learn(brought.node, brought.changes, through=brought.node)

    async def repin_provider(self, provider: Provider, envelopes: Sequence[bytes]) -> Provider:
        """Know a provider by the key that its own changes lead to; the same where they lead nowhere from its key.

        Raises:
            OriginKeyChangedError, TamperedError, OversizedError: they can't be believed.
        """

        def changed(present: Provider) -> Provider:
            return replace(present, key=KeyChain.read(present.name, envelopes).newest(present.key))

        after = await self._providers.change(provider.name, changed)
        if after.key != provider.key:
            await self._told(f"provider {provider.name}", provider.name, provider.key, after.key)
            await self._pins.learn(provider.name, envelopes, through=provider.name)
        return after

    async def _told(self, whose: str, node: NodeName, before: PublicKey, after: PublicKey) -> None:
        _log.warning("key of a link changed", whose=whose, before=before.id, after=after.id)
        detail = f"{whose}: from {before.id} to {after.id}, by a statement of the old key"
        await self._audit.record(_WHO, "link-key-changed", detail)
        self._hub.publish(Topic.LINKS, node)

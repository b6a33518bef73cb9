"""Remembers by which key the versions of each origin are signed, from the first one seen on, and follows its changes.

What can't be followed changes nothing here, stops what was under way, and sounds an alarm.
"""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from federation.clock import Clock
from federation.errors import AbsentError, ExistsError, InvalidValueError, OversizedError, TamperedError
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.manifest import SignedManifest
from federation.names import NodeName
from node.model import pin as decide
from node.model.peer import Pin
from node.storage.repository import Repository
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.ordering import BY_KEY

KEY_CHANGED: Final = "origin-key-changed"
"""The kind of alarm of a key that can't be followed."""

_WHO: Final = "node"
_log = structlog.get_logger(__name__)


class Pins:
    """The origin keys that this node trusts. Its own name is pinned to its own key."""

    def __init__(
        self,
        kept: Repository[Pin],
        clock: Clock,
        *,
        node: NodeName,
        key: PublicKey,
        alarms: Alarms,
        audit: Audit,
        hub: ChangeHub,
    ) -> None:
        self._kept = kept
        self._clock = clock
        self._node = node
        self._key = key
        self._alarms = alarms
        self._audit = audit
        self._hub = hub

    async def all(self) -> list[Pin]:
        """All pins by node."""
        return await self._kept.find(order=BY_KEY)

    async def get(self, node: NodeName) -> Pin | None:
        """The pin of ``node``; this node's own is its key."""
        return self._own() if node == self._node else await self._kept.get(node)

    async def check(
        self, node: NodeName, seen: PublicKey, *, through: NodeName | None, changes: Sequence[bytes] = ()
    ) -> None:
        """Accept ``seen`` as the key of ``node``: the pinned one, the first, or one that ``changes`` lead to.

        Raises:
            OriginKeyChangedError: another key is pinned; nothing was changed, and an alarm sounds.
            TamperedError, OversizedError: ``changes`` can't be believed; likewise.
        """
        shown = () if node == self._node else changes
        await self._believe(self._first(node, seen, through), seen, lambda pin: decide.with_key(pin, seen, shown))

    async def check_manifest(
        self, signed: SignedManifest, *, through: NodeName | None, changes: Sequence[bytes] = ()
    ) -> None:
        """Accept a version if the newest key known of its maker has signed it; see ``check``.

        Raises:
            OriginKeyChangedError, TamperedError, OversizedError: as ``check``.
        """
        maker = signed.manifest.maker
        shown = () if maker.node == self._node else changes
        first = self._first(maker.node, maker.key, through)
        await self._believe(first, maker.key, lambda pin: decide.with_manifest(pin, signed, shown))

    async def learn(self, node: NodeName, changes: Sequence[bytes], *, through: NodeName | None) -> None:
        """Follow the key changes of ``node``, if its key is pinned here; otherwise they wait for the first sight.

        Raises:
            OriginKeyChangedError, TamperedError, OversizedError: they can't be believed; an alarm sounds.
        """
        pin = await self.get(node)
        if pin is not None and node != self._node:
            first = self._first(node, pin.key, through)
            await self._believe(first, None, lambda present: decide.with_changes(present, changes))

    async def reset(self, node: NodeName, key: NodeId, *, who: str) -> Pin:
        """Let the key with the id ``key`` take the place of the pinned one when it is next seen.

        Raises:
            AbsentError: no key of ``node`` is pinned here.
            InvalidValueError: ``node`` is this one.
        """
        if node == self._node:
            raise InvalidValueError("a node's own key is changed by 'vupdate key rotate'")
        pin = await self._kept.change(node, lambda present: decide.awaiting(present, key))
        await self._audit.record(who, "reset-pin", f"{node}: from {pin.key.id} to {key}")
        self._hub.publish(Topic.LINKS, node)
        return pin

    def _own(self) -> Pin:
        return Pin(node=self._node, key=self._key, seen=self._clock.now())

    def _first(self, node: NodeName, key: PublicKey, through: NodeName | None) -> Pin:
        return Pin(node=node, key=key, seen=self._clock.now(), through=through)

    async def _believe(self, first: Pin, seen: PublicKey | None, decision: Callable[[Pin], Pin]) -> None:
        """Let ``decision`` change the pin, or make the ``first`` one; a refusal changes nothing and is told."""
        subject = f"{first.node} through {first.through}" if first.through else str(first.node)
        before: Pin | None = None

        def decided(present: Pin) -> Pin:
            nonlocal before
            before = present
            return decision(present)

        try:
            if first.node == self._node:
                decided(self._own())
                after = before
            else:
                after = await self._changed(first, decided)
        except (TamperedError, OversizedError) as error:
            await self._alarms.sound(KEY_CHANGED, subject, _told(before, seen, first, error))
            raise
        await self._alarms.settle(KEY_CHANGED, subject)
        if before is None or after is None:
            return
        if after.key != before.key:
            await self._tell_of_change(before, after)
        if after.changes != before.changes:
            self._hub.publish(Topic.VERSIONS)  # what is passed on of this origin stands by other statements now

    async def _changed(self, first: Pin, decided: Callable[[Pin], Pin]) -> Pin:
        try:
            return await self._kept.change(first.node, decided)
        except AbsentError:
            pin = decided(first)
        try:
            await self._kept.add(pin)
        except ExistsError:
            return await self._kept.change(first.node, decided)
        return pin

    async def _tell_of_change(self, before: Pin, after: Pin) -> None:
        by = "by a statement of the old key" if before.awaited is None else "as an administrator decided"
        detail = f"key of {after.node} changed from {before.key.id} to {after.key.id}, {by}"
        _log.warning("key changed", node=after.node, before=before.key.id, after=after.key.id, by=by)
        await self._audit.record(_WHO, "key-changed", detail)
        self._hub.publish(Topic.LINKS, after.node)


def _told(pin: Pin | None, seen: PublicKey | None, first: Pin, error: TamperedError | OversizedError) -> str:
    """What an operator must know to decide: both keys, who showed the new one, what to ask whom, what to type then."""
    node, known = first.node, first.key.id if pin is None else pin.key.id
    shown = "" if seen is None else f" Seen: {seen.id}."
    whence = f", shown by {first.through}" if first.through else ""
    return (
        f"{error.message}{whence}. Nothing was changed. Known here: {known}.{shown} "
        f"Ask the operator of {node}, by another way than this link, which key is right; "
        f"see 'vupdate pins', and then 'vupdate pin reset {node} --key-id ID'"
    )

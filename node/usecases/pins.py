"""Remembers by which key the versions of each origin are signed, from the first one seen."""

from federation.clock import Clock
from federation.errors import ExistsError
from federation.keys import PublicKey
from federation.names import NodeName
from federation.trust import check_origin_key
from node.model.peer import Pin
from node.storage.repository import Repository


class Pins:
    """The origin keys that this node trusts. Its own name is pinned to its own key."""

    def __init__(self, kept: Repository[Pin], clock: Clock, *, node: NodeName, key: PublicKey) -> None:
        self._kept = kept
        self._clock = clock
        self._node = node
        self._key = key

    async def check(self, node: NodeName, seen: PublicKey, *, through: NodeName | None) -> None:
        """Accept ``seen`` as the key of ``node`` if it is the pinned one, or pin it as the first.

        Raises:
            OriginKeyChangedError: another key is pinned; nothing was changed.
        """
        if node == self._node:
            check_origin_key(node, self._key, seen)
            return
        pin = await self._kept.get(node)
        if pin is None:
            try:
                await self._kept.add(Pin(node=node, key=seen, seen=self._clock.now(), through=through))
            except ExistsError:
                pin = await self._kept.require(node)
        check_origin_key(node, pin.key if pin else None, seen)

"""The key by which an agent knows its node: pinned at its enrolment, and followed where the old key says so.

Whatever can't be followed changes nothing here: the agent keeps what it holds, and its services run on.
"""

from dataclasses import replace
from typing import Final

import structlog

from agent.home import Attached, Home
from agent.threads import unbroken
from federation.keychange import KeyChain, from_document
from federation.keys import PublicKey

_log: Final = structlog.get_logger("agent")


class NodeTrust:
    """What the agent in ``home`` believes of its node's key."""

    def __init__(self, home: Home, attached: Attached) -> None:
        self._home = home
        self._attached = attached

    @property
    def key(self) -> PublicKey:
        """The key that counts now."""
        return self._attached.node_key

    async def follow(self, document: bytes) -> bool:
        """Go where the key changes in ``document`` lead from the present key; whether that was anywhere.

        The new key is durable before it counts.

        Raises:
            TamperedError, OversizedError: they can't be believed; nothing was changed.
            OSError, DiskFullError: the new key can't be kept; nothing was changed.
        """
        before = self.key
        newest = KeyChain.read(self._attached.node, from_document(document)).newest(before)
        if newest == before:
            return False
        # As it is by now: the node may have been found at another address.
        attached = replace(await unbroken(self._home.attached), node_key=newest)
        await unbroken(self._home.attach, attached)
        self._attached = attached
        _log.warning("the node's key changed, by a statement of the old one", before=before.id, after=newest.id)
        return True

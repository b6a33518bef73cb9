"""What both sides of a node's links stand on: who this node is to the others, and whom it tells of a change."""

from dataclasses import dataclass

from federation.clock import Clock
from federation.keys import PrivateKey
from federation.names import NodeName
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """This node as its links see it. ``url``: where others reach it."""

    node: NodeName
    url: str
    key: PrivateKey
    hub: ChangeHub
    audit: Audit
    alarms: Alarms
    clock: Clock

    async def changed(self, peer: NodeName, *, who: str, action: str, detail: str) -> None:
        """Keep that ``who`` changed the link to ``peer``, and tell all who follow the links."""
        await self.audit.record(who, action, detail)
        self.hub.publish(Topic.LINKS, peer)

"""Nodes on the local network, and the pairings with them."""

from datetime import datetime
from typing import Self

import strawberry

from federation.link import pairing as protocol
from node.model import pairing as pairings
from node.usecases import nearby
from node.usecases.nearby import Relation

strawberry.enum(protocol.Stage, name="PairingStage", description="Where a pairing stands; the last four are ends.")
strawberry.enum(protocol.Role, name="PairingWish", description="What the side that begins a pairing wants.")
strawberry.enum(Relation, name="NearbyRelation", description="What a node nearby is to this one.")


@strawberry.type(description="A node on the local network, by its own signed word. Seeing it is no reason to trust it.")
class NearbyNode:
    id: str
    name: str
    urls: list[str] = strawberry.field(description="Where it says it is reached, best first.")
    relation: Relation
    since: datetime = strawberry.field(description="When it was first heard.")
    heard: datetime = strawberry.field(description="When it was heard last; forgotten after two and a half minutes.")

    @classmethod
    def of(cls, found: nearby.NearbyNode) -> Self:
        return cls(
            id=found.id,
            name=found.name,
            urls=list(found.urls),
            relation=found.relation,
            since=found.since,
            heard=found.heard,
        )


@strawberry.type(description="What the local network shows.")
class Nearby:
    on: bool = strawberry.field(description="Whether this node announces itself and listens; a setting of its own.")
    nodes: list[NearbyNode]


@strawberry.type(description="An attempt to link two nodes, whose operators compare a code before either believes it.")
class Pairing:
    id: strawberry.ID
    node: str = strawberry.field(description="The other node's name, by its own word.")
    node_id: str
    url: str = strawberry.field(description="Where this node reaches the other one.")
    initiated: bool = strawberry.field(description="Whether it was begun here.")
    provides: bool = strawberry.field(description="Whether this node gives versions by it; otherwise it takes them.")
    profile: str | None = strawberry.field(description="The profile given, where this node knows it.")
    code: str | None = strawberry.field(description="Six digits; the other node's operator must see the same.")
    stage: protocol.Stage
    confirmed_here: bool
    confirmed_there: bool
    opened: datetime
    expires: datetime
    reason: str = strawberry.field(description="Why it ended, or what holds it up; empty: nothing.")

    @classmethod
    def of(cls, held: pairings.Pairing) -> Self:
        return cls(
            id=strawberry.ID(held.id),
            node=held.peer.node,
            node_id=held.peer.id,
            url=held.via,
            initiated=held.initiated,
            provides=held.provides,
            profile=held.profile or held.wish.profile,
            code=held.code,
            stage=held.stage,
            confirmed_here=held.confirmed_here,
            confirmed_there=held.confirmed_there,
            opened=held.opened,
            expires=held.expires,
            reason=held.reason,
        )

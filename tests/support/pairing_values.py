"""A pairing and a node nearby, as an operator sees them."""

from dataclasses import replace

from federation.link.pairing import Party, Role, Stage, Transcript, Wish
from federation.names import NodeName, ProfileName
from node.model.pairing import Pairing
from node.usecases.nearby import NearbyNode, Relation, Surroundings
from tests.support.graphql_values import KEY, NOW, PEER_KEY

OWN = Party(key=KEY.public, node=NodeName("acme"), url="http://127.0.0.1:7420")
PEER = Party(key=PEER_KEY.public, node=NodeName("globex"), url="https://globex.example:7420")
NEARBY = Surroundings(
    on=True,
    nodes=(NearbyNode(id=PEER.id, name=PEER.node, urls=(PEER.url,), relation=Relation.STRANGER, since=NOW, heard=NOW),),
)


def pairing() -> Pairing:
    """``globex`` wants to take from this node; the codes are to be compared."""
    transcript = Transcript(
        initiator=PEER,
        responder=OWN,
        wish=Wish(role=Role.TAKE),
        initiator_nonce="1" * 64,
        responder_nonce="2" * 64,
    )
    opening = Pairing(id=transcript.id, initiated=False, peer=PEER, via=PEER.url, wish=transcript.wish, opened=NOW)
    return opening.comparing(transcript)


def linked() -> Pairing:
    """The same once it is through."""
    return replace(pairing(), profile=ProfileName("public"), confirmed_here=True, confirmed_there=True).linked("x")


def rejected() -> Pairing:
    """The same once an operator has ended it."""
    return pairing().ended(Stage.REJECTED, "rejected on acme")

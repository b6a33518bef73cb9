"""Puts together what a node does with others on the local network: it sees them, and pairs with them by a code."""

import random
from dataclasses import dataclass
from functools import cached_property

from federation import discovery
from federation.backoff import Backoff
from federation.clock import Clock
from federation.keys import PrivateKey
from federation.link.pairing import Party
from node.config import Settings
from node.model.pairing import Pairings
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub
from node.usecases.links import Links
from node.usecases.nearby import Listen, Nearby
from node.usecases.pairing import Identify, PairingDesk
from node.usecases.pairing_links import PairingLinks
from node.usecases.pairing_responder import PairingResponder
from node.usecases.peers import ConnectPeer
from node.usecases.profiles import Profiles

_FIRST_RETRY_SECONDS = 2.0
_MOST_RETRY_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """One node's part in its local network; ``identify`` and ``listen`` are the network's."""

    settings: Settings
    key: PrivateKey
    links: Links
    profiles: Profiles
    identify: Identify
    listen: Listen | None
    connect: ConnectPeer
    hub: ChangeHub
    audit: Audit
    clock: Clock
    rng: random.Random

    @cached_property
    def nearby(self) -> Nearby:
        """The nodes on the local network."""
        return Nearby(
            table=discovery.Nearby(own=self.key.id, on_loopback=self.settings.only_here),
            links=self.links,
            hub=self.hub,
            clock=self.clock,
            backoff=Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS, self.rng),
            listen=self.listen,
        )

    @cached_property
    def pairing(self) -> PairingDesk:
        """The pairings of the node, both sides of them."""
        held = Pairings()
        own = Party(key=self.key.public, node=self.settings.name, url=self.settings.url)
        links = PairingLinks(links=self.links, profiles=self.profiles, own=self.key.id)
        responder = PairingResponder(held=held, own=own, key=self.key, links=links, hub=self.hub, clock=self.clock)
        return PairingDesk(
            held=held,
            own=own,
            responder=responder,
            nearby=self.nearby,
            links=links,
            identify=self.identify,
            connect=self.connect,
            hub=self.hub,
            audit=self.audit,
            clock=self.clock,
        )

"""The links of this node, both sides of them; what each side decides stands in ``consumers`` and ``providers``."""

from federation.names import NodeName
from node.model.peer import Consumer, PendingInvitation, Provider
from node.storage.repository import Repository
from node.usecases.consumers import Consumers, Forget, RootOf
from node.usecases.farewells import Farewells
from node.usecases.peers import ConnectPeer, Presence
from node.usecases.pins import Pins
from node.usecases.profiles import Profiles
from node.usecases.providers import Move, Providers, Trust
from node.usecases.station import Station


class Links(Consumers, Providers):
    """The links of this node. The two sides share nothing but the station that they stand on."""

    def __init__(
        self,
        *,
        station: Station,
        invitations: Repository[PendingInvitation],
        providers: Repository[Provider],
        consumers: Repository[Consumer],
        farewells: Farewells,
        profiles: Profiles,
        pins: Pins,
        presence: Presence,
        connect: ConnectPeer,
        root_of: RootOf,
        trust: Trust,
        forget: Forget,
        move: Move | None = None,
    ) -> None:
        Consumers.__init__(
            self,
            station=station,
            invitations=invitations,
            consumers=consumers,
            profiles=profiles,
            root_of=root_of,
            forget=forget,
        )
        Providers.__init__(
            self,
            station=station,
            providers=providers,
            farewells=farewells,
            pins=pins,
            connect=connect,
            trust=trust,
            move=move,
        )
        self._presence = presence

    async def connected(self, name: NodeName) -> bool:
        """Whether an event stream to or from the peer ``name`` is open."""
        provider = await self._providers.get(name)
        consumer = await self._consumers.get(name)
        return any(peer is not None and peer.id in self._presence for peer in (provider, consumer))

"""Makes the link of a pairing that both operators confirmed, on this node's side of it."""

from federation.errors import InvalidValueError, TamperedError
from federation.identity import NodeId
from federation.link.messages import LinkAccepted
from federation.names import ProfileName
from node.model.pairing import Pairing
from node.usecases.links import Links
from node.usecases.profiles import Profiles


class PairingLinks:
    """The links of this node as far as pairings need them. ``own``: this node's id."""

    def __init__(self, *, links: Links, profiles: Profiles, own: NodeId) -> None:
        self._links = links
        self._profiles = profiles
        self._own = own

    async def check_choice(self, pairing: Pairing, profile: ProfileName | None) -> ProfileName | None:
        """The profile that the operator here gives by ``pairing``; ``None`` when the other side gives.

        Raises:
            InvalidValueError: a profile is missing, or named without need.
            AbsentError: there is no such profile.
        """
        given = pairing.wish.profile if pairing.initiated else profile
        if not pairing.provides:
            if profile is not None:
                raise InvalidValueError(f"{pairing.peer.node} gives the versions, and has chosen the profile")
            return None
        if given is None:
            raise InvalidValueError(f"choose the profile that {pairing.peer.node} may take")
        return (await self._profiles.get(given)).name

    async def provide(self, pairing: Pairing, profile: ProfileName) -> str:
        """Link the peer as a consumer; the signed ``LinkAccepted``, its envelope as text.

        Raises:
            AbsentError, ConflictError: as ``Links.add_consumer``.
        """
        accepted = await self._links.add_consumer(
            name=pairing.peer.node, key=pairing.peer.key, profile=profile, who=pairing.who
        )
        return accepted.decode()

    async def consume(self, pairing: Pairing, accepted: str) -> None:
        """Link the peer as a provider, by its statement.

        Raises:
            TamperedError: not signed by the peer's key for this node, or for another profile than the one that the
                codes stand for; others as ``Links.add_provider``.
        """
        statement = LinkAccepted.read(accepted.encode(), provider=pairing.peer.key, reader=self._own)
        if pairing.wish.profile not in (None, statement.profile):
            raise TamperedError(f"{pairing.peer.node} gives another profile than the one agreed on: no link was made")
        await self._links.add_provider(
            name=pairing.peer.node,
            key=pairing.peer.key,
            url=pairing.via,
            accepted=statement,
            auto_update=pairing.auto_update,
            who=pairing.who,
        )

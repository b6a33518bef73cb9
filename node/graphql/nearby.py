"""The nodes on the local network, and pairing with one by a code that both operators compare."""

from typing import Final

import strawberry

from federation.link.address import URL_CHARS
from federation.link.pairing import Role as Wanted
from federation.link.pairing import Wish
from federation.names import ProfileName
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.nearby import Nearby, NearbyNode, Pairing
from node.model.account import Role
from node.model.peer import AutoUpdate

_CODE_CHARS: Final = 40


@strawberry.type
class NearbyQueries:
    @field(Role.VIEWER, "The nodes on the local network, by name.")
    async def nearby(self, info: Info) -> Nearby:
        seen = await info.context.usecases.nearby.look()
        return Nearby(on=seen.on, nodes=[NearbyNode.of(one) for one in seen.nodes])

    @field(Role.VIEWER, "Pairings that wait for a confirmation or ended lately, newest first.")
    async def pairings(self, info: Info) -> list[Pairing]:
        return [Pairing.of(one) for one in await info.context.usecases.pairing.find()]


@strawberry.type
class NearbyMutations:
    @field(
        Role.ADMINISTRATOR,
        "Begin to pair with a node: by its id or its name, when it is nearby, or by its address. TAKE versions from it,"
        " or GIVE it those of `profile`. Nothing is linked before both operators confirmed the code.",
    )
    async def start_pairing(self, info: Info, target: str, wish: Wanted, profile: str | None = None) -> Pairing:
        wanted = Wish(role=wish, profile=values.maybe("profile", ProfileName, profile))
        begun = await info.context.usecases.pairing.start(
            values.text("target", target.strip(), URL_CHARS), wanted, who=info.context.who
        )
        return Pairing.of(begun)

    @field(
        Role.ADMINISTRATOR,
        "Confirm a pairing by the `code` that the other node's operator sees; another code ends it. A side that gives"
        " versions and did not begin names the `profile`; `autoUpdate` is for the side that takes them.",
    )
    async def confirm_pairing(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002  # the argument's name in the API
        code: str,
        profile: str | None = None,
        auto_update: AutoUpdate = AutoUpdate.INSTALL,
    ) -> Pairing:
        confirmed = await info.context.usecases.pairing.confirm(
            values.text("id", id, values.ID_CHARS),
            values.text("code", code, _CODE_CHARS),
            profile=values.maybe("profile", ProfileName, profile),
            auto_update=auto_update,
            who=info.context.who,
        )
        return Pairing.of(confirmed)

    @field(Role.ADMINISTRATOR, "End a pairing; nothing is linked by it.")
    async def reject_pairing(self, info: Info, id: strawberry.ID) -> Pairing:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, values.ID_CHARS)
        return Pairing.of(await info.context.usecases.pairing.reject(key, who=info.context.who))

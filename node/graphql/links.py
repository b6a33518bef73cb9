"""Links: what each consumer may and reported, what each provider gets to see, and tested marks."""

from typing import Final

import strawberry

from federation.limits import COMMENT_CHARS, OFFER_VERSIONS
from federation.link.rights import Right
from federation.masking import MASKS
from federation.names import NodeName, ProfileName, ServiceName
from federation.redaction import Redaction
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Context, Info
from node.graphql.types.peer import Consumer, Provider
from node.graphql.types.report import GivenMark, RedactionInput
from node.model import peer
from node.model.account import Role

_RIGHTS_MOST: Final = 20


async def _consumer(context: Context, consumer: peer.Consumer) -> Consumer:
    return Consumer.of(consumer, connected=await context.usecases.links.connected(consumer.name))


@strawberry.type
class LinkQueries:
    @field(Role.VIEWER, "The nodes that take versions from this one.")
    async def consumers(self, info: Info) -> list[Consumer]:
        return [await _consumer(info.context, one) for one in await info.context.usecases.links.consumers()]

    @field(Role.VIEWER, "One node that takes versions from this one.")
    async def consumer(self, info: Info, name: str) -> Consumer:
        links = info.context.usecases.links
        return await _consumer(info.context, await links.consumer(values.read("name", NodeName, name)))


@strawberry.type
class LinkMutations:
    @field(Role.ADMINISTRATOR, "Let a consumer do exactly this from now on.")
    async def set_consumer_rights(self, info: Info, name: str, rights: list[Right]) -> Consumer:
        changed = await info.context.usecases.links.set_rights(
            values.read("name", NodeName, name),
            frozenset(values.items("rights", rights, _RIGHTS_MOST, lambda one: one)),
            who=info.context.who,
        )
        return await _consumer(info.context, changed)

    @field(Role.ADMINISTRATOR, "Let a consumer take the versions of another profile from now on.")
    async def set_consumer_profile(self, info: Info, name: str, profile: str) -> Consumer:
        changed = await info.context.usecases.links.set_profile(
            values.read("name", NodeName, name), values.read("profile", ProfileName, profile), who=info.context.who
        )
        return await _consumer(info.context, changed)

    @field(
        Role.ADMINISTRATOR, "Show the tested marks of a consumer, under its name, to all who take the same services."
    )
    async def set_consumer_tester(self, info: Info, name: str, tester: bool) -> Consumer:
        changed = await info.context.usecases.links.set_tester(
            values.read("name", NodeName, name), tester, who=info.context.who
        )
        return await _consumer(info.context, changed)

    @field(Role.ADMINISTRATOR, "Decide what of this node's states and faults a provider gets, from now on.")
    async def set_redaction(self, info: Info, provider: str, redaction: RedactionInput) -> Provider:
        links = info.context.usecases.links
        rules = Redaction(
            states=redaction.states,
            installed=redaction.installed,
            faults=redaction.faults,
            pseudonyms=redaction.pseudonyms,
            masks=values.items("redaction.masks", redaction.masks, MASKS, lambda one: one),
            emails=redaction.emails,
        )
        changed = await links.set_redaction(values.read("provider", NodeName, provider), rules, who=info.context.who)
        return Provider.of(changed, connected=await links.connected(changed.name))

    @field(
        Role.DEVELOPER,
        "Tell the providers that the versions desired here, of these services or of all, passed this node's tests.",
    )
    async def mark_tested(self, info: Info, services: list[str] | None = None, comment: str = "") -> list[GivenMark]:
        named = services and values.items(
            "services", services, OFFER_VERSIONS, lambda one: values.read("services", ServiceName, one)
        )
        given = await info.context.usecases.marks.give(
            None if services is None else tuple(named or ()),
            comment=values.text("comment", comment, COMMENT_CHARS),
            who=info.context.who,
        )
        return [GivenMark.of(one) for one in given]

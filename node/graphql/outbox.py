"""The outbox: what waits for whom and why, exactly what goes out, and what an operator can do about it."""

from typing import Final

import strawberry

from federation.names import NodeName
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.outbox import OutboxEntry, OutboxLetter, OutboxWay
from node.model.account import Role

_ID_CHARS: Final = 300
_SHOWN_MOST: Final = 20


@strawberry.type
class OutboxQueries:
    @field(Role.VIEWER, "What waits for providers, or for one, next in line first; then what was set aside; receipts.")
    async def outbox(self, info: Info, provider: str | None = None, first: int = 50) -> list[OutboxEntry]:
        name = values.maybe("provider", NodeName, provider)
        found = await info.context.usecases.outbox.entries(name, first=values.page(first))
        return [OutboxEntry.of(one) for one in found]

    @field(Role.VIEWER, "How the way up to each provider stands.")
    async def outbox_ways(self, info: Info) -> list[OutboxWay]:
        use = info.context.usecases
        return [
            OutboxWay.of(
                await use.outbox.checkpoint(one.name), await use.outbox.load(one.name), await use.outbox.tally(one.name)
            )
            for one in await use.links.providers()
        ]

    @field(Role.ADMINISTRATOR, "Exactly what was sent for an entry, or what would be sent now.")
    async def outbox_letter(self, info: Info, id: strawberry.ID) -> OutboxLetter:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, _ID_CHARS)
        return OutboxLetter.of(key, await info.context.usecases.delivery.shown(key))

    @field(Role.ADMINISTRATOR, "Exactly what a provider would be sent now: the newest states, and what waits for it.")
    async def provider_preview(self, info: Info, name: str, first: int = 5) -> list[OutboxLetter]:
        provider = values.read("name", NodeName, name)
        found = await info.context.usecases.delivery.preview(provider, first=min(values.page(first), _SHOWN_MOST))
        return [OutboxLetter.of(entry, letter) for entry, letter in found]


@strawberry.type
class OutboxMutations:
    @field(Role.ADMINISTRATOR, "Send an entry at once that was refused, withheld or failed.")
    async def retry_outbox(self, info: Info, id: strawberry.ID) -> OutboxEntry:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, _ID_CHARS)
        return OutboxEntry.of(await info.context.usecases.outbox.retry(key, who=info.context.who))

    @field(Role.ADMINISTRATOR, "Never send an entry. It is not counted either.")
    async def drop_outbox(self, info: Info, id: strawberry.ID) -> bool:  # noqa: A002  # the argument's name in the API
        await info.context.usecases.outbox.drop(values.text("id", id, _ID_CHARS), who=info.context.who)
        return True

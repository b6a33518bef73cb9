"""What is followed from providers: why a service is as it is, and the settings of a link that hold updates back."""

import strawberry

from federation.names import NodeName, ServiceName
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Context, Info
from node.graphql.types.following import Explanation, Verdict
from node.graphql.types.peer import Provider
from node.model import peer
from node.model.account import Role
from node.model.window import WINDOW_CHARS


async def _provider(context: Context, provider: peer.Provider) -> Provider:
    return Provider.of(provider, connected=await context.usecases.links.connected(provider.name))


@strawberry.type
class FollowingQueries:
    @field(Role.VIEWER, "Why a service is as it is here: who offers it, what is held back, and what would change that.")
    async def explain(self, info: Info, service: str) -> Explanation:
        name = values.read("service", ServiceName, service)
        return Explanation.of(await info.context.usecases.explanations.explain(name))

    @field(Role.VIEWER, "What is decided on each version that providers list, by service; of one provider, or of all.")
    async def verdicts(self, info: Info, provider: str | None = None) -> list[Verdict]:
        name = values.maybe("provider", NodeName, provider)
        found = await info.context.usecases.following.verdicts()
        return [Verdict.of(one) for one in found if name is None or one.provider == name]


@strawberry.type
class FollowingMutations:
    @field(
        Role.ADMINISTRATOR,
        "Update by itself from a provider only within these windows, e.g. `Mon-Fri 22:00-05:00 Europe/Berlin`, several"
        " with `;` between them; empty: at any time.",
    )
    async def set_update_window(self, info: Info, provider: str, window: str) -> Provider:
        changed = await info.context.usecases.following.set_window(
            values.read("provider", NodeName, provider),
            values.text("window", window, WINDOW_CHARS),
            who=info.context.who,
        )
        return await _provider(info.context, changed)

    @field(
        Role.ADMINISTRATOR,
        "Take from a provider by itself only what this consumer of it marked as tested; null: whatever it lists.",
    )
    async def require_tested(self, info: Info, provider: str, tester: str | None = None) -> Provider:
        changed = await info.context.usecases.following.require_tested(
            values.read("provider", NodeName, provider),
            values.maybe("tester", NodeName, tester),
            who=info.context.who,
        )
        return await _provider(info.context, changed)

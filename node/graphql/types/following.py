"""What is followed from providers, and why something is held back."""

from datetime import datetime
from typing import Self

import strawberry

from node.graphql.types.instance import ServiceOnInstance
from node.model import following
from node.model.following import Action, Reason
from node.usecases import explaining
from node.usecases.adaptation import ClientBuildState as BuildState

strawberry.enum(Action, name="UpdateAction", description="What happens by itself with an offered version.")
strawberry.enum(
    Reason, name="UpdateReason", description="Why. What is held waits for a change; what is kept is settled."
)


@strawberry.type(description="What is decided on one version that one provider lists.")
class Verdict:
    service: str
    provider: str
    version: str
    action: Action
    reason: Reason
    why: str = strawberry.field(description="One sentence, with what would change it.")
    until: datetime | None = strawberry.field(description="When it changes by time alone.")

    @classmethod
    def of(cls, verdict: following.Verdict) -> Self:
        return cls(
            service=verdict.service,
            provider=verdict.provider,
            version=verdict.version,
            action=verdict.action,
            reason=verdict.reason,
            why=verdict.why,
            until=verdict.until,
        )


@strawberry.type(description="The offer that this node made its own last.")
class Followed:
    provider: str
    version: str
    hops: int = strawberry.field(description="Through how many nodes it came, its maker and the provider included.")
    at: datetime | None

    @classmethod
    def of(cls, followed: following.Followed | None) -> Self | None:
        if followed is None or followed.choice is None:
            return None
        choice = followed.choice
        return cls(provider=choice.provider, version=choice.version, hops=len(choice.trail), at=followed.at)


@strawberry.type(description="A provider whose last look failed: what it lists by now is not known.")
class UnheardProvider:
    provider: str
    error: str
    checked: datetime | None
    known: bool = strawberry.field(description="Whether an earlier catalogue of it is known.")


@strawberry.type(description="How the making of a client version stands.")
class ClientBuildState:
    running: bool
    failed: int = strawberry.field(description="Times in a row.")
    error: str
    at: datetime | None

    @classmethod
    def of(cls, state: BuildState) -> Self:
        return cls(running=state.running, failed=state.failed, error=state.error, at=state.at)


@strawberry.type(description="Why a service is as it is here.")
class Explanation:
    service: str
    verdicts: list[Verdict]
    unheard: list[UnheardProvider]
    followed: Followed | None
    desired: str | None
    desired_by: str | None = strawberry.field(description="Who last changed the desired version.")
    desired_at: datetime | None
    client: str | None = strawberry.field(description="The desired client version.")
    build: ClientBuildState
    running: list[ServiceOnInstance]

    @classmethod
    def of(cls, found: explaining.Explanation) -> Self:
        return cls(
            service=found.service,
            verdicts=[Verdict.of(one) for one in found.verdicts],
            unheard=[
                UnheardProvider(provider=one.provider, error=one.error, checked=one.checked, known=one.known)
                for one in found.unheard
            ],
            followed=Followed.of(found.followed),
            desired=found.desired,
            desired_by=found.chosen.who if found.chosen else None,
            desired_at=found.chosen.at if found.chosen else None,
            client=found.client,
            build=ClientBuildState.of(found.build),
            running=[ServiceOnInstance.of(one.instance, one.state) for one in found.running],
        )

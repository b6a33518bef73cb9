"""Remembers which providers lied in what they sent, and tells the operator; what a lie is, ``fetching`` decides."""

from typing import Final

from federation.clock import Clock
from federation.errors import ExistsError
from federation.names import NodeName
from node.model.penalty import Penalty, after_lie
from node.storage.repository import Repository
from node.usecases.alarms import Alarms

LYING: Final = "lying-provider"


class Penalties:
    """The penalties of this node's providers."""

    def __init__(self, kept: Repository[Penalty], alarms: Alarms, clock: Clock) -> None:
        self._kept = kept
        self._alarms = alarms
        self._clock = clock

    async def record(self, provider: NodeName, why: str) -> Penalty:
        """``provider`` sent what it should not have; ``why``: what was wrong with it."""
        now = self._clock.now()
        try:
            await self._kept.add(after_lie(None, provider, why, now))
            penalty = await self._kept.require(provider)
        except ExistsError:
            penalty = await self._kept.change(provider, lambda before: after_lie(before, provider, why, now))
        await self._alarms.sound(
            LYING,
            provider,
            f"{provider} sent bytes that are not what was asked for ({why}). Nothing of it was taken; until "
            f"{penalty.until:%Y-%m-%d %H:%M} UTC only whole images are asked of it. If this stays, tell its operator: "
            "its disk may be failing, or somebody on the way alters what it sends",
        )
        return penalty

    async def current(self, provider: NodeName) -> Penalty | None:
        """What weighs on ``provider`` now."""
        penalty = await self._kept.get(provider)
        return penalty if penalty is not None and penalty.weighs(self._clock.now()) else None

    async def all(self) -> list[Penalty]:
        """All that were ever given and not forgiven, those that are over too."""
        return await self._kept.find()

    async def good(self, provider: NodeName) -> None:
        """``provider`` sent what it should: once its penalty is over, the alarm is settled."""
        penalty = await self._kept.get(provider)
        if penalty is not None and not penalty.weighs(self._clock.now()):
            await self._alarms.settle(LYING, provider)

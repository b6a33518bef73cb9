"""Tells providers that their link was ended here: at once, and if they are away, again and again for thirty days."""

import asyncio
import contextlib
import random
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from federation import codec
from federation.clock import Clock
from federation.errors import AbsentError, VUpdateError
from federation.identity import NodeId
from federation.link.answers import PeerAbsentError, PeerRefusalError
from federation.link.messages import LinkEnd
from federation.link.refusals import UnknownSignerError
from federation.outbox import next_attempt
from node.model.peer import Farewell, Provider
from node.storage.port import Order
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.patience import patience
from node.usecases.peers import ConnectPeer

INDEXES: Final = ("due",)
PATH: Final = "/federation/v1/link/end"
KEPT: Final = timedelta(days=30)
_LOOK_ANYWAY_SECONDS: Final = 600.0
_AT_ONCE: Final = 100
_WHO: Final = "node"
_log = structlog.get_logger(__name__)


class Farewells:
    """The farewells that were not heard yet."""

    def __init__(
        self, *, kept: Repository[Farewell], connect: ConnectPeer, audit: Audit, clock: Clock, rng: random.Random
    ) -> None:
        self._kept = kept
        self._connect = connect
        self._audit = audit
        self._clock = clock
        self._rng = rng
        self._woken = asyncio.Event()

    async def say(self, provider: Provider) -> None:
        """Tell ``provider``, durably from now on."""
        now = self._clock.now()
        await self._kept.put(Farewell(provider=provider.name, key=provider.key, url=provider.url, at=now, due=now))
        self._woken.set()

    async def withdraw(self, provider: NodeId) -> None:
        """The link is made anew: the farewell is not meant any more."""
        await self._kept.remove(provider)

    async def waiting(self) -> list[Farewell]:
        """Those not heard yet, the next one due first."""
        return await self._kept.find(order=(Order("due"),), limit=_AT_ONCE)

    async def run(self) -> None:
        """Say what is due for as long as this runs."""
        while True:
            self._woken.clear()
            async with patience("farewells"):
                await self.say_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(await self._pause()):
                    await self._woken.wait()

    async def _pause(self) -> float:
        waiting: list[Farewell] = []
        async with patience("farewells"):
            waiting = await self.waiting()
        if not waiting:
            return _LOOK_ANYWAY_SECONDS
        seconds = (waiting[0].due - self._clock.now()).total_seconds()
        return min(max(seconds, 0.0), _LOOK_ANYWAY_SECONDS)

    async def say_due(self) -> None:
        """Try each that is due, once."""
        now = self._clock.now()
        for farewell in await self.waiting():
            if farewell.due <= now:
                await self._try(farewell)

    async def _try(self, farewell: Farewell) -> None:
        peer = self._connect(farewell.url, farewell.key)
        try:
            await peer.post(PATH, codec.encode(LinkEnd(at=farewell.at)))
        except VUpdateError as error:
            if not _heard(error):
                await self._failed(farewell, error)
                return
        await self._kept.remove(farewell.id)
        await self._audit.record(_WHO, "farewell", f"{farewell.provider} knows that the link was ended")

    async def _failed(self, farewell: Farewell, error: VUpdateError) -> None:
        now = self._clock.now()
        if now - farewell.at > KEPT:
            _log.warning("provider was never told that its link ended", provider=farewell.provider, why=error.message)
            await self._kept.remove(farewell.id)
            return
        attempts = farewell.attempts + 1
        due = next_attempt(attempts, now, self._rng)
        with contextlib.suppress(AbsentError):  # withdrawn in between
            await self._kept.change(farewell.id, lambda present: replace(present, attempts=attempts, due=due))


def _heard(error: VUpdateError) -> bool:
    """Whether the provider knows no link, or no such route: there is nothing to tell."""
    unknown = isinstance(error, PeerRefusalError) and error.remote_code == UnknownSignerError.code
    return unknown or isinstance(error, PeerAbsentError)

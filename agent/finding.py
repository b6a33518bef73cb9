"""Finds an agent's node again once it no longer answers where it was: by what it says of itself on the local network.

What is announced is a hint: the agent moves only to where the node's key is proven, and never by itself from TLS to
none. Multicast DNS is listened to only while the node is away, and less and less often.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import structlog

from agent.home import Home
from agent.moving import move
from agent.trust import NodeTrust
from federation.backoff import Backoff
from federation.clock import Clock
from federation.discovery import Heard, Nearby
from federation.errors import VUpdateError
from federation.identity import NodeId
from federation.link.address import check_not_weaker
from federation.link.client import PeerClient
from federation.mdns import ANY_HOST, LanError, listening

LOST_SECONDS: Final = 30.0
"""A node that was away for less is being restarted; afterwards it is looked for less and less often."""
_MOST_SECONDS: Final = 1800.0
_LISTEN_SECONDS: Final = 10.0
_MOST_TRIED: Final = 8

_log: Final = structlog.get_logger("agent")


class NodeFinder:
    """Looks for the node of the agent in ``home``, and has ``client`` ask it where it is."""

    def __init__(
        self,
        home: Home,
        client: PeerClient,
        trust: NodeTrust,
        clock: Clock,
        *,
        own: NodeId,
        on_found: Callable[[], None],
        host: str = ANY_HOST,
        lost_seconds: float = LOST_SECONDS,
    ) -> None:
        """``own``: the agent's own id. ``on_found`` is called once the client asks elsewhere.

        ``lost_seconds``: how long the node may be away before it is looked for.
        """
        self._home = home
        self._client = client
        self._trust = trust
        self._clock = clock
        self._own = own
        self._on_found = on_found
        self._host = host
        self._backoff = Backoff(lost_seconds, _MOST_SECONDS, random.SystemRandom())
        self._lost, self._back = asyncio.Event(), asyncio.Event()
        self._lost.set()

    def connected(self, connected: bool) -> None:  # the form of the link's word
        """The node's events come in, or no longer do."""
        gained, given_up = (self._back, self._lost) if connected else (self._lost, self._back)
        given_up.clear()
        gained.set()

    async def watch(self) -> None:
        """Look for the node whenever it is lost; never returns."""
        while True:
            await self._lost.wait()
            attempt = 0
            while not await self._comes_back(self._backoff.ceiling(attempt)):
                attempt += 1
                try:
                    await self.search()
                except (LanError, OSError) as error:
                    _log.info("the node can't be looked for on the local network", error=str(error))

    async def _comes_back(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._back.wait()
        except TimeoutError:
            return False
        return True

    async def search(self) -> str | None:
        """Listen for some seconds; the address that the node was found at and moved to, if it was.

        Raises:
            LanError: the local network can't be used.
        """
        heard = Nearby(own=self._own, on_loopback=self._host != ANY_HOST)
        tried = {self._client.url}
        try:
            # The time limit is outside: its error is no trouble of the network, which is what `listening` tells of.
            async with asyncio.timeout(_LISTEN_SECONDS), listening(self._host) as announcements:
                while len(tried) <= _MOST_TRIED:
                    url = await self._tried(self._places(heard, await announcements.get()), tried)
                    if url is not None:
                        return url
        except TimeoutError:
            pass
        return None

    def _places(self, nearby: Nearby, heard: Heard) -> list[str]:
        """Where our node says to be by now."""
        try:
            nearby.hear(heard, self._clock.now(), self._clock.monotonic(), known=frozenset((self._trust.key.id,)))
        except VUpdateError as error:
            _log.debug("announcement ignored", error=str(error))
        return [url for one in nearby.nodes() if one.id == self._trust.key.id for url in one.announcement.urls]

    async def _tried(self, urls: list[str], tried: set[str]) -> str | None:
        for url in urls:
            if url in tried:
                continue
            tried.add(url)
            before = self._client.url
            try:
                check_not_weaker(before, url)
                await move(self._home.root, url)
            except VUpdateError as error:
                _log.info("the node is not at this address", url=url, why=error.message)
                continue
            self._client.move(url)
            _log.warning("the node has moved: asking it there from now on", before=before, url=url)
            self._on_found()
            return url
        return None

"""Follows providers from address to address by their keys: an address counts once the provider's key answers there."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from federation.clock import Clock
from federation.errors import TamperedError, UnreachableError, VUpdateError
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.limits import IDENTITY_PROOF_BYTES
from federation.link.address import check_not_weaker, check_url
from federation.link.identity_proof import IDENTITY_PATH, IdentityProof, new_nonce
from federation.names import NodeName
from node.model.peer import Provider
from node.usecases.links import Links
from node.usecases.peers import ConnectPeer

MOST_CANDIDATES: Final = 8
_SEARCH_EVERY_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 10.0
_log = structlog.get_logger(__name__)

NearbyUrls = Callable[[NodeId], Iterable[str]]


class Addresses:
    """Where this node's providers are reached. ``nearby``: where a node says to be on the local network."""

    def __init__(self, *, links: Links, nearby: NearbyUrls, connect: ConnectPeer, clock: Clock) -> None:
        self._links = links
        self._nearby = nearby
        self._connect = connect
        self._clock = clock
        self._searched: dict[NodeName, float] = {}
        self._followed: dict[NodeName, float] = {}

    async def prove(self, url: str, key: PublicKey) -> IdentityProof:
        """The proof that the owner of ``key`` answers at ``url``.

        Raises:
            InvalidValueError: ``url`` is not the address of a node.
            TamperedError: somebody else answers there.
            UnreachableError: nobody, or not in time.
        """
        nonce = new_nonce()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._connect(url, key).get(
                    IDENTITY_PATH, {"nonce": nonce}, most_bytes=IDENTITY_PROOF_BYTES
                )
        except TimeoutError as error:
            raise UnreachableError(f"{url} did not answer in time: is the node running, and the way free?") from error
        return IdentityProof.read(answer, key=key, nonce=nonce)

    async def move(self, name: NodeName, url: str, *, who: str) -> Provider:
        """Reach the provider ``name`` at ``url`` from now on, if it is there.

        Raises:
            AbsentError: there is no such provider.
            TamperedError: somebody else answers there; the link is as it was.
            InvalidValueError, UnreachableError: as ``prove``.
        """
        address = check_url(url)
        provider = await self._links.provider(name)
        try:
            await self.prove(address, provider.key)
        except TamperedError as error:
            raise TamperedError(f"{name} is not at {address}, and its address was left as it was: {error}") from error
        return await self._links.set_address(name, address, who=who)

    async def follow(self, name: NodeName, url: str) -> Provider:
        """Move to the address that the provider itself gives, if it is there; tried once a minute at most.

        Raises:
            TamperedError: it would give up TLS; others as ``move``.
        """
        provider = await self._links.provider(name)
        if not self._due(self._followed, name):
            return provider
        check_not_weaker(provider.url, url)
        return await self.move(name, url, who=name)

    async def search(self, provider: Provider, candidates: Iterable[str] = ()) -> Provider | None:
        """Look for a lost provider where it says to be, nearby and at ``candidates``; the link moves to where it is.

        Where it is not found, or was searched for less than a minute ago: ``None``. Candidates may come from anybody,
        as each has to prove the provider's key.
        """
        if not self._due(self._searched, provider.name):
            return None
        heard = (provider.offered_url, *self._nearby(provider.id), *candidates)
        places = dict.fromkeys(place for place in heard if place)
        for place in [place for place in places if place != provider.url][:MOST_CANDIDATES]:
            if await self._is_at(provider, place):
                return await self._links.set_address(provider.name, place, who="search")
        return None

    async def _is_at(self, provider: Provider, url: str) -> bool:
        try:
            check_not_weaker(provider.url, url)
            await self.prove(url, provider.key)
        except VUpdateError as error:
            _log.info("provider is not at this address", provider=provider.name, url=url[:200], why=error.message)
            return False
        return True

    def _due(self, last: dict[NodeName, float], name: NodeName) -> bool:
        now = self._clock.monotonic()
        if now - last.get(name, now - _SEARCH_EVERY_SECONDS) < _SEARCH_EVERY_SECONDS:
            return False
        last[name] = now
        return True

"""Follows providers that say on the local network that they have moved, without waiting for their streams to break."""

from typing import Final

from federation.errors import VUpdateError
from federation.identity import NodeId
from node.model.peer import Provider
from node.usecases.addresses import Addresses
from node.usecases.changes import ChangeHub, Topic
from node.usecases.links import Links
from node.usecases.nearby import Nearby
from node.usecases.patience import patience

_TOPICS: Final = frozenset({Topic.NEARBY})


class Moves:
    """Looks for a provider that announces other addresses than the one in use, if it no longer answers at that one.

    What is announced is a hint: the link moves only to where the provider's key is proven.
    """

    def __init__(self, *, links: Links, nearby: Nearby, addresses: Addresses, hub: ChangeHub) -> None:
        self._links = links
        self._nearby = nearby
        self._addresses = addresses
        self._hub = hub
        self._settled: dict[NodeId, tuple[str, tuple[str, ...]]] = {}

    async def run(self) -> None:
        """Look after each change of what is nearby, for ever."""
        async with self._hub.subscribe(_TOPICS) as changes:
            async for _ in changes:
                async with patience("providers nearby"):
                    await self.look()

    async def look(self) -> None:
        """Look once at all providers that are nearby under another address."""
        for provider in await self._links.providers():
            urls = tuple(self._nearby.urls_of(provider.id))
            if not urls or provider.url in urls or self._settled.get(provider.id) == (provider.url, urls):
                continue
            if await self._answers(provider) or await self._addresses.search(provider) is not None:
                self._settled[provider.id] = (provider.url, urls)

    async def _answers(self, provider: Provider) -> bool:
        try:
            await self._addresses.prove(provider.url, provider.key)
        except VUpdateError:
            return False
        return True

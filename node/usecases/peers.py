"""What the use cases need of a connection to another node, and who is connected right now."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from federation.clock import Clock
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.link.download import Downloaded
from federation.link.events import Event
from node.usecases.changes import ChangeHub, Topic


class Peer(Protocol):
    """A node at the other end of signed requests; see ``federation.link.client.PeerClient`` for the errors."""

    @property
    def clock(self) -> Clock:
        """The clock that requests are signed by."""
        ...

    async def get(self, path: str, query: Mapping[str, str] = ..., *, most_bytes: int) -> bytes:
        """The body at ``path``."""
        ...

    async def post(self, path: str, body: bytes, *, most_bytes: int = ...) -> bytes:
        """The answer to ``body`` sent to ``path``."""
        ...

    async def download(self, path: str, query: Mapping[str, str], target: Path, *, most_bytes: int) -> Downloaded:
        """What is at ``path``, as the file ``target``."""
        ...

    def events(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """The event stream at ``path``."""
        ...


ConnectPeer = Callable[[str, PublicKey], Peer]
"""A connection to the node at an address, whose key is known."""


class Presence:
    """Counts the live connections of each peer and agent."""

    def __init__(self, hub: ChangeHub) -> None:
        self._hub = hub
        self._connections: Counter[NodeId] = Counter()

    def __contains__(self, peer: NodeId) -> bool:
        return self._connections[peer] > 0

    @contextmanager
    def connected(self, peer: NodeId, topic: Topic, name: str) -> Iterator[None]:
        """``peer`` is connected while the block runs."""
        self._connections[peer] += 1
        self._hub.publish(topic, name)
        try:
            yield
        finally:
            self._connections[peer] -= 1
            self._hub.publish(topic, name)

"""Makes a node with a new key known to its peers before it asks them anything.

A connection of the same form as the one it rests on. A node that never changed its key has nothing to introduce, and
uses none of this.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from federation import codec, limits
from federation.clock import Clock
from federation.errors import UnreachableError, VUpdateError
from federation.identity import NodeId
from federation.keychange import INTRODUCTION_PATH, KeyIntroduction
from federation.keys import PublicKey
from federation.link.download import Downloaded
from federation.link.events import Event
from node.usecases.peers import ConnectPeer, Peer

AGAIN_SECONDS: Final = 600.0
"""How long a peer that refused an introduction is left in peace: most likely it does not know this node at all."""

_ANSWER_BYTES: Final = 64 * limits.KIB
_NO_QUERY: Final[Mapping[str, str]] = {}
_log = structlog.get_logger(__name__)


class Introductions:
    """Connections that begin with an introduction: once for each peer, again after a while where it was refused."""

    def __init__(self, connect: ConnectPeer, introduction: KeyIntroduction, clock: Clock) -> None:
        self._connect = connect
        self._body = codec.encode(introduction)
        self._clock = clock
        self._known: set[NodeId] = set()
        self._refused: dict[NodeId, float] = {}

    def __call__(self, url: str, peer: PublicKey) -> Peer:
        """A ``ConnectPeer``."""
        return _Introduced(self._connect(url, peer), peer.id, self)

    async def introduce(self, peer: Peer, peer_id: NodeId) -> None:
        """Make this node known to ``peer``, unless that was done.

        Raises:
            UnreachableError: it does not answer.
        """
        if peer_id in self._known:
            return
        now = self._clock.monotonic()
        if now - self._refused.get(peer_id, now - AGAIN_SECONDS) < AGAIN_SECONDS:
            return
        try:
            await peer.post(INTRODUCTION_PATH, self._body, most_bytes=_ANSWER_BYTES)
        except UnreachableError:
            raise
        except VUpdateError as error:
            # It may be one to whom this node is still to become known; if not, it will refuse what comes next too.
            _log.info("introduction refused", peer=peer_id, error=error.message)
            self._refused[peer_id] = now
        else:
            self._known.add(peer_id)


class _Introduced:
    """One connection."""

    def __init__(self, peer: Peer, peer_id: NodeId, introductions: Introductions) -> None:
        self._peer = peer
        self._id = peer_id
        self._introductions = introductions

    @property
    def clock(self) -> Clock:
        return self._peer.clock

    async def get(self, path: str, query: Mapping[str, str] = _NO_QUERY, *, most_bytes: int) -> bytes:
        await self._introductions.introduce(self._peer, self._id)
        return await self._peer.get(path, query, most_bytes=most_bytes)

    async def post(self, path: str, body: bytes, *, most_bytes: int = limits.RESPONSE_BODY_BYTES) -> bytes:
        await self._introductions.introduce(self._peer, self._id)
        return await self._peer.post(path, body, most_bytes=most_bytes)

    async def download(self, path: str, query: Mapping[str, str], target: Path, *, most_bytes: int) -> Downloaded:
        await self._introductions.introduce(self._peer, self._id)
        return await self._peer.download(path, query, target, most_bytes=most_bytes)

    def events(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        return self._events(path)

    @asynccontextmanager
    async def _events(self, path: str) -> AsyncIterator[AsyncIterator[Event]]:
        await self._introductions.introduce(self._peer, self._id)
        async with self._peer.events(path) as found:
            yield found

"""What an asker can say to a node that builds for it, and the lines to those that this node dials: its providers."""

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from federation import codec
from federation.errors import UnreachableError, VUpdateError
from federation.keys import PublicKey
from federation.limits import IMAGE_BYTES, MIB, RESPONSE_BODY_BYTES
from federation.link.builds import BuilderState, BuildOrder, BuildReport, Sealed
from federation.names import NodeName
from node.model.peer import Provider
from node.usecases.links import Links
from node.usecases.peers import ConnectPeer

PATH: Final = "/federation/v1/builds"
STATE_PATH: Final = "/federation/v1/builder"
PACK_BYTES: Final = IMAGE_BYTES + 64 * MIB
"""So large a pack of a whole image is at most."""


class BuilderLostError(UnreachableError):
    """A builder could not be asked until its lease had run out, or does not know the order any more."""

    code = "builder-lost"


class NotCallingError(UnreachableError):
    """The consumer has not called in for work since this node was started."""


class PeerBuildError(VUpdateError):
    """The build failed at the builder, or can't be done there; the message and the log say why."""

    code = "build-failed"


class PeerKind(enum.Enum):
    """What a builder is to this node: a provider, which it dials, or a consumer, which calls in."""

    PROVIDER = "provider"
    CONSUMER = "consumer"


class BuilderLine(Protocol):
    """A line to one builder.

    Each call raises ``UnreachableError`` where the builder can't be asked, ``DeniedError`` where it lets this node ask
    no such thing, and ``PeerRefusalError`` with what it said otherwise.
    """

    @property
    def name(self) -> NodeName:
        """The builder's name here."""
        ...

    @property
    def key(self) -> PublicKey:
        """The key that it signs its word by."""
        ...

    @property
    def kind(self) -> PeerKind:
        """What it is to this node."""
        ...

    async def state(self) -> BuilderState:
        """Whether it takes an order now."""
        ...

    async def offer(self, order: BuildOrder) -> BuildReport:
        """Give it ``order``; the same one again tells how it stands."""
        ...

    async def report(self, order: str, *, after: int) -> BuildReport:
        """How an order stands, with its log after line ``after``; waits a while for news. It renews the lease."""
        ...

    async def hand_over(self, order: str, sealed: bytes) -> None:
        """Give it what it needs for an order, sealed to it (``federation.link.sealing``)."""
        ...

    async def fetch(self, order: str, target: Path) -> None:
        """Write the pack of the image that an order gave to ``target``; at most ``PACK_BYTES``."""
        ...

    async def cancel(self, order: str) -> None:
        """Have it stop an order, or forget what came out."""
        ...


class BuilderLines(Protocol):
    """The lines that there are to one kind of peers."""

    async def all(self) -> Sequence[BuilderLine]:
        """All of them, by name."""
        ...

    async def usual(self) -> Sequence[BuilderLine]:
        """Those that are asked where none is named."""
        ...


class DialledBuilder(BuilderLine):
    """The line to a provider, which this node dials."""

    def __init__(self, provider: Provider, connect: ConnectPeer) -> None:
        self._provider = provider
        self._peer = connect(provider.url, provider.key)

    @property
    def name(self) -> NodeName:
        return self._provider.name

    @property
    def key(self) -> PublicKey:
        return self._provider.key

    @property
    def kind(self) -> PeerKind:
        return PeerKind.PROVIDER

    async def state(self) -> BuilderState:
        return codec.decode(await self._peer.get(STATE_PATH, most_bytes=RESPONSE_BODY_BYTES), BuilderState)

    async def offer(self, order: BuildOrder) -> BuildReport:
        return codec.decode(await self._peer.post(PATH, codec.encode(order)), BuildReport)

    async def report(self, order: str, *, after: int) -> BuildReport:
        query = {"after": str(after)}
        content = await self._peer.get(f"{PATH}/{order}", query, most_bytes=RESPONSE_BODY_BYTES)
        return codec.decode(content, BuildReport)

    async def hand_over(self, order: str, sealed: bytes) -> None:
        await self._peer.post(f"{PATH}/{order}/sealed", codec.encode(Sealed(content=sealed)))

    async def fetch(self, order: str, target: Path) -> None:
        await self._peer.download(f"{PATH}/{order}/pack", {}, target, most_bytes=PACK_BYTES)

    async def cancel(self, order: str) -> None:
        await self._peer.post(f"{PATH}/{order}/cancel", b"{}")


class DialledBuilders(BuilderLines):
    """The lines to all providers."""

    def __init__(self, links: Links, connect: ConnectPeer) -> None:
        self._links = links
        self._connect = connect

    async def all(self) -> list[BuilderLine]:
        return [DialledBuilder(one, self._connect) for one in await self._links.providers()]

    async def usual(self) -> list[BuilderLine]:
        return await self.all()

"""The one place that chooses implementations and puts the parts of a node together."""

import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Callable

import aiohttp

from federation.clock import Clock, SystemClock
from federation.keys import PrivateKey, PublicKey
from federation.link.client import PeerClient, peer_session
from federation.link.events import Event
from federation.link.follow import follow, reconnect_backoff
from node import lifecycle
from node.app import make_app, pages_folder
from node.assembly import Assembly
from node.config import Settings
from node.storage.port import Storage
from node.storage.sqlite import SqliteStorage
from node.usecases import Usecases
from node.usecases.followers import Follow
from node.usecases.peers import ConnectPeer, Peer


def open_storage(settings: Settings) -> Storage:
    """The document storage that ``settings`` name."""
    if settings.storage == "sqlite":
        return SqliteStorage(settings.data / "vupdate.db")
    # Motor is imported only where it is used: it costs a quarter of a second.
    from node.storage.mongo import MongoStorage

    return MongoStorage(settings.storage)


def connect_by_http(session: aiohttp.ClientSession, key: PrivateKey, clock: Clock) -> ConnectPeer:
    """Connections to peers by signed HTTP requests in the name of ``key``'s owner."""

    def connect(url: str, peer: PublicKey) -> Peer:
        return PeerClient(session, url, peer, key, clock)

    return connect


def follow_for_ever(rng: random.Random) -> Follow:
    """The event stream of a peer, connected again whenever it breaks."""

    def following(peer: Peer, path: str, told: Callable[[bool], None]) -> AsyncGenerator[Event, None]:
        return follow(peer, path, backoff=reconnect_backoff(rng), on_state=told)

    return following


async def serve(settings: Settings, *, ready: Callable[[Usecases], object] | None = None) -> None:
    """Run the node of ``settings`` until SIGTERM or SIGINT; ``ready`` is called once it answers.

    Raises:
        ConflictError: a node runs on the same data.
        LocalError: the port can't be used, or a part of the node died.
        CorruptError: the key or the database is damaged.
    """
    # Quart logs each error with its request's path; ours are answered and logged in one place, under a reference.
    logging.getLogger("quart.app").setLevel(logging.CRITICAL)
    clock, rng = SystemClock(), random.SystemRandom()
    with lifecycle.locked(settings), contextlib.ExitStack() as cleanup:
        lifecycle.check_port(settings)
        key = PrivateKey.load(settings.key_file)
        storage = open_storage(settings)
        cleanup.callback(settings.access_file.unlink, missing_ok=True)
        try:
            async with peer_session() as session:
                assembly = Assembly(
                    settings,
                    key=key,
                    storage=storage,
                    connect=connect_by_http(session, key, clock),
                    follow=follow_for_ever(rng),
                    clock=clock,
                    rng=rng,
                )
                cleanup.callback(assembly.close)
                usecases = assembly.usecases()
                await lifecycle.run(usecases, make_app(usecases, clock, pages_folder()), settings, ready)
        finally:
            await storage.close()

"""The one place that chooses implementations and puts the parts of a node together."""

import contextlib
import logging
import random
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Final

import aiohttp
import structlog

from build.leftovers import sweep
from federation.clock import Clock, SystemClock
from federation.discovery import Announcer
from federation.keys import PrivateKey, PublicKey
from federation.link.client import PeerClient, peer_session
from federation.link.events import Event
from federation.link.follow import follow, reconnect_backoff
from federation.link.identify import identify
from federation.link.pinned import PinnedConnections
from federation.mdns import Hear, Lan
from node import lifecycle
from node.app import make_app, pages_folder
from node.assembly import Assembly
from node.certificates import Certificates
from node.config import Settings
from node.keyfolder import KeyFolder
from node.storage.port import Storage
from node.storage.sqlite import SqliteStorage
from node.usecases import Usecases
from node.usecases.followers import Follow
from node.usecases.nearby import Listen
from node.usecases.peers import ConnectPeer, Peer

_LEFT_TO_OTHERS: Final = frozenset({"fetching", "peers"})
"""What in the work folder outlives a restart in part: those who use it see to it."""

_log = structlog.get_logger(__name__)


def open_storage(settings: Settings) -> Storage:
    """The document storage that ``settings`` name."""
    if settings.storage == "sqlite":
        return SqliteStorage(settings.data / "vupdate.db")
    # Motor is imported only where it is used: it costs a quarter of a second.
    from node.storage.mongo import MongoStorage

    return MongoStorage(settings.storage)


def connect_by_http(session: aiohttp.ClientSession, key: PrivateKey, clock: Clock) -> ConnectPeer:
    """Connections to peers by signed HTTP requests in the name of ``key``'s owner; what they prove, they share."""
    pinned = PinnedConnections(session)

    def connect(url: str, peer: PublicKey) -> Peer:
        return PeerClient(session, url, peer, key, clock, pinned=pinned)

    return connect


def follow_for_ever(rng: random.Random) -> Follow:
    """The event stream of a peer, connected again whenever it breaks."""

    def following(peer: Peer, path: str, told: Callable[[bool], None]) -> AsyncGenerator[Event, None]:
        return follow(peer, path, backoff=reconnect_backoff(rng), on_state=told)

    return following


def listen_on_lan(settings: Settings, key: PrivateKey, clock: Clock) -> Listen | None:
    """Announcing the node by mDNS and hearing others, if its settings say so."""
    if not settings.discovers:
        return None
    announcer = Announcer(key=key, name=settings.name, url=settings.url, port=settings.port, tls=settings.serves_tls)

    async def listen(hear: Hear) -> None:
        lan = Lan(settings.host, settings.port, key.id, settings.name, lambda at: announcer.txt(at, clock.now()))
        await lan.run(hear)

    return listen


async def serve(settings: Settings, *, ready: Callable[[Usecases], object] | None = None) -> None:
    """Run the node of ``settings`` until SIGTERM or SIGINT; ``ready`` is called once it answers.

    Raises:
        ConflictError: a node runs on the same data.
        InvalidValueError: the certificate to serve under can't be used.
        LocalError: the port can't be used, or a part of the node died.
        CorruptError: the key or the database is damaged.
    """
    # Quart logs each error with its request's path; ours are answered and logged in one place, under a reference.
    logging.getLogger("quart.app").setLevel(logging.CRITICAL)
    clock, rng = SystemClock(), random.SystemRandom()
    with lifecycle.locked(settings), contextlib.ExitStack() as cleanup:
        lifecycle.check_port(settings)
        killed, left = sweep(settings.data / "work", keep=_LEFT_TO_OTHERS)
        if killed or left:
            _log.warning("cleared away what builds left before this start", processes=killed, entries=left)
        keys = KeyFolder(settings.key_file.parent, settings.name).load()
        key = keys.key
        if keys.finished is not None:
            _log.warning("a change of the node's key was broken off and is finished now", new=key.id)
        certificates = Certificates(settings, key.id, clock)
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
                    identify=partial(identify, session),
                    listen=listen_on_lan(settings, key, clock),
                    clock=clock,
                    rng=rng,
                    certificates=certificates.in_use,
                    chain=keys.chain,
                )
                cleanup.callback(assembly.close)
                usecases = assembly.usecases()
                await lifecycle.run(usecases, make_app(usecases, clock, pages_folder()), settings, certificates, ready)
        finally:
            await storage.close()

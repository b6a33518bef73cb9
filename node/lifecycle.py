"""Runs one node from start to end: locks its data, starts the server and the background loops, stops them all.

Everything runs under one task group: a loop that dies ends the process with its error instead of being lost.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import structlog
from quart import Quart

from federation import codec
from federation.errors import ConflictError, LocalError
from federation.files import write_atomic
from node.certificates import Certificates
from node.config import Settings
from node.server import WebServer
from node.usecases import Usecases

_log = structlog.get_logger(__name__)


@contextlib.contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Nobody else runs a node on the same data while the block runs.

    Raises:
        ConflictError: somebody does.
    """
    path = settings.data / "run" / "lock"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConflictError(f"a node is running on {settings.data} already") from error
    try:
        yield
    finally:
        os.close(descriptor)


def check_port(settings: Settings) -> None:
    """Refuse a port in use: the server's own socket would share it silently.

    Raises:
        LocalError: in use, or not allowed.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise LocalError(
                f"port {settings.port} at {settings.host} can't be used ({error.strerror}): "
                f"end the program that has it, or change 'port' in {settings.data / 'config.toml'}"
            ) from error


def _write_access(settings: Settings, usecases: Usecases, certificates: Certificates) -> None:
    """Leave the operator's command line its way in: who can read the node's data is its operator."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    reached = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "[::]") else host  # noqa: S104  compared, not bound
    scheme = "http" if certificates.own is None else "https"
    access = {"url": f"{scheme}://{reached}:{settings.port}", "token": usecases.accounts.access_token}
    if certificates.own is not None:
        access["certificate"] = certificates.own
    write_atomic(settings.access_file, codec.encode(access), mode=0o600)


async def _wait_until_served(settings: Settings) -> None:
    """Return once the port answers."""
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104  compared, not bound
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection(host, settings.port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    raise LocalError("the web server does not answer on its own port")


@contextlib.asynccontextmanager
async def _stopped_by_signals(stop: asyncio.Event) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def run(
    usecases: Usecases,
    app: Quart,
    settings: Settings,
    certificates: Certificates,
    ready: Callable[[Usecases], object] | None = None,
) -> None:
    """Serve ``app`` and run the background loops until SIGTERM or SIGINT; ``ready`` is called once it answers.

    Raises:
        LocalError: a part of the node died.
    """
    stop = asyncio.Event()
    if signed := await usecases.key_changes.countersign():
        _log.info("versions signed by the new key too", versions=signed)
    if usecases.key_changes.former_ids:
        await usecases.withdrawals.renew()
    async with _stopped_by_signals(stop), asyncio.TaskGroup() as group, usecases.tasks.running():
        loops = [
            group.create_task(usecases.adaptation.run()),
            group.create_task(usecases.calling_in.run()),
            group.create_task(usecases.catalog_keys.run()),
            group.create_task(usecases.catalogs.run()),
            group.create_task(usecases.farewells.run()),
            group.create_task(usecases.followers.run()),
            group.create_task(usecases.logs.maintain_for_ever()),
            group.create_task(usecases.moves.run()),
            group.create_task(usecases.nearby.run()),
            group.create_task(usecases.pairing.run()),
            group.create_task(usecases.packs.run()),
            group.create_task(usecases.delivery.run()),
            group.create_task(usecases.reports.run()),
            group.create_task(usecases.settings_watch.run()),
            group.create_task(usecases.withdrawn_running.run()),
            group.create_task(usecases.workshop.run()),
        ]
        write_access = partial(_write_access, settings, usecases, certificates)
        serving = group.create_task(WebServer(app, settings, certificates, write_access).run(stop))
        await _wait_until_served(settings)
        write_access()
        _log.info("node is ready", node=settings.name, url=settings.url)
        if ready is not None:
            ready(usecases)
        await asyncio.wait([serving])
        for loop in loops:
            loop.cancel()

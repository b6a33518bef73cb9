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
from typing import Final

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server
from quart import Quart

from federation import codec
from federation.errors import ConflictError, LocalError
from federation.files import write_atomic
from node.config import Settings
from node.usecases import Usecases, faults

_BACKLOG: Final = 4096
# Granian counts open streams against this number, and at its default of 1,024 the next one hangs the whole server.
_STREAMS_MOST: Final = 100_000
_STOP_SECONDS: Final = 10
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


def _write_access(settings: Settings, usecases: Usecases) -> None:
    """Leave the operator's command line its way in: who can read the node's data is its operator."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    reached = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "[::]") else host  # noqa: S104  compared, not bound
    access = {"url": f"http://{reached}:{settings.port}", "token": usecases.accounts.access_token}
    write_atomic(settings.access_file, codec.encode(access), mode=0o600)


async def _serve_http(app: Quart, settings: Settings, stop: asyncio.Event) -> None:
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        backlog=_BACKLOG,
        backpressure=_STREAMS_MOST,
        log_enabled=False,
    )
    # Streams never end by themselves; after this time they are cut.
    server.workers_kill_timeout = _STOP_SECONDS

    async def stop_server() -> None:
        await stop.wait()
        server.stop()  # type: ignore[no-untyped-call]  # Granian gives no types here

    async with asyncio.TaskGroup() as group:
        stopper = group.create_task(stop_server())
        await server.serve()
        stopper.cancel()
    if not stop.is_set():
        raise LocalError("the web server ended by itself: see the log above")


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
    usecases: Usecases, app: Quart, settings: Settings, ready: Callable[[Usecases], object] | None = None
) -> None:
    """Serve ``app`` and run the background loops until SIGTERM or SIGINT; ``ready`` is called once it answers.

    Raises:
        LocalError: a part of the node died.
    """
    stop = asyncio.Event()
    async with _stopped_by_signals(stop), asyncio.TaskGroup() as group, usecases.tasks.running():
        loops = [
            group.create_task(usecases.adaptation.run()),
            group.create_task(usecases.followers.run()),
            group.create_task(usecases.logs.maintain_for_ever()),
            group.create_task(usecases.outbox.run({faults.KIND: usecases.faults})),
        ]
        serving = group.create_task(_serve_http(app, settings, stop))
        await _wait_until_served(settings)
        _write_access(settings, usecases)
        _log.info("node is ready", node=settings.name, url=settings.url)
        if ready is not None:
            ready(usecases)
        await asyncio.wait([serving])
        for loop in loops:
            loop.cancel()

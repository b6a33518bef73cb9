"""Runs the web server: Granian inside this process, over TLS if the node serves it.

A renewed certificate is taken without a pause: a second server begins to listen at the same port and gets all that
connect from then on, then the first one stops to, and the streams it still has go on.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from granian.constants import HTTPModes, Interfaces
from quart import Quart

from federation.errors import LocalError
from federation.link.tls import CertificateFiles
from node.certificates import Certificates
from node.config import Settings
from node.listener import ListeningServer

_BACKLOG: Final = 4096
# Granian counts open streams against this number, and at its default of 1,024 the next one hangs the whole server.
_STREAMS_MOST: Final = 100_000
_STOP_SECONDS: Final = 10
# What the first server had accepted has this long to say which page it wants: a TLS handshake over a slow line.
_OVERLAP_SECONDS: Final = 10.0
_log = structlog.get_logger(__name__)


def _server(app: Quart, settings: Settings, files: CertificateFiles | None) -> ListeningServer:
    """A server at the node's port; over TLS 1.3 where there is a certificate."""
    return ListeningServer(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        # Peers speak nothing else, and browsers open WebSockets by it.
        http=HTTPModes.http1,
        backlog=_BACKLOG,
        backpressure=_STREAMS_MOST,
        log_enabled=False,
        ssl_cert=files.certificate if files else None,
        ssl_key=files.key if files else None,
    )


async def _serve(server: ListeningServer, told: asyncio.Event) -> None:
    """Serve until ``told`` to stop."""

    async def stop_server() -> None:
        await told.wait()
        server.stop()  # type: ignore[no-untyped-call]  # Granian gives no types here

    async with asyncio.TaskGroup() as group:
        stopper = group.create_task(stop_server())
        try:
            await server.serve()
        except TimeoutError:
            # Streams never end by themselves: after ``workers_kill_timeout`` Granian gives up on them by this error.
            if not told.is_set():
                raise
        stopper.cancel()
    if not told.is_set():
        raise LocalError("the web server ended by itself: see the log above")


class WebServer:
    """Serves one application from its start to ``stop``; ``on_renewed`` is called when the certificate changed."""

    def __init__(
        self,
        app: Quart,
        settings: Settings,
        certificates: Certificates,
        on_renewed: Callable[[], None],
        *,
        look_seconds: float = 30.0,
        overlap_seconds: float = _OVERLAP_SECONDS,
    ) -> None:
        """``look_seconds``: how often the certificate's files are looked at; ``overlap_seconds``: how long after the
        next server began the one before may finish handshakes.
        """
        self._app = app
        self._settings = settings
        self._certificates = certificates
        self._on_renewed = on_renewed
        self._look_seconds = look_seconds
        self._overlap_seconds = overlap_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``, under the certificate that is in the files at the time.

        Raises:
            LocalError: the server ended by itself.
        """
        async with asyncio.TaskGroup() as group:
            server, told, task = self._start(group)
            outgoing: list[asyncio.Task[None]] = []
            while not await _comes_within(stop, self._look_seconds):
                if not await asyncio.to_thread(self._certificates.renewed):
                    continue
                _log.info("serving under the renewed certificate", certificate=self._certificates.own)
                old, old_told, old_task = server, told, task
                server, told, task = self._start(group)
                self._on_renewed()
                await _comes_within(stop, self._overlap_seconds)
                old.workers_kill_timeout = None
                old_told.set()
                old.stop_listening()
                outgoing = [one for one in [*outgoing, old_task] if not one.done()]
            for one in outgoing:
                one.cancel()
            told.set()

    def _start(self, group: asyncio.TaskGroup) -> tuple[ListeningServer, asyncio.Event, asyncio.Task[None]]:
        server, told = _server(self._app, self._settings, self._certificates.files), asyncio.Event()
        server.workers_kill_timeout = _STOP_SECONDS
        return server, told, group.create_task(_serve(server, told))


async def _comes_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False

"""The real web server takes a renewed certificate while it runs: no request fails, no stream is cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest
import tomlkit
from quart import Quart, Response

from federation.clock import SystemClock
from federation.keys import PrivateKey
from federation.link.pinned import certificate_shown
from node.certificates import Certificates
from node.cli.demo.processes import free_ports
from node.config import load_settings
from node.server import WebServer
from tests.support.tls_peers import self_made

pytestmark = pytest.mark.e2e


def an_app() -> Quart:
    """Answers, and streams for ever."""
    app = Quart("test")

    async def ticks() -> AsyncIterator[bytes]:
        while True:
            yield b"tick"
            await asyncio.sleep(0.05)

    async def stream() -> Response:
        response = Response(ticks())
        response.timeout = None
        return response

    async def hello() -> str:
        return "hello"

    app.add_url_rule("/stream", view_func=stream)
    app.add_url_rule("/", view_func=hello)
    return app


async def eventually_shown(url: str, digest: str) -> None:
    """Return once new connections see the certificate, and go on seeing it."""
    async with asyncio.timeout(20):
        seen = 0
        while seen < 20:
            seen = seen + 1 if await certificate_shown(url) == digest else 0
            await asyncio.sleep(0.02)


def listening_sockets(port: int) -> int:
    """How many sockets of this process listen at a port."""
    held = psutil.Process().net_connections(kind="tcp")
    return sum(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in held)


async def one_listens(port: int) -> None:
    """Return once the server before has let go of the port."""
    async with asyncio.timeout(20):
        while listening_sockets(port) != 1:
            await asyncio.sleep(0.02)


async def test_a_renewed_certificate_is_shown_without_a_pause(tmp_path: Path) -> None:
    """Requests go on through two changes, and a stream that was open before them is still fed after them."""
    old, new, newest = self_made(), self_made(), self_made()
    certificate, key = old.save(tmp_path)
    (port,) = free_ports(1)
    url = f"https://127.0.0.1:{port}"
    document = {"name": "acme", "host": "127.0.0.1", "port": port, "url": url}
    paths = {"tls_certificate": str(certificate), "tls_key": str(key)}
    (tmp_path / "config.toml").write_text(tomlkit.dumps({**document, **paths}))
    certificates = Certificates(load_settings(tmp_path), PrivateKey.generate().id, SystemClock())
    told: list[str | None] = []
    server = WebServer(
        an_app(),
        load_settings(tmp_path),
        certificates,
        lambda: told.append(certificates.own),
        look_seconds=0.2,
        overlap_seconds=1,
    )
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as session:
        serving = group.create_task(server.run(stop))
        await listening(port)
        async with session.get(f"{url}/stream", ssl=False) as stream:
            assert await certificate_shown(url) == old.digest
            asking = [group.create_task(ask_on(url)) for _ in range(4)]
            for changed in (new, newest):
                # As a renewal does it: not in one step.
                certificate.write_bytes(changed.chain)
                await asyncio.sleep(0.5)
                key.write_bytes(changed.key)
                await eventually_shown(url, changed.digest)
                await one_listens(port)
            for one in asking:
                one.cancel()
            assert told == [new.digest, newest.digest]
            for _ in range(10):
                assert await stream.content.readany()
        stop.set()
        async with asyncio.timeout(20):
            await serving


async def listening(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the server does not listen")


async def ask_on(url: str) -> None:
    """Ask over new connections for as long as this runs; each has to be answered."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        while True:
            async with session.get(url, ssl=False) as answer:
                assert await answer.text() == "hello"


async def test_a_server_stops_with_streams_open(tmp_path: Path) -> None:
    """It waits a while for them, then ends without an error."""
    (port,) = free_ports(1)
    document = {"name": "acme", "host": "127.0.0.1", "port": port, "url": f"http://127.0.0.1:{port}"}
    (tmp_path / "config.toml").write_text(tomlkit.dumps(document))
    settings = load_settings(tmp_path)
    certificates = Certificates(settings, PrivateKey.generate().id, SystemClock())
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as session:
        serving = group.create_task(WebServer(an_app(), settings, certificates, lambda: None).run(stop))
        await listening(port)
        async with session.get(f"http://127.0.0.1:{port}/stream") as stream:
            assert await stream.content.readany()
            stop.set()
            async with asyncio.timeout(30):
                await serving

"""What TLS costs: small requests, new connections, packs, and the first request of a client with its proof.

``python -m tests.bench.tls``. The node's own web server and its way to send files, in a process of its own, plain and
over TLS in one run; ``wrk`` loads it where it is installed. Load and server share the machine's cores.
"""

import asyncio
import contextlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from quart import Quart, Response, request
from rich.console import Console
from rich.table import Table

from federation.clock import SystemClock
from federation.keys import PrivateKey
from federation.limits import GIB, MIB
from federation.link.client import PeerClient, peer_session
from federation.link.identity_proof import IDENTITY_PATH
from federation.names import NodeName
from node.certificates import Certificates
from node.cli.demo.processes import free_ports
from node.config import create_node, load_settings
from node.http.files import Connection, FileResponse
from node.server import WebServer
from node.usecases.proofs import Proofs

NODE: Final = PrivateKey(b"n" * 32)
CONSUMER: Final = PrivateKey(b"c" * 32)
PACK_BYTES: Final = 256 * MIB
SECONDS: Final = 4
TIMES: Final = 30


def _app(folder: Path, proofs: Proofs) -> Quart:
    app = Quart("bench")
    app.asgi_http_class = Connection
    app.add_url_rule("/small", view_func=_small)

    async def pack() -> Response:
        return FileResponse(folder / "pack", PACK_BYTES, {})

    async def identity() -> Response:
        return Response(proofs.prove(request.args["nonce"]))

    app.add_url_rule("/pack", view_func=pack)
    app.add_url_rule(IDENTITY_PATH, "identity", identity)
    return app


async def _small() -> Response:
    return Response(b'{"status":"ok"}', mimetype="application/json")


async def _serve(folder: Path) -> None:
    settings, clock = load_settings(folder), SystemClock()
    certificates = Certificates(settings, NODE.id, clock)
    proofs = Proofs(node=settings.name, url=settings.url, key=NODE, certificates=certificates.in_use, clock=clock)
    await WebServer(_app(folder, proofs), settings, certificates, lambda: None).run(asyncio.Event())


@contextlib.asynccontextmanager
async def _server(tls: str) -> AsyncIterator[str]:
    """The address of a server in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder, (port,) = Path(name) / "node", free_ports(1)
        settings = create_node(folder, name=NodeName("acme"), host="127.0.0.1", port=port, url=None, tls=tls)
        with (folder / "pack").open("wb") as stream:
            stream.truncate(PACK_BYTES)
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", __spec__.name, "serve", str(folder))
        try:
            await _first_request(settings.url, within=10.0)
            yield settings.url
        finally:
            process.terminate()
            await process.wait()


async def _first_request(url: str, *, within: float = 0.0) -> float:
    """Milliseconds until a client that knew nothing has its first answer."""
    deadline = time.monotonic() + within
    while True:
        start = time.perf_counter()
        try:
            async with peer_session() as session:
                await _client(session, url).get("/small", most_bytes=MIB)
            return (time.perf_counter() - start) * 1000
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)


def _client(session: object, url: str) -> PeerClient:
    return PeerClient(session, url, NODE.public, CONSUMER, SystemClock())  # type: ignore[arg-type]  # as it comes


async def _repeated(url: str) -> float:
    async with peer_session() as session:
        client = _client(session, url)
        await client.get("/small", most_bytes=MIB)
        start = time.perf_counter()
        for _ in range(500):
            await client.get("/small", most_bytes=MIB)
        return 500 / (time.perf_counter() - start)


async def _first(url: str) -> float:
    return statistics.median([await _first_request(url) for _ in range(TIMES)])


async def _downloaded(url: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        async with peer_session() as session:
            start = time.perf_counter()
            await _client(session, url).download("/pack", {}, Path(folder) / "pack", most_bytes=GIB)
            return PACK_BYTES / (time.perf_counter() - start) / 1e6


async def _wrk(url: str, *options: str) -> float:
    """Requests a second, by one thread."""
    if shutil.which("wrk") is None:
        return float("nan")
    command = ["wrk", "-t1", f"-d{SECONDS}s", *options, url]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    return float(found[1]) if found else float("nan")


async def _small_requests(url: str) -> float:
    return await _wrk(f"{url}/small", "-c32")


async def _new_connections(url: str) -> float:
    return await _wrk(f"{url}/small", "-c32", "-H", "Connection: close")


async def _packs(url: str) -> float:
    return await _wrk(f"{url}/pack", "-c4", "--timeout=30s") * PACK_BYTES / 1e6


MEASURES: Final[tuple[tuple[str, Callable[[str], Awaitable[float]]], ...]] = (
    ("small requests/s, 32 connections kept (wrk)", _small_requests),
    ("small requests/s, each on a new connection (wrk)", _new_connections),
    ("signed requests/s of one peer, one after the other", _repeated),
    ("first answer for a new client, with its proof, ms", _first),
    ("packs sent, MB/s (wrk, 4 connections)", _packs),
    ("pack downloaded by a peer, durable, MB/s", _downloaded),
)


async def _measure() -> None:
    table = Table("", "http", "https", "https / http")
    found: dict[str, tuple[float, float]] = {}
    async with _server("off") as plain_url, _server("on") as secure_url:
        for what, measure in MEASURES:
            # By turns, as other work on the machine comes and goes.
            turns = [(await measure(plain_url), await measure(secure_url)) for _ in range(3)]
            found[what] = statistics.median(one for one, _ in turns), statistics.median(one for _, one in turns)
    for what, (plain, secure) in found.items():
        table.add_row(what, f"{plain:,.1f}", f"{secure:,.1f}", f"{secure / plain:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[2])) if sys.argv[1:2] == ["serve"] else _measure())

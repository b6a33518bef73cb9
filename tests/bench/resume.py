"""A download whose client is killed (kill -9) at random moments: ``python -m tests.bench.resume``.

Each client is a process of its own, killed once a random number of bytes more has arrived, until one gets to the end.
Shown is what the server handed to the system for a file of a known size, and that the file is the right one. What a
killed client loses is what was on its way then: on loopback mostly the two sockets' buffers, some 4 MiB.
"""

import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console
from rich.table import Table

from federation.clock import SystemClock
from federation.digest import Digest
from federation.keys import PrivateKey
from federation.limits import GIB, MIB
from federation.link.client import PeerClient, peer_session
from federation.link.landing import part_of
from node.http.ranges import Span, asked_span

SIZE: Final = 192 * MIB
KILLS: Final = (0, 5, 20)
CONSUMER: Final = PrivateKey(b"c" * 32)
PROVIDER: Final = PrivateKey(b"p" * 32)
_PIECE: Final = MIB // 4


class Counting:
    """Serves one file by ranges, and counts the body bytes that it hands to the system."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = f'"{Digest.of(content)}"'
        self.sent = 0
        self.requests = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        asked = {name.lower(): value for name, value in request.headers.items()}
        span = asked_span(asked, size=len(self.content), etag=self.etag)
        headers = {"ETag": self.etag}
        if span is not None:
            headers["Content-Range"] = span.content_range(len(self.content))
        sent = span or Span(0, len(self.content))
        answer = web.StreamResponse(status=206 if span else 200, headers=headers)
        answer.content_length = sent.size
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            for start in range(sent.first, sent.first + sent.size, _PIECE):
                piece = self.content[start : min(start + _PIECE, sent.first + sent.size)]
                await answer.write(piece)
                self.sent += len(piece)
        return answer


@contextlib.asynccontextmanager
async def serving(file: Counting) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/pack", file)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(shutdown_timeout=0.1)
    try:
        yield str(server.make_url("/"))
    finally:
        await server.close()


async def fetch(url: str, target: Path) -> None:
    """The client's process."""
    async with peer_session() as session:
        client = PeerClient(session, url, PROVIDER.public, CONSUMER, SystemClock())
        await client.download("/pack", {}, target, most_bytes=4 * GIB)


async def killed_after(url: str, target: Path, more: int | None) -> bool:
    """Start a client and kill it when ``more`` bytes have come; whether it got to the end before."""
    part = part_of(target)
    before = part.stat().st_size if part.exists() else 0
    client = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.resume", "fetch", url, str(target))
    ended = asyncio.Event()

    async def watch() -> None:
        while more is not None and not ended.is_set():
            if part.exists() and part.stat().st_size - before >= more:
                with contextlib.suppress(ProcessLookupError):
                    client.kill()
                return
            await asyncio.sleep(0.0005)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        status = await client.wait()
        ended.set()
    return status == 0


async def measure(kills: int, rng: random.Random, table: Table) -> None:
    content = rng.randbytes(SIZE)
    file = Counting(content)
    killed = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="resume-") as folder:
        target = Path(folder) / "pack"
        async with serving(file) as url:
            while True:
                more = rng.randrange(1, 2 * SIZE // (kills + 1)) if killed < kills else None
                if await killed_after(url, target, more):
                    break
                killed += 1
        right = target.read_bytes() == content
        left = [path for path in Path(folder).iterdir() if path != target]
    table.add_row(
        str(killed),
        f"{SIZE / MIB:,.0f} MiB",
        f"{file.sent / MIB:,.1f} MiB",
        f"{file.sent / SIZE:.3f}",
        f"{(file.sent - SIZE) / MIB / killed:.1f} MiB" if killed else "–",
        str(file.requests),
        f"{time.monotonic() - started:.1f} s",
        "right" if right and not left else "WRONG",
    )


def main() -> None:
    """Print the table, or be a client."""
    if sys.argv[1:2] == ["fetch"]:
        asyncio.run(fetch(sys.argv[2], Path(sys.argv[3])))
        return
    table = Table(title="a download whose client is killed at random offsets")
    for heading in ("kills", "file", "sent in all", "sent / file", "lost by a kill", "requests", "time", "the file is"):
        table.add_column(heading, justify="right")
    rng = random.Random(3)
    for kills in KILLS:
        asyncio.run(measure(kills, rng, table))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

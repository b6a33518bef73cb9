"""Pack downloads against nginx: ``python -m tests.bench.downloads``. Needs nginx and wrk.

Both serve the same pack file from loopback, one worker each, and are loaded in turn by ``wrk -t1 -c32``. The node is
the real application under Granian, in a process of its own; only its documents are kept in memory. It is asked in two
ways: *signed*, by requests of a linked consumer at the real route, each with a signature of its own that was made
beforehand (and that the node checks, with all rights); and *open*, at a public route that this bench adds in front of
the same answer, to see what the checking costs.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from federation.digest import Digest
from federation.limits import MIB
from federation.link.request import HttpRequest
from federation.link.signature import signed_headers
from node.app import _view
from node.certificates import Certificates
from node.config import Settings, load_settings
from node.http.authentication import Authentication
from node.http.packs import pack_response
from node.http.route import Access, Call, Route
from node.server import WebServer
from tests.support.nodes import chain
from tests.support.trees import noise

SIZES_MIB: Final = (1, 8, 64)
ROUNDS: Final = 3
SECONDS: Final = 4
_BYTES_A_SECOND: Final = 4_000 * MIB
"""More than any server here sends: so many signed requests are made ready."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The node's own process.


async def serve(folder: Path, port: int, size: int) -> None:
    """Serve a pack of ``size`` bytes until the standard input ends; a line in: signed headers into a file."""
    network = await chain(folder, "acme", "globex")
    acme, globex = network.members.values()
    clock = acme.clock  # stands still, so signatures made beforehand do not grow too old
    image = (await acme.develop("shop", "acme-1.0.0", {"blob": noise(size)})).image
    app, use = acme.app, acme.use

    async def open_pack(call: Call) -> object:
        return pack_response(await use.images.pack(None, Digest(call.path["image"])), call)

    route = Route(method="GET", rule="/open/<image>", access=Access.PUBLIC, handle=open_pack)  # type: ignore[arg-type]
    app.add_url_rule(route.rule, "open", _view(route, Authentication(use, clock)), methods=["GET"])
    pack = await use.images.pack(None, image)
    settings = _served_at(load_settings(folder / "acme"), port)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        server = WebServer(app, settings, Certificates(settings, acme.key.id, clock), lambda: None)
        serving = group.create_task(server.run(stop))
        print(json.dumps({"pack": str(pack.path), "size": pack.size, "image": image}), flush=True)
        path = f"/federation/v1/packs/{image}"
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            count, target = line.split(" ", 1)
            request = HttpRequest(method="GET", path=path)
            made = [
                signed_headers(request, key=globex.key, audience=acme.key.id, now=clock.now())
                for _ in range(int(count))
            ]
            await asyncio.to_thread(Path(target).write_text, _lua(path, made))
            print("ready", flush=True)
        stop.set()
        await serving


def _served_at(settings: Settings, port: int) -> Settings:
    from dataclasses import replace

    return replace(settings, port=port, url=f"http://127.0.0.1:{port}")


def _lua(path: str, made: list[dict[str, str]]) -> str:
    rows = ",\n".join(
        "{" + ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()) + "}"
        for headers in made
    )
    return f"""local signed = {{\n{rows}\n}}
local at = 0
request = function()
  at = at + 1
  return wrk.format("GET", "{path}", signed[at])
end
"""


# The bench.


class Node:
    """The node's process."""

    def __init__(self, folder: Path, size: int) -> None:
        self.port = free_port()
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.downloads", "serve", str(folder / "nodes"), str(self.port), str(size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        about = json.loads(self._line())
        self.pack, self.size, self.image = Path(about["pack"]), int(about["size"]), about["image"]

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def signed(self) -> list[str]:
        """Arguments of wrk for requests that nobody has sent yet."""
        script = self._folder / "signed.lua"
        assert self._process.stdin is not None
        self._process.stdin.write(f"{64 + SECONDS * _BYTES_A_SECOND // self.size} {script}\n")
        self._process.stdin.flush()
        assert self._line().strip() == "ready"
        return ["-s", str(script)]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@contextlib.contextmanager
def nginx(folder: Path, served: Path) -> Iterator[int]:
    """The port of an nginx with one worker that serves the folder of ``served``."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; root {served.parent}; }}
}}
{"user root;" if os.geteuid() == 0 else ""}
"""
    )
    process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(folder)])
    try:
        _wait(f"http://127.0.0.1:{port}/{served.name}")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  # ours
            answer.read(1)
            return
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def load(url: str, *more: str) -> float:
    """Bytes a second by ``wrk -t1 -c32``; an answer that was not the file ends the bench."""
    done = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{SECONDS}s", "--timeout", "30s", *more, url],
        capture_output=True,
        text=True,
        check=True,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(done.stdout)
    found = re.search(r"Transfer/sec:\s+([0-9.]+)([KMG]?)B", done.stdout)
    if found is None:
        raise SystemExit(done.stdout)
    return float(found[1]) * {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}[found[2]]


def measure(size_mib: int, table: Table) -> None:
    """One row: the median of some rounds, in which the servers take turns."""
    rates: dict[str, list[float]] = {"nginx": [], "signed": [], "open": []}
    with tempfile.TemporaryDirectory(prefix="downloads-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        node = Node(folder, size_mib * MIB)
        try:
            with nginx(folder, node.pack) as port:
                base = f"http://127.0.0.1:{node.port}"
                _wait(f"{base}/open/{node.image}")
                for _ in range(ROUNDS):
                    rates["nginx"].append(load(f"http://127.0.0.1:{port}/{node.pack.name}"))
                    rates["open"].append(load(f"{base}/open/{node.image}"))
                    rates["signed"].append(load(base, *node.signed()))
        finally:
            node.close()
    nginx_rate, open_rate, signed_rate = (statistics.median(rates[one]) for one in ("nginx", "open", "signed"))
    table.add_row(
        f"{size_mib} MiB",
        *(f"{rate / MIB:,.0f} MiB/s" for rate in (nginx_rate, signed_rate, open_rate)),
        f"{signed_rate / nginx_rate:.2f}",
        f"{open_rate / nginx_rate:.2f}",
    )


def main() -> None:
    """Print the table, or serve."""
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
        return
    for tool in ("nginx", "wrk"):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            return
    table = Table(title="pack download, one worker each, wrk -t1 -c32, median of 3 (bar: signed ≥ 1.0 × nginx)")
    for heading in ("pack", "nginx", "node, signed", "node, open", "signed / nginx", "open / nginx"):
        table.add_column(heading, justify="right")
    for size in SIZES_MIB:
        measure(size, table)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

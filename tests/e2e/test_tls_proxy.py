"""A provider behind a real proxy that does TLS: followed through it by its key, and refused where it names no proxy."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import tomlkit

from node.cli.demo import queries
from node.cli.demo.api import NodeApi, StepError
from tests.support.processes import SERVICE, Sources, Stage, stage
from tests.support.tls_peers import Authority, Shown, self_made
from tests.support.ui_pages import browser, log_in

pytestmark = pytest.mark.e2e
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server-key.pem;
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_buffering off;
            proxy_read_timeout 1h;
        }}
    }}
}}
"""


@contextlib.asynccontextmanager
async def proxied(folder: Path, shown: Shown, port: int, behind: int) -> AsyncIterator[None]:
    """A proxy at ``port`` under the certificate ``shown``, before the node at ``behind``."""
    folder.mkdir(exist_ok=True)
    shown.save(folder)
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, behind=behind))
    process = await asyncio.create_subprocess_exec(
        str(NGINX), "-p", str(folder), "-c", str(config), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await answering(port)
        yield
    finally:
        process.terminate()
        await process.wait()


async def answering(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the proxy does not listen")


async def behind_proxy(on: Stage, port: int, **values: str) -> NodeApi:
    """acme, listening without TLS, reached by others through the proxy at ``port``."""
    config = on.folder / "acme" / "config.toml"
    document = tomlkit.parse(config.read_text())
    document.update({"tls": "off", "url": f"https://127.0.0.1:{port}", **values})
    config.write_text(tomlkit.dumps(document))
    return await on.start_node("acme")


def port_of(api: NodeApi) -> int:
    return int(api.url.rpartition(":")[2])


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
async def test_a_provider_behind_a_proxy_is_known_by_its_key(tmp_path: Path) -> None:
    """Its proxy's certificate counts once the node names it; the page works through the proxy too."""
    async with browser() as chromium, stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme"), await on.make_node("globex")
        behind, port = port_of(acme), next(on.ports)
        await on.processes.stop("acme")
        shown = Authority().issue("acme.example")
        async with proxied(tmp_path / "proxy", shown, port, behind):
            acme = await behind_proxy(on, port)
            with pytest.raises(StepError, match=r"does not hold .* nothing was sent to it"):
                await on.link(acme, globex)
            await on.processes.stop("acme")
            acme = await behind_proxy(on, port, tls_proxy_certificate=str(tmp_path / "proxy" / "server.pem"))
            await on.link(acme, globex)
            sources = Sources(tmp_path / "sources", next(on.ports))
            sources.say("first")
            await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
            version = await on.build(acme)
            await globex.until(
                "the version is here",
                "{ desired(kind: DEVELOPER) { versions { service version } } }",
                lambda data: data["desired"]["versions"] == [{"service": SERVICE, "version": version}],
                within=60,
            )
            link = (await acme.ask(queries.LOGIN_LINK))["createLoginLink"]["url"]
            assert link.startswith(f"https://127.0.0.1:{port}/")
            _, watched = await log_in(await chromium.new_context(ignore_https_errors=True), link)
            assert (watched.errors, watched.foreign) == ([], [])


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
async def test_a_provider_that_moves_behind_a_proxy_is_found_there(tmp_path: Path) -> None:
    """The operator names the new address; a stranger's proxy in the same place is refused first."""
    async with stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme"), await on.make_node("globex")
        behind, port = port_of(acme), next(on.ports)
        await on.link(acme, globex)
        own = self_made()
        folder = tmp_path / "proxy"
        folder.mkdir()
        certificate, _ = own.save(folder)
        await on.processes.stop("acme")
        acme = await behind_proxy(on, port, tls_proxy_certificate=str(certificate))
        move = f'mutation {{ setProviderAddress(name: "acme", url: "https://127.0.0.1:{port}") {{ url }} }}'
        async with proxied(tmp_path / "strangers", self_made(), port, behind):
            with pytest.raises(StepError, match="address was left as it was"):
                await globex.ask(move)
        assert (await globex.ask("{ providers { url } }"))["providers"] == [{"url": acme.url}]
        async with proxied(folder, own, port, behind):
            assert (await globex.ask(move))["setProviderAddress"]["url"] == f"https://127.0.0.1:{port}"
            await globex.until("followed", queries.PROVIDERS, lambda data: data["providers"][0]["connected"], within=30)
            async with aiohttp.ClientSession() as session:
                answer = await session.get(f"https://127.0.0.1:{port}/health", ssl=False)
                assert answer.status == 200

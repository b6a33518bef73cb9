"""Nodes over TLS: linked, an agent attached, versions flowing, all by self-made certificates nobody was told of."""

import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
import tomlkit

from federation.link.tls import fingerprint, read_certificate
from node.cli.demo import queries
from node.cli.demo.api import NodeApi, StepError
from tests.support.processes import SERVICE, Sources, Stage, stage
from tests.support.tls_peers import self_made
from tests.support.ui_pages import browser, lanes, log_in, wait_place

pytestmark = pytest.mark.e2e
TLS = ("--tls", "on")


async def released(on: Stage, sources: Sources, provider: NodeApi, consumer: NodeApi, greeting: str) -> str:
    """The version with ``greeting``, once it runs at the consumer."""
    sources.say(greeting)
    version = await on.build(provider)
    await on.runs(consumer, version)
    return version


async def test_versions_flow_over_tls_and_the_page_shows_them_live(tmp_path: Path) -> None:
    """Two nodes, an agent and a browser, each on https only; a renewed certificate stops nobody."""
    async with browser() as chromium, stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme", *TLS), await on.make_node("globex", *TLS)
        assert (acme.url[:8], globex.url[:8]) == ("https://", "https://")
        await on.link(acme, globex)
        await on.attach_agent(globex)
        port = next(on.ports)
        sources = Sources(tmp_path / "sources", port)
        sources.say("nothing yet")
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        link = (await globex.ask(queries.LOGIN_LINK))["createLoginLink"]["url"]
        context = await chromium.new_context(ignore_https_errors=True)
        page, watched = await log_in(context, link)
        first = await released(on, sources, acme, globex, "first")
        assert await on.text_at(port) == "first"
        await wait_place(page, SERVICE, "globex-1", phase="RUNNING", version=first)
        assert (await lanes(page))[SERVICE].developer == first
        cookies = await context.cookies()
        assert [(one.get("secure"), one.get("httpOnly"), one.get("sameSite")) for one in cookies] == [
            (True, True, "Strict")
        ]
        assert (watched.errors, watched.foreign) == ([], [])
        await renewed(on, "acme")
        await released(on, sources, await on.start_node("acme"), globex, "second")
        assert await on.text_at(port) == "second"


async def renewed(on: Stage, name: str) -> None:
    """The node is stopped, and its certificate lost: it makes another one at its next start."""
    await on.kill(name)
    for path in (on.folder / name / "keys").glob("tls*.pem"):
        path.unlink()


async def test_a_node_over_tls_answers_nothing_else(tmp_path: Path) -> None:
    """Plain HTTP and TLS before 1.3 fail before a request is read; the key is for its owner only."""
    async with stage(tmp_path / "stage") as on:
        acme = await on.make_node("acme", *TLS)
        with pytest.raises(aiohttp.ClientError):
            await on.session.get(acme.url.replace("https:", "http:") + "/health")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(aiohttp.ClientError):
            await on.session.get(acme.url + "/health", ssl=old)
        answer = await on.session.get(acme.url + "/health", ssl=False)
        assert (answer.status, answer.headers.get("Strict-Transport-Security")) == (200, None)
        keys = on.folder / "acme" / "keys"
        assert {path.name: path.stat().st_mode & 0o777 for path in keys.iterdir()} == {
            "node.pem": 0o600,
            "tls-key.pem": 0o600,
            "tls.pem": 0o644,
        }


def asked(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A command of this installation, with these variables set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VUPDATE_")}
    return subprocess.run(
        [sys.executable, "-m", "node.cli.main", *arguments],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_the_command_line_gives_its_token_only_to_the_node_meant(tmp_path: Path) -> None:
    """On the same machine by the certificate beside the address, elsewhere by the node's id or a known authority."""
    async with stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme", *TLS), await on.make_node("globex", *TLS)
        data = str(on.folder / "acme")
        access = json.loads((on.folder / "acme" / "run" / "access.json").read_bytes())
        assert access["certificate"] == fingerprint(read_certificate(on.folder / "acme" / "keys" / "tls.pem"))
        assert asked("status", "--data", data).returncode == 0
        ids = {api.name: (await api.ask("{ node { id } }"))["node"]["id"] for api in (acme, globex)}
        token = {"VUPDATE_TOKEN": access["token"]}
        stranger = asked("status", "--url", acme.url, **token)
        assert stranger.returncode == 1
        assert "set VUPDATE_NODE_ID to the node's id" in stranger.stderr
        assert asked("status", "--url", acme.url, **token, VUPDATE_NODE_ID=ids["acme"]).returncode == 0
        other = asked("status", "--url", acme.url, **token, VUPDATE_NODE_ID=ids["globex"])
        assert other.returncode == 1
        assert "nothing was sent to it" in other.stderr
        plain = asked("status", "--url", "http://node.example:7420", **token)
        assert plain.returncode == 2
        assert "could read the token" in plain.stderr
        (on.folder / "acme" / "run" / "access.json").write_text(json.dumps({**access, "certificate": "0" * 64}))
        swapped = asked("status", "--data", data)
        assert swapped.returncode == 1
        assert "nothing was sent" in swapped.stderr


async def test_an_operators_certificate_is_served_and_its_mistakes_end_the_start(tmp_path: Path) -> None:
    """The node shows it to all; one whose key is open to others is refused with the way out."""
    async with stage(tmp_path / "stage") as on:
        acme = await on.make_node("acme", *TLS)
        await on.kill("acme")
        shown = self_made("an operator's", ["acme.example"])
        certificate, key = shown.save(tmp_path)
        config = on.folder / "acme" / "config.toml"
        document = tomlkit.parse(config.read_text())
        document.update({"tls_certificate": str(certificate), "tls_key": str(key)})
        config.write_text(tomlkit.dumps(document))
        key.chmod(0o644)
        with pytest.raises(StepError, match=r"can be read by others: run chmod 600"):
            await on.start_node("acme")
        on.processes._running.clear()
        key.chmod(0o600)
        acme = await on.start_node("acme")
        assert (await acme.ask("{ node { name } }"))["node"]["name"] == "acme"
        assert json.loads((on.folder / "acme" / "run" / "access.json").read_bytes())["certificate"] == shown.digest


async def test_a_node_told_to_stop_ends_well_with_streams_open(tmp_path: Path) -> None:
    """A follower and a page that stay connected don't turn a stop into a failure."""
    async with stage(tmp_path / "stage") as on:
        acme, globex = await on.make_node("acme", *TLS), await on.make_node("globex", *TLS)
        await on.link(acme, globex)
        await globex.until("linked", queries.PROVIDERS, lambda data: data["providers"][0]["connected"], within=20)
        process = on.processes._running.pop("acme")
        async with acme._changes() as changes:
            await anext(changes)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0

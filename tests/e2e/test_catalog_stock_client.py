"""An unmodified TUF client reads a public profile of a running node: from a root on, and without code of ours."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import Updater

from federation.manifest import SignedManifest
from node.cli.demo import queries
from node.cli.demo.api import NodeApi
from tests.support.processes import SERVICE, Sources, Stage, stage

pytestmark = pytest.mark.e2e

PUBLISH = """mutation ($name: String!, $services: [String!]!, $public: Boolean!) {
  setProfile(name: $name, services: $services, public: $public) { name } }"""


@dataclass
class Reader:
    """python-tuf's own client, as its documentation has it used."""

    folder: Path
    base: str

    def __post_init__(self) -> None:
        (self.folder / "targets").mkdir(parents=True)

    def _listing(self, bootstrap: bytes | None) -> tuple[Updater, dict[str, object]]:
        updater = Updater(
            metadata_dir=str(self.folder),
            metadata_base_url=f"{self.base}/metadata/",
            target_dir=str(self.folder / "targets"),
            target_base_url=f"{self.base}/targets/",
            bootstrap=bootstrap,
        )
        updater.refresh()
        return updater, json.loads(self._target(updater, "listing.json"))

    def _target(self, updater: Updater, path: str) -> bytes:
        info = updater.get_targetinfo(path)
        assert info is not None
        return Path(updater.download_target(info)).read_bytes()

    async def versions(self, bootstrap: bytes | None = None) -> dict[str, str]:
        """What is listed, each version checked against its manifest."""

        def read() -> dict[str, str]:
            updater, listing = self._listing(bootstrap)
            found = {}
            for entry in listing["entries"]:  # type: ignore[attr-defined]  # JSON
                content = self._target(updater, f"manifests/{entry['manifest']}.json")
                manifest = SignedManifest.from_bytes(content).manifest
                assert (manifest.image, str(manifest.version)) == (entry["image"], entry["version"])
                found[entry["service"]] = entry["version"]
            return found

        return await asyncio.to_thread(read)


async def first_root(on: Stage, api: NodeApi, profile: str) -> bytes:
    """The root that trust begins with; a real client gets it by a way it trusts."""
    address = f"{await url_of(api)}/catalogs/{profile}/metadata/1.root.json"
    async with on.session.get(address, timeout=aiohttp.ClientTimeout(total=10)) as answer:
        assert answer.status == 200
        return await answer.read()


async def url_of(api: NodeApi) -> str:
    return str((await api.ask(queries.NODE))["node"]["url"])


async def test_a_stock_client_follows_a_public_profile(tmp_path: Path) -> None:
    """It sees each new version at once, across new keys and a kill -9; a private profile is not there for it."""
    async with stage(tmp_path / "stage") as on:
        acme = await on.make_node("acme")
        sources = Sources(tmp_path / "sources", next(on.ports))
        sources.say("first")
        await acme.ask(queries.ADD_SERVICE, name=SERVICE, sources=[{"name": SERVICE, "url": str(sources.folder)}])
        await acme.ask(PUBLISH, name="open", services=[SERVICE], public=True)
        await acme.ask(PUBLISH, name="closed", services=[SERVICE], public=False)
        assert await on.build(acme) == "acme-1.0.0"

        reader = Reader(tmp_path / "reader", f"{await url_of(acme)}/catalogs/open")
        root = await first_root(on, acme, "open")
        assert await reader.versions(root) == {SERVICE: "acme-1.0.0"}

        sources.say("second")
        assert await on.build(acme) == "acme-1.0.1"
        assert await reader.versions() == {SERVICE: "acme-1.0.1"}

        data = str(tmp_path / "stage" / "acme")
        await on.processes.run("catalog", "rotate", "open", "root", "timestamp", "--data", data)
        await on.processes.run(
            "versions", "yank", SERVICE, "acme-1.0.1", "--reason", "says the wrong thing", "--data", data
        )
        assert await reader.versions() == {}
        await on.processes.run("versions", "unyank", SERVICE, "acme-1.0.1", "--data", data)
        await on.kill("acme")
        acme = await on.start_node("acme")
        assert await reader.versions() == {SERVICE: "acme-1.0.1"}

        private = Reader(tmp_path / "private", f"{await url_of(acme)}/catalogs/closed")
        with pytest.raises(DownloadHTTPError, match="404"):
            await private.versions(root)

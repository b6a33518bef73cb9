"""A stock TUF client, unmodified and over HTTP, works against a catalogue: nothing of ours is on its side."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tuf.api.exceptions import RepositoryError
from tuf.ngclient import Updater

from federation.catalog.listing import LISTING_TARGET, manifest_target
from federation.catalog.publisher import CatalogPublisher
from federation.catalog.roles import Role
from federation.clock import SystemClock
from federation.digest import Digest
from tests.support.catalogs import PROFILE, content, listing, manifest

pytestmark = pytest.mark.e2e


class Quiet(SimpleHTTPRequestHandler):
    """Plain files: what is not there is 404."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002  # the library's
        self.server.asked.append(self.path)  # type: ignore[attr-defined]


@pytest.fixture
def publisher(tmp_path: Path) -> CatalogPublisher:
    made = CatalogPublisher(tmp_path / PROFILE, SystemClock())
    made.publish(content(1))
    return made


@pytest.fixture
def server(tmp_path: Path, publisher: CatalogPublisher) -> Iterator[ThreadingHTTPServer]:
    handler = functools.partial(Quiet, directory=str(tmp_path / PROFILE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        serving.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def client(tmp_path: Path, server: ThreadingHTTPServer, root: bytes | None) -> Updater:
    """A client as its documentation says to make one."""
    folder = tmp_path / "client"
    (folder / "targets").mkdir(parents=True, exist_ok=True)
    address = f"http://127.0.0.1:{server.server_port}"
    return Updater(
        metadata_dir=str(folder),
        metadata_base_url=f"{address}/metadata/",
        target_dir=str(folder / "targets"),
        target_base_url=f"{address}/targets/",
        bootstrap=root,
    )


def fetched(updater: Updater, path: str) -> bytes:
    info = updater.get_targetinfo(path)
    assert info is not None
    return Path(updater.download_target(info)).read_bytes()


def test_a_stock_client_reads_a_catalogue(
    tmp_path: Path, publisher: CatalogPublisher, server: ThreadingHTTPServer
) -> None:
    """Its metadata and its targets, and a next root that is not there is no error."""
    updater = client(tmp_path, server, publisher.root)
    updater.refresh()
    assert fetched(updater, LISTING_TARGET) == listing(1).encode()
    assert fetched(updater, manifest_target(Digest.of(manifest(1)))) == manifest(1)
    assert updater.get_targetinfo("manifests/other.json") is None
    asked: list[str] = server.asked  # type: ignore[attr-defined]
    assert asked[0] == "/metadata/2.root.json"


def test_a_stock_client_follows_changes_of_keys_and_content(
    tmp_path: Path, publisher: CatalogPublisher, server: ThreadingHTTPServer
) -> None:
    """From its own cache of trust on."""
    client(tmp_path, server, publisher.root).refresh()
    publisher.rotate(*Role)
    publisher.publish(content(2))
    publisher.rotate(Role.ROOT)
    updater = client(tmp_path, server, None)
    updater.refresh()
    assert fetched(updater, LISTING_TARGET) == listing(2).encode()


def test_a_stock_client_refuses_what_was_altered(
    tmp_path: Path, publisher: CatalogPublisher, server: ThreadingHTTPServer
) -> None:
    """On the server's disk, here."""
    path = publisher.metadata("1.targets.json")
    path.write_bytes(path.read_bytes().replace(b"manifests/", b"manifestz/"))
    with pytest.raises(RepositoryError):
        client(tmp_path, server, publisher.root).refresh()

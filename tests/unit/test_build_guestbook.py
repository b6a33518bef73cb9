"""The example service, really built from a repository with its packages from the registry, and really run."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from build.client import ClientBuild, ClientBuilt, build_client
from build.developer import Built, DeveloperBuild, build_developer
from build.errors import BuildFailedError
from build.source import SourceRequest
from federation.names import NodeName, ServiceName
from federation.servicefile import read_service
from federation.transfer.blobs import LocalBlobs
from federation.transfer.pack import make_pack
from federation.transfer.tree import TreeSource, add_tree, write_tree
from federation.versions import ClientVersion, DeveloperVersion
from tests.support.git_repo import GitRepo

pytestmark = pytest.mark.registry

GUESTBOOK = ServiceName("guestbook")
EXAMPLES = Path(__file__).parents[2] / "examples"
RELEASES = ("1.0.0", "1.0.1", "1.0.2")
AWAY = ("No matching distribution", "Max retries exceeded", "Connection", "name resolution", "timed out")


@dataclass
class Workshop:
    """The three releases of the example, built one after the other from one repository."""

    folder: Path
    builds: dict[str, Built]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The example's releases; skipped where the package registry does not answer."""
    if shutil.which("pip3") is None:
        pytest.skip("pip3 is not installed here")
    folder = tmp_path_factory.mktemp("guestbook")
    repo = GitRepo(folder / "repo")
    builds = {}
    for release in RELEASES:
        files = EXAMPLES / "guestbook" if release == RELEASES[0] else EXAMPLES / "guestbook-releases" / release
        shutil.copytree(files, repo.folder, dirs_exist_ok=True)
        repo.commit(f"Release {release}")
        builds[release] = asyncio.run(build(folder, repo, release, f"work-{release}"))
    return Workshop(folder, builds)


async def build(folder: Path, repo: GitRepo, release: str, work: str) -> Built:
    log: list[str] = []
    request = DeveloperBuild(
        service=GUESTBOOK,
        version=DeveloperVersion(f"acme-{release}"),
        sources=(SourceRequest(name="guestbook", url=repo.url),),
        work=folder / work,
        cache=folder / "cache",
    )
    try:
        return await build_developer(request, log.append)
    except BuildFailedError:
        if any(sign in line for line in log for sign in AWAY):
            pytest.skip("the package registry does not answer")
        raise AssertionError("\n".join(log)) from None


def client(workshop: Workshop, release: str, overlay: Path, work: str) -> ClientBuilt:
    built = workshop.builds[release]
    request = ClientBuild(
        service=GUESTBOOK,
        version=ClientVersion(f"acme-{release}_1"),
        node=NodeName("globex"),
        base=built.image,
        contents=TreeSource(built.tree, built.image),
        overlays=(overlay,),
        macros={},
        work=workshop.folder / work,
    )
    return asyncio.run(build_client(request, lambda _: None))


@pytest.fixture
def port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(tree: Path) -> Iterator[subprocess.Popen[str]]:
    """The service in ``tree``, started as its service file says, by the host's own Python without any package."""
    command = read_service((tree / "vupdate.toml").read_bytes(), GUESTBOOK).run.command
    process = subprocess.Popen(
        [*command],
        cwd=tree,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin:" + os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def ask(port: int, path: str, form: dict[str, str] | None = None) -> str:
    """What the service answers, asked until it listens."""
    data = urllib.parse.urlencode(form).encode() if form else None
    for _ in range(500):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data=data, timeout=5) as answer:
                return str(answer.read().decode())
        except ConnectionError:
            continue
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            time.sleep(0.02)
    raise AssertionError("the guestbook does not listen")


def test_two_builds_of_one_commit_give_one_image(workshop: Workshop) -> None:
    """Whenever and wherever it is built, a commit of the example is the same image; only what runs is in it."""
    repo_url = workshop.builds["1.0.2"].sources[0].url
    request = DeveloperBuild(
        service=GUESTBOOK,
        version=DeveloperVersion("acme-1.0.2"),
        sources=(SourceRequest(name="guestbook", url=repo_url),),
        work=workshop.folder / "another" / "place",
        cache=workshop.folder / "another" / "cache",
    )
    again = asyncio.run(build_developer(request, lambda _: None))
    built = workshop.builds["1.0.2"]
    assert again.image.digest == built.image.digest
    top = {entry.path for entry in built.image if "/" not in entry.path}
    assert top == {"app.py", "cleaner.py", "config.toml", "lib", "pages.py", "vupdate.toml"}
    assert not any("/bin" in entry.path or entry.path.endswith((".pyc", "RECORD")) for entry in built.image)
    assert built.comment == "Release 1.0.2"


def test_it_runs_with_a_site_s_settings(workshop: Workshop, port: int) -> None:
    """Title, version and port are the site's; entries are kept; it ends at once and cleanly when asked to."""
    overlay = workshop.folder / "settings"
    shutil.copytree(EXAMPLES / "settings/globex/guestbook", overlay)
    for file in overlay.iterdir():
        file.write_text(file.read_text().replace("8101", str(port)))
    made = client(workshop, "1.0.0", overlay, "client")
    tree = workshop.folder / "installed"
    write_tree(made.image, made.contents, tree)
    assert "# shown in the browser's title" in (tree / "config.toml").read_text()
    with running(tree) as process:
        assert json.loads(ask(port, "/api/version")) == {"title": "Globex visitors' book", "version": "acme-1.0.0_1"}
        assert json.loads(ask(port, "/health")) == {"healthy": True}
        page = ask(port, "/", {"name": "Zoë", "text": "<b>hello</b>"})
        assert "Globex visitors&#x27; book" in page
        assert "acme-1.0.0_1 at globex" in page
        assert "&lt;b&gt;hello&lt;/b&gt;" in page
        assert "Zoë" in page
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert " INFO guestbook 127.0.0.1 POST / 303" in output
    assert output.endswith("INFO guestbook stopped\n")
    with running(tree):
        assert "Zoë" in ask(port, "/")


def test_the_example_s_sites_use_their_own_ports(workshop: Workshop) -> None:
    """Each site's overlay sets the port in both files that need it."""
    for site, port in (("globex", 8101), ("initech", 8102)):
        made = client(workshop, "1.0.0", EXAMPLES / "settings" / site / "guestbook", f"site-{site}")
        tree = workshop.folder / f"site-{site}-tree"
        write_tree(made.image, made.contents, tree)
        health = read_service((tree / "vupdate.toml").read_bytes(), GUESTBOOK).run.health
        assert health.http == f"http://127.0.0.1:{port}/health"
        assert f"port = {port} " in (tree / "config.toml").read_text()


def test_the_second_release_ends_a_moment_after_its_start_and_the_third_does_not(workshop: Workshop, port: int) -> None:
    """1.0.1 answers, then ends with status 3 and a traceback; 1.0.2 outlives that moment."""
    for release in ("1.0.1", "1.0.2"):
        tree = workshop.folder / f"run-{release}"
        shutil.copytree(workshop.builds[release].tree, tree)
        config = tree / "config.toml"
        config.write_text(config.read_text().replace("8080", str(port)))
        with running(tree) as process:
            assert json.loads(ask(port, "/health")) == {"healthy": True}
            if release == "1.0.1":
                output, _ = process.communicate(timeout=20)
                assert process.returncode == 3
                assert "Traceback (most recent call last):" in output
                assert "KeyError: 'spam'" in output
            else:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(timeout=1.5)


def test_an_update_moves_little(workshop: Workshop, tmp_path: Path) -> None:
    """The delta from one release to the next is under two hundredths of the whole."""
    blobs = LocalBlobs(tmp_path / "blobs")
    for built in workshop.builds.values():
        add_tree(built.tree, built.image, blobs)
    first, second, third = (workshop.builds[release].image for release in RELEASES)
    full = make_pack(base=None, image=second, source=blobs, target=tmp_path / "full")
    for base, image in ((first, second), (second, third)):
        assert make_pack(base=base, image=image, source=blobs, target=tmp_path / "delta") < 0.02 * full

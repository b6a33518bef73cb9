"""Sources and tags over a real SSH server: the key that the node keeps, the host that it knows, and nothing else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from build.credential_check import checked
from build.credentials import Credential, Reach
from build.errors import SourceDeniedError
from build.source import Checkout, SourceRequest, checkout
from build.tagging import push_tag
from tests.support.git_repo import GitRepo
from tests.support.ssh_server import SSHD, SshServer, new_key, ssh_server
from tests.unit.test_build_credentials import Kept

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(SSHD is None or os.geteuid() != 0, reason="needs sshd (openssh-server) and root"),
]


class Place:
    """Two repositories that are reached over ``server``, and checkouts of them."""

    def __init__(self, folder: Path, server: SshServer) -> None:
        self.folder = folder
        self.server = server
        self.log: list[str] = []
        self.shop, self.library = (GitRepo(folder / "group" / name) for name in ("shop", "library"))
        for repo, name in ((self.shop, "shop"), (self.library, "library")):
            repo.write("a.txt", f"{name}\n")
            repo.commit(name)

    def url(self, name: str) -> str:
        return f"{self.server.prefix}{self.folder}/group/{name}"

    def key(self, *, of: str = "", secret: bytes = b"", known_hosts: bytes | None = None) -> Credential:
        """The credential of an operator who gave the server's key, and knows its host."""
        known = self.server.known_hosts if known_hosts is None else known_hosts
        reach = Reach.read(f"{self.server.prefix}{self.folder}/group/{of}")
        return checked(reach, secret or self.server.key, known_hosts=known)

    async def check_out(self, *credentials: Credential) -> Checkout:
        number = len(list(self.folder.glob("into*")))
        return await checkout(
            SourceRequest(name="app", url=self.url("shop")),
            into=self.folder / f"into{number}",
            cache=self.folder / f"cache{number}",
            log=self.log.append,
            credentials=Kept(*credentials),
        )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    # Whoever runs the tests may have keys and known hosts of their own.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with ssh_server(tmp_path / "ssh") as server:
        yield Place(tmp_path, server)


async def test_a_key_opens_a_repository(place: Place) -> None:
    """The sources are there, and no line of the log tells of the key."""
    found = await place.check_out(place.key())
    assert (found.folder / "a.txt").read_text() == "shop\n"
    assert found.source.url == place.url("shop")
    assert not any("PRIVATE KEY" in line for line in place.log)


async def test_without_the_key_nobody_is_let_in(place: Place) -> None:
    """Nor with another one; what to do is said."""
    with pytest.raises(SourceDeniedError):
        await place.check_out()
    other = place.key(secret=new_key(place.folder / "other"))
    with pytest.raises(SourceDeniedError, match="this node is not let in; check its credentials for it"):
        await place.check_out(other)


async def test_a_host_that_is_not_the_one_known_gets_nothing(place: Place) -> None:
    """Somebody who answers in its place is found out before the key is used."""
    new_key(place.folder / "impostor")
    line = f"[127.0.0.1]:{place.server.port} {(place.folder / 'impostor.pub').read_text()}".encode()
    with pytest.raises(SourceDeniedError, match="known"):
        await place.check_out(place.key(known_hosts=line))
    assert "Accepted" not in (place.server.folder / "log").read_text()


async def test_a_submodule_under_the_same_prefix_is_fetched(place: Place) -> None:
    """And one beside it is not: the key is for what its operator said."""
    place.shop.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(place.library.folder), "lib")
    place.shop.git("config", "-f", ".gitmodules", "submodule.lib.url", place.url("library"))
    place.shop.commit("with a library")
    found = await place.check_out(place.key())
    assert (found.folder / "lib" / "a.txt").read_text() == "library\n"
    with pytest.raises(SourceDeniedError):
        await place.check_out(place.key(of="shop"))


async def test_a_tag_is_pushed(place: Place) -> None:
    """At the very commit, once."""
    key = place.key()
    found = await place.check_out(key)
    for fresh in (True, False):
        cache = place.folder / "cache0"
        pushed = await push_tag(found.source, "shop-1.0.0", cache=cache, credentials=Kept(key), log=place.log.append)
        assert pushed is fresh
    assert place.shop.git("rev-parse", "shop-1.0.0").strip() == found.source.commit

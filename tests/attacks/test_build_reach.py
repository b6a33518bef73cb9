"""A peer orders builds from where it can't reach itself: this node's loopback, inner networks, a name that moves."""

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from build.errors import SourceDeniedError, SourceUnreachableError
from build.gitrun import Git
from build.giturl import GitUrl
from build.reach import PeersReach
from build.source import Checkout, SourceRequest, checkout
from federation.names import NodeName, ServiceName
from node.model.task import TaskState
from node.model.version import DevelopedService, GitSource
from tests.support.git_repo import GitRepo
from tests.support.git_server import GitServer, serving
from tests.support.ordering import scene

NOWHERE = "git.vupdate.invalid"
"""A name that no name server knows (RFC 6761, 6.4): who connects to it was told its address."""


@contextlib.contextmanager
def inner_server(folder: Path, monkeypatch: pytest.MonkeyPatch, host: str = "localhost") -> Iterator[GitServer]:
    """A server on this machine's loopback that lets everybody in and has a repository ``shop``."""
    root = folder / "root"
    root.mkdir()
    repo = GitRepo(root / "shop")
    repo.write("a.txt", "inner\n")
    repo.commit()
    with serving(root, monkeypatch, host=host) as server:
        server.public = True
        yield server


async def ordered(folder: Path, url: str, reach: PeersReach) -> Checkout:
    """What a peer's order for ``url`` gives."""
    request = SourceRequest(name="shop", url=url)
    return await checkout(
        request, into=folder / "into", cache=folder / "cache", log=lambda _: None, trusted=False, reach=reach
    )


async def test_a_peer_s_order_does_not_reach_this_node_s_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name, its addresses and their other spellings: no connection is made, and nothing is kept."""
    with inner_server(tmp_path, monkeypatch) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        hosts = ("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::]")
        for port in (server.port, silent.getsockname()[1]):
            for host in (*hosts, "0.0.0.0", "localhost."):  # noqa: S104  # an address that is asked for
                with pytest.raises(SourceDeniedError):
                    await ordered(tmp_path, f"https://{host}:{port}/shop", PeersReach(("https://", "https://local")))
        assert server.asked == []
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert not list(tmp_path.glob("cache/git/*.git/objects/??"))
    assert not list(tmp_path.glob("into/shop/*"))


async def test_a_host_that_the_operator_named_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """He has said so in full."""
    with inner_server(tmp_path, monkeypatch) as server:
        found = await ordered(tmp_path, f"{server.url}/shop", PeersReach((f"{server.url}/",)))
        assert (found.folder / "a.txt").read_text() == "inner\n"


def taken_for_public(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Have ``addresses`` of this machine stand for servers out there, which no test may ask."""
    monkeypatch.setattr("build.reach.is_public", lambda one: one in addresses)


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("::1", "127.0.0.1")])
async def test_git_connects_to_what_was_looked_up(
    addresses: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads nowhere by now is fetched from the addresses that it had when they were looked at."""

    async def answer(host: str, port: int) -> Sequence[str]:
        return addresses if host == NOWHERE else ()

    taken_for_public(monkeypatch, *addresses)
    with inner_server(tmp_path, monkeypatch, NOWHERE) as server:
        url = f"{server.url}/shop"
        found = await ordered(tmp_path / "held", url, PeersReach(("https://",), answer))
        assert (found.folder / "a.txt").read_text() == "inner\n"
        with pytest.raises(SourceUnreachableError, match="does not answer"):
            await ordered(tmp_path / "free", url, PeersReach((f"{server.url}/",)))


async def test_a_second_answer_of_the_name_server_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is public when it is looked at, and this node itself a moment later: Git asks nobody again."""
    answers = [("127.0.0.9",), ("127.0.0.1",)]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    taken_for_public(monkeypatch, "127.0.0.9")
    # Whoever looked the name up by himself would be served: it is this machine's own.
    with inner_server(tmp_path, monkeypatch) as server:
        reach = PeersReach(("https://",), rebinding)
        with pytest.raises(SourceUnreachableError, match="does not answer"):
            await ordered(tmp_path / "first", f"{server.url}/shop", reach)
        assert len(answers) == 1
        with pytest.raises(SourceDeniedError):
            await ordered(tmp_path / "second", f"{server.url}/shop", reach)
        assert server.asked == []


async def test_a_server_sends_git_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a redirect nor by a repository that names another one to borrow from."""
    with inner_server(tmp_path, monkeypatch) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        elsewhere = f"https://127.0.0.1:{silent.getsockname()[1]}"
        server.redirects = {"/moved": f"{elsewhere}/shop"}
        bare = server.root / "dumb"
        (bare / "objects/info").mkdir(parents=True)
        (bare / "info").mkdir()
        (bare / "HEAD").write_text("ref: refs/heads/main\n")
        (bare / "config").write_text("[core]\n\tbare = true\n[http]\n\tuploadpack = false\n")
        (bare / "info/refs").write_text(f"{'1' * 40}\trefs/heads/main\n")
        (bare / "objects/info/http-alternates").write_text(f"{elsewhere}/shop/objects\n")
        for path in ("moved", "dumb"):
            with pytest.raises(Exception, match=path):
                await ordered(tmp_path / path, f"{server.url}/{path}", PeersReach((f"{server.url}/",)))
        assert any(path.startswith("/moved") for path, _ in server.asked)
        with pytest.raises(BlockingIOError):
            silent.accept()


async def test_an_old_git_that_can_t_be_held_fetches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take no notice of the addresses, so it is refused by name; what the operator named it may fetch."""

    async def public(host: str, port: int) -> Sequence[str]:
        return ("1.1.1.1",)

    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").write_text(
        f'#!/bin/sh\n[ "$1" = version ] && echo git version 2.36.6 && exit\nPATH={os.environ["PATH"]} exec git "$@"\n'
    )
    (programs / "git").chmod(0o755)
    with inner_server(tmp_path, monkeypatch) as server:
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        url = f"{server.url}/shop"
        with pytest.raises(SourceDeniedError, match=r"the builder needs git 2\.37 or newer"):
            await ordered(tmp_path / "held", url, PeersReach(("https://",), public))
        assert server.asked == []
        assert (await ordered(tmp_path / "named", url, PeersReach((f"{server.url}/",)))).source.url == url


async def test_an_order_is_refused_by_a_whole_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """globex has acme fetch from acme's own loopback: the task says what acme's operator could do, no more."""
    with inner_server(tmp_path, monkeypatch) as server:
        found = await scene(tmp_path / "nodes", "acme")
        found.builders[0].use.workshop._sources = ("https://",)
        source = GitSource(name="shop", url=f"{server.url}/shop")
        await found.globex.use.services.add(DevelopedService(name=ServiceName("inner"), sources=(source,)), who="ann")
        async with found.network.running():
            on = (NodeName("acme"),)
            task = await found.globex.use.builds.start(ServiceName("inner"), version=None, comment="", on=on, who="ann")
            ended = await found.globex.use.tasks.wait(task.id)
        assert ended.state is TaskState.FAILED
        assert f'peers_sources of [build] in config.toml, as "{server.url}/"' in ended.error
        assert server.asked == []


def test_our_own_sources_are_fetched_from_anywhere() -> None:
    """What the operator's own services are built from is his own business: nothing holds Git."""
    assert "http.curloptResolve" not in Git(GitUrl.read("https://localhost/x"), Path("/x")).environment().values()

"""Which addresses a credential is for, and how Git gets it: over TLS with a password, over SSH with a key."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from build.credentials import Credential, CredentialSource, Reach, longest
from build.errors import SourceDeniedError
from build.giturl import GitUrl
from build.presenting import presented
from build.source import Checkout, SourceRequest, checkout
from build.tagging import push_tag
from federation.errors import ExistsError, InvalidValueError, VUpdateError
from tests.support.git_repo import GitRepo
from tests.support.git_server import PASSWORD, USER, GitServer, fake_ssh, serving

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nthe key\n-----END OPENSSH PRIVATE KEY-----\n"


class Kept(CredentialSource):
    """Credentials kept nowhere."""

    def __init__(self, *credentials: Credential) -> None:
        self.credentials = credentials

    async def find(self, url: GitUrl) -> Credential | None:
        reach = longest([one.reach for one in self.credentials], url)
        return next((one for one in self.credentials if one.reach == reach), None)


def password(prefix: str, secret: str = PASSWORD) -> Credential:
    return Credential(reach=Reach.read(prefix), user=USER, secret=secret.encode())


def key(prefix: str, known_hosts: bytes = b"") -> Credential:
    return Credential(reach=Reach.read(prefix), secret=KEY.encode(), known_hosts=known_hosts)


class Place:
    """Repositories below ``root`` and checkouts of them, each into a fresh folder by a fresh cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        self.log: list[str] = []
        self.times = 0

    def repo(self, name: str) -> GitRepo:
        made = GitRepo(self.root / name)
        made.git("config", "http.receivepack", "true")
        made.write("a.txt", f"{name}\n")
        made.commit(name)
        return made

    @property
    def cache(self) -> Path:
        return self.folder / f"cache{self.times}"

    async def check_out(self, url: str, *credentials: Credential, trusted: bool = True) -> Checkout:
        self.times += 1
        request = SourceRequest(name="app", url=url)
        into = self.folder / f"into{self.times}"
        return await checkout(
            request,
            into=into,
            cache=self.cache,
            log=self.log.append,
            trusted=trusted,
            credentials=Kept(*credentials),
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def server(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    monkeypatch.setenv("HOME", str(place.folder))
    with serving(place.root, monkeypatch) as found:
        yield found


# Which addresses.


@pytest.mark.parametrize(
    ("prefix", "url", "covered"),
    [
        ("https://git.example/", "https://git.example/shop.git", True),
        ("https://git.example", "https://GIT.example/a/b", True),
        ("https://git.example:443/a/", "https://git.example/a/b", True),
        ("https://git.example/a", "https://git.example/a", True),
        ("https://git.example/a", "https://git.example/ab", False),
        ("https://git.example/a/", "https://git.example/a/../b", False),
        ("https://git.example/a/", "https://git.example/a/%2e%2e/b", False),
        ("https://git.example/a/", "https://git.example/a/%2Fetc", False),
        ("https://git.example/a/", "https://git.example/a//b", False),
        ("https://git.example/", "https://git.example:8443/a", False),
        ("https://git.example/", "https://git.example.evil/a", False),
        ("https://git.example/", "https://evil.git.example/a", False),
        ("https://git.example/", "ssh://git.example/a", False),
        ("https://git.example/", "/git.example/a", False),
        ("ssh://git@git.example/", "git@git.example:shop.git", True),
        ("ssh://git@git.example/shop/", "git@git.example:shop/app.git", True),
        ("ssh://git@git.example:22/", "ssh://git@git.example/shop.git", True),
        ("ssh://git@git.example/", "ssh://root@git.example/shop.git", False),
        ("ssh://git@git.example/", "ssh://git@git.example:2222/shop.git", False),
        ("ssh://git@git.example/", "git.example:shop.git", False),
        ("ssh://git@[::1]/", "ssh://git@[::1]/shop.git", True),
    ],
)
def test_which_addresses_a_prefix_covers(prefix: str, url: str, covered: bool) -> None:
    """Transport, user, host and port exactly; the path by whole segments; nothing that could lead out of it."""
    assert Reach.read(prefix).covers(GitUrl.read(url)) == covered


@pytest.mark.parametrize(
    "text",
    [
        "", "git.example", "http://git.example/", "file:///srv/", "https:///a", "https://bob@git.example/",
        "https://bob:secret@git.example/", "ssh://git:secret@git.example/", "https://git.example/a/../b",
        "https://git.example/?a=b", "https://git.example/#a", "https://git.example/a\nb", "https://git.example:x/",
        "ssh://-oProxyCommand=x@git.example/", "ssh://git@-host/", "https://git.example/a'b/", "https://git.example/ü",
        "ssh://git@ho$(x)st/", f"https://git.example/{'a' * 500}",
    ],
)  # fmt: skip
def test_what_is_no_prefix_is_refused(text: str) -> None:
    """And what could be a secret in it is not quoted."""
    with pytest.raises(InvalidValueError) as caught:
        Reach.read(text)
    assert "secret@" not in caught.value.message


def test_a_prefix_has_one_spelling() -> None:
    """So that two credentials never are for the same."""
    for text in ("https://git.example:443/a", "https://GIT.example/a/", "https://git.example/a"):
        assert Reach.read(text).text == "https://git.example/a/"
    assert Reach.read("ssh://git@[::1]:2222").text == "ssh://git@[::1]:2222/"


def test_the_longest_prefix_is_used() -> None:
    """That of one repository before that of its folder before that of the host."""
    reaches = [Reach.read(f"https://git.example/{path}") for path in ("", "a/b/", "a/")]
    urls = [GitUrl.read(f"https://git.example/{path}") for path in ("x", "a/x", "a/b/x", "a/b")]
    found = [one.text for url in urls if (one := longest(reaches, url))]
    assert [text.removeprefix("https://git.example/") for text in found] == ["", "a/", "a/b/", "a/b/"]
    assert longest(reaches, GitUrl.read("https://other.example/a")) is None


# Passwords.


async def test_a_password_opens_a_repository(place: Place, server: GitServer) -> None:
    """It is sent to its server only, and is not in the checkout, the cache or the log."""
    commit = place.repo("shop").git("rev-parse", "HEAD")
    found = await place.check_out(f"{server.url}/shop", password(f"{server.url}/"))
    assert found.source.commit == commit
    assert found.source.url == f"{server.url}/shop"
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not any(PASSWORD.encode() in path.read_bytes() for path in files)
    assert not any(PASSWORD in line for line in place.log)


async def test_a_wrong_password_or_none_opens_nothing(place: Place, server: GitServer) -> None:
    """The refusal says what to check."""
    place.repo("shop")
    for given in ([], [password(f"{server.url}/", "wrong-word")], [password(f"{server.url}/sho/")]):
        with pytest.raises(SourceDeniedError, match="this node is not let in; check its credentials") as caught:
            await place.check_out(f"{server.url}/shop", *given)
        assert "wrong-word" not in caught.value.message
    assert PASSWORD not in str(server.asked)


async def test_a_server_that_sends_the_secret_back_gets_it_into_no_log(place: Place, server: GitServer) -> None:
    """Neither as it is nor as it was sent."""
    server.echo = True
    with pytest.raises(VUpdateError) as caught:
        await place.check_out(f"{server.url}/shop", password(f"{server.url}/", "wrong-word"))
    told = "\n".join([caught.value.message, *place.log])
    assert "not let in: Basic ***" in told
    assert "wrong-word" not in told


async def test_a_redirect_takes_no_password_along(
    place: Place, server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the prefix it works; out of it, on the same server or to another, Git has nothing to send."""
    place.repo("group/shop")
    server.redirects = {"/group/old": f"{server.url}/group/shop", "/group/out": f"{server.url}/other/shop"}
    given = password(f"{server.url}/group/")
    assert (await place.check_out(f"{server.url}/group/old", given)).subject == "group/shop"
    with pytest.raises(SourceDeniedError):
        await place.check_out(f"{server.url}/group/out", given)
    assert not any(who for path, who in server.asked if path.startswith("/other/"))
    elsewhere = place.folder / "elsewhere"
    elsewhere.mkdir()
    with serving(elsewhere, monkeypatch, server.authority) as other:
        server.redirects = {"/group/far": f"{other.url}/shop"}
        with pytest.raises(SourceDeniedError):
            await place.check_out(f"{server.url}/group/far", given)
        assert other.asked
        assert not any(who for _, who in other.asked)


async def test_submodules_under_the_prefix_are_opened_others_not(place: Place, server: GitServer) -> None:
    """A repository can't have the password sent to where it leads."""
    shop, library = place.repo("group/shop"), place.repo("group/library")
    place.repo("other/library")
    shop.write(".gitmodules", '[submodule "lib"]\n\tpath = lib\n\turl = ../library\n')
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{library.git('rev-parse', 'HEAD')},lib")
    shop.git("add", ".gitmodules")
    shop.git("commit", "--quiet", "--message", "With a library")
    given = password(f"{server.url}/group/")
    found = await place.check_out(f"{server.url}/group/shop", given)
    assert (found.folder / "lib/a.txt").read_text() == "group/library\n"
    shop.write(".gitmodules", '[submodule "lib"]\n\tpath = lib\n\turl = ../../other/library\n')
    shop.git("add", ".gitmodules")
    shop.git("commit", "--quiet", "--message", "Of others")
    with pytest.raises(SourceDeniedError):
        await place.check_out(f"{server.url}/group/shop", given)
    assert not any(who for path, who in server.asked if path.startswith("/other/"))


async def test_no_command_line_and_no_variable_holds_it(place: Place, server: GitServer) -> None:
    """Looked at over and over while Git works."""
    place.repo("shop")
    with watched() as seen:
        await place.check_out(f"{server.url}/shop", password(f"{server.url}/"))
    assert any(b"git\0fetch" in one for one in seen)
    assert not any(PASSWORD.encode() in one for one in seen)
    assert not leftovers()


@contextlib.contextmanager
def watched() -> Iterator[set[bytes]]:
    """The command lines and environments of all processes, as they come and go."""
    seen: set[bytes] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            for folder in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        seen.add((folder / name).read_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def leftovers() -> list[Path]:
    """What is left where credentials lie for Git."""
    with presented(key("ssh://git@git.example/")) as given:
        script = Path(given.ssh.removeprefix("sh "))
    return [path for path in script.parent.parent.glob("vupdate-git-*/*") if _holds_a_secret(path)]


def _holds_a_secret(path: Path) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return PASSWORD.encode() in content or KEY.encode() in content


# Keys.


async def test_a_key_is_used_for_its_prefix_only(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a file of mode 0600 in a folder of 0700 that is gone after; the host's keys are those that were given."""
    place.repo("shop")
    ssh = fake_ssh(place.folder / "bin", place.root, monkeypatch)
    given = key("ssh://git@git.example/", known_hosts=b"git.example ssh-ed25519 AAAA\n")
    for url in ("git@git.example:shop", "ssh://git@git.example/shop"):
        assert (await place.check_out(url, given)).subject == "shop"
    assert ssh.keys == f"600\n700\n{KEY}" * 2
    for call in ssh.calls:
        assert {"-oIdentitiesOnly=yes", "-oStrictHostKeyChecking=yes", "-oBatchMode=yes"} <= set(call)
        (known,) = [word for word in call if word.startswith("-oUserKnownHostsFile=")]
        assert not Path(known.partition("=")[2]).exists()
        assert not any("BEGIN" in word for word in call)
    assert not leftovers()


async def test_without_known_hosts_those_of_the_user_count(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that nobody vouched for is refused, the first time too."""
    place.repo("shop")
    ssh = fake_ssh(place.folder / "bin", place.root, monkeypatch)
    await place.check_out("git@git.example:shop", key("ssh://git@git.example/"))
    (call,) = ssh.calls
    assert "-oStrictHostKeyChecking=yes" in call
    assert not any("KnownHostsFile" in word for word in call)


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("ssh://git@git.example/group/library", True),
        ("ssh://git@git.example/other/library", False),
        ("ssh://git@evil.example/group/library", False),
        ("ssh://root@git.example/group/library", False),
        ("ssh://git@git.example:2222/group/library", False),
        ("ssh://git@git.example/group/../other/library", False),
    ],
)
async def test_a_key_is_not_for_submodules_elsewhere(
    place: Place, monkeypatch: pytest.MonkeyPatch, url: str, used: bool
) -> None:
    """What a repository names as its submodule is fetched with the key only under the same prefix."""
    shop, library = place.repo("group/shop"), place.repo("group/library")
    place.repo("other/library")
    shop.write(".gitmodules", f'[submodule "lib"]\n\tpath = lib\n\turl = {url}\n')
    commit = library.git("rev-parse", "HEAD")
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{commit},lib")
    shop.git("add", ".gitmodules")
    shop.git("commit", "--quiet", "--message", "With a library")
    ssh = fake_ssh(place.folder / "bin", place.root, monkeypatch)
    with contextlib.suppress(VUpdateError):
        await place.check_out("ssh://git@git.example/group/shop", key("ssh://git@git.example/group/"))
    of_library = [call for call in ssh.calls if any("library" in word for word in call)]
    assert of_library
    assert all(("-i" in call) == used for call in of_library)


# Tags.


async def test_a_tag_is_pushed_once_and_never_moved(place: Place, server: GitServer) -> None:
    """At the very commit; there already at the same one is fine, also as a tag with a message; elsewhere is refused."""
    shop = place.repo("shop")
    credentials = password(f"{server.url}/")
    source = (await place.check_out(f"{server.url}/shop", credentials)).source

    async def push(tag: str) -> bool:
        return await push_tag(source, tag, cache=place.cache, credentials=Kept(credentials), log=place.log.append)

    assert await push("shop-acme-1.0.0")
    assert shop.git("rev-parse", "shop-acme-1.0.0") == source.commit
    assert shop.git("cat-file", "-t", "shop-acme-1.0.0") == "commit"
    assert not await push("shop-acme-1.0.0")
    shop.git("tag", "--annotate", "--message", "by hand", "shop-acme-1.0.1")
    assert not await push("shop-acme-1.0.1")
    shop.commit("Later")
    shop.git("tag", "shop-acme-1.0.2")
    later = shop.git("rev-parse", "HEAD")
    with pytest.raises(ExistsError, match=f"is there already, at commit {later[:12]}"):
        await push("shop-acme-1.0.2")
    assert shop.git("rev-parse", "shop-acme-1.0.2") == later


async def test_a_tag_runs_no_hook_of_a_repository_in_a_folder(place: Place) -> None:
    """Neither side's: those of the repository would be run by the node."""
    shop = place.repo("shop")
    source = (await place.check_out(shop.url)).source
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction", "pre-push"):
        hook = shop.folder / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {place.folder}/ran-{name}\n")
        hook.chmod(0o755)
    assert await push_tag(source, "v1", cache=place.cache, credentials=Kept(), log=place.log.append)
    assert shop.git("rev-parse", "v1") == source.commit
    assert list(place.folder.glob("ran-*")) == []

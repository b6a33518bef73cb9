"""Credentials for Git servers as a node keeps them, and versions built by them: their comments, their tags."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from build.credential_check import SECRET_BYTES
from build.giturl import GitUrl
from federation import limits
from federation.errors import AbsentError, CorruptError, InvalidValueError, OversizedError
from federation.names import ServiceName
from node.model.credential import CredentialKind
from node.model.desired import ListKind
from node.model.task import Task, TaskState
from node.model.version import DevelopedService, GitSource, SiteSettings, StoredVersion
from tests.support.git_repo import GitRepo
from tests.support.git_server import PASSWORD, USER, GitServer, serving
from tests.support.nodes import WHO, Member, Network

SHOP = ServiceName("shop")
PREFIX = "https://git.example/shop/"
OF_SSH = "ssh://git@git.example/"
RECIPE = (
    '[services.shop.run]\ncommand = ["./run"]\n[services.shop.build]\n'
    'commands = [ { run = ["sh", "-c", "env; mkdir out; cp run out"] } ]\ncopy = [ { from = "out" } ]\n'
)


def private_key(passphrase: bytes | None = None) -> bytes:
    form = serialization.PrivateFormat.PKCS8 if passphrase else serialization.PrivateFormat.OpenSSH
    kind = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(serialization.Encoding.PEM, form, kind)


@pytest.fixture
def acme(tmp_path: Path) -> Member:
    return Network(tmp_path).add("acme")


# Keeping them.


async def test_what_is_put_is_listed_and_removed(acme: Member) -> None:
    """With kind, user, who, when and a fingerprint; a second one for the same addresses takes the first one's place."""
    use = acme.use.credentials
    first = await use.put(PREFIX, b"first\n", user=USER, who=WHO)
    second = await use.put("https://GIT.example:443/shop", b"second", user="other", who="ann")
    of_ssh = await use.put(OF_SSH, private_key(), known_hosts=b"git.example ssh-ed25519 AAAA\n", who=WHO)
    assert await use.all() == [second, of_ssh]
    assert (second.prefix, second.kind, second.user, second.by) == (PREFIX, CredentialKind.PASSWORD, "other", "ann")
    assert (of_ssh.prefix, of_ssh.kind, of_ssh.known_hosts) == (OF_SSH, CredentialKind.KEY, True)
    assert first.fingerprint != second.fingerprint
    await use.remove(PREFIX, who=WHO)
    assert await use.all() == [of_ssh]
    with pytest.raises(AbsentError, match="keeps no credential for https:"):
        await use.remove(PREFIX, who=WHO)


@pytest.mark.parametrize(
    ("prefix", "secret", "more", "message"),
    [
        (PREFIX, b"x", {}, "HTTPS needs a user"),
        (PREFIX, b"x", {"user": "a:b"}, "without a ':'"),
        (PREFIX, b"", {"user": USER}, "one line, and not empty"),
        (PREFIX, b"a\nusername=root", {"user": USER}, "one line"),
        (PREFIX, b"\xff", {"user": USER}, "text in UTF-8"),
        (PREFIX, b"x", {"user": USER, "known_hosts": b"y"}, "HTTPS has certificates"),
        (OF_SSH, b"x", {}, "not a private key"),
        (OF_SSH, private_key(), {"user": "git"}, "part of the prefix"),
        (OF_SSH, private_key(b"word"), {}, "has a passphrase"),
        ("http://git.example/", b"x", {"user": USER}, "not the beginning of an address"),
    ],
)
async def test_what_could_not_be_used_is_refused(
    acme: Member, prefix: str, secret: bytes, more: dict[str, str | bytes], message: str
) -> None:
    """When it is put, and not when a build needs it."""
    with pytest.raises(InvalidValueError, match=message):
        await acme.use.credentials.put(prefix, secret, who=WHO, **more)  # type: ignore[arg-type]
    with pytest.raises(OversizedError):
        await acme.use.credentials.put(PREFIX, bytes(SECRET_BYTES + 1), user=USER, who=WHO)
    assert await acme.use.credentials.all() == []


async def test_only_the_key_opens_what_is_stored(acme: Member) -> None:
    """The database alone does not hold it; a record moved to another prefix, or of a lost key, gives nothing."""
    use = acme.use.credentials
    await use.put(PREFIX, PASSWORD.encode(), user=USER, who=WHO)
    url = GitUrl.read(f"{PREFIX}app")
    found = await use.find(url)
    assert found is not None
    assert (found.user, found.secret) == (USER, PASSWORD.encode())
    kept = acme.storage.collection("git_credentials", ())
    stored = await kept.get(PREFIX)
    assert stored is not None
    assert PASSWORD.encode() not in (stored.blob or b"")
    other = "https://evil.example/"
    await kept.insert(other, {**stored.body, "prefix": other}, stored.blob)
    with pytest.raises(CorruptError, match="can't be opened"):
        await use.find(GitUrl.read(f"{other}x"))
    (acme.folder / "keys/private-files.key").write_bytes(bytes(32))
    with pytest.raises(CorruptError, match="another key"):
        await use.find(url)


async def test_nothing_tells_the_secret(acme: Member) -> None:
    """Not the audit log, no log line, no list, no representation of what Git is given."""
    with capture_logs() as lines:
        await acme.use.credentials.put(PREFIX, PASSWORD.encode(), user=USER, who=WHO)
    found = await acme.use.credentials.find(GitUrl.read(f"{PREFIX}app"))
    told = [lines, await acme.use.credentials.all(), await acme.use.audit.find(first=50), found]
    assert "put-credential" in str(told)
    assert PASSWORD not in str(told)


# Builds by them.


class Shop:
    """The service shop of acme, whose source is behind a password."""

    def __init__(self, acme: Member, server: GitServer) -> None:
        self.acme = acme
        self.server = server
        self.repo = GitRepo(server.root / "shop")
        self.repo.git("config", "http.receivepack", "true")
        self.repo.write("vupdate.toml", RECIPE)
        self.repo.write("run", "#!/bin/sh\n", executable=True)
        self.repo.commit("The shop opens")
        self.url = f"{server.url}/shop"
        self.last = ""

    async def develop(self, *more: GitSource, tag: bool = False) -> None:
        sources = (GitSource(name="shop", url=self.url), *more)
        await self.acme.use.services.add(DevelopedService(name=SHOP, sources=sources, tag=tag), who=WHO)

    async def put(self) -> None:
        await self.acme.use.credentials.put(f"{self.server.url}/", PASSWORD.encode(), user=USER, who=WHO)

    async def build(self, comment: str = "") -> Task:
        begun = await self.acme.use.builds.start(SHOP, version=None, comment=comment, who=WHO)
        self.last = begun.id
        return await self.acme.use.tasks.wait(begun.id)

    async def built(self, comment: str = "") -> StoredVersion:
        task = await self.build(comment)
        assert task.state is TaskState.SUCCEEDED, task.error
        return await self.acme.use.versions.get(ListKind.DEVELOPER, SHOP, task.result)

    async def log(self) -> str:
        """Of the last build."""
        lines = await self.acme.use.tasks.log(self.last, 0, 500)
        return "\n".join(f"{one.level.value} {one.message}" for one in lines)


@pytest.fixture
async def shop(acme: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    root = tmp_path / "served"
    root.mkdir()
    monkeypatch.setenv("HOME", str(root))
    async with acme.use.tasks.running():
        with serving(root, monkeypatch) as server:
            yield Shop(acme, server)


async def test_a_build_uses_what_is_kept_and_says_nothing_of_it(shop: Shop) -> None:
    """Without it the build says what is wrong; with it neither log, manifest nor provenance hold it."""
    await shop.develop()
    failed = await shop.build()
    assert failed.state is TaskState.FAILED
    assert "check its credentials" in failed.error
    await shop.put()
    stored = await shop.built()
    (said,) = await shop.acme.use.provenances.of(*stored.developer_key)
    for told in (await shop.log(), stored.envelope.decode(), repr(said), str(await shop.acme.use.tasks.find(first=9))):
        assert PASSWORD not in told
        assert USER not in told
    shop.server.asked.clear()
    rebuilt = await shop.acme.use.rebuilds.start(*stored.developer_key, on=(), here=True, who=WHO)
    assert (await shop.acme.use.tasks.wait(rebuilt.id)).result == "the same image"
    assert any(who for _, who in shop.server.asked)


async def test_a_site_s_settings_may_be_behind_it_too(shop: Shop) -> None:
    """A client build opens the repositories of settings in the same way."""
    await shop.acme.develop(
        "shop", "acme-1.0.0", {"vupdate.toml": RECIPE.partition("[services.shop.build]")[0].encode()}
    )
    overlay = GitSource(name="site", url=shop.url)
    await shop.acme.use.services.set_site(SiteSettings(service=SHOP, overlays=(overlay,)), who=WHO)
    await shop.put()
    shop.repo.git("rm", "--quiet", "vupdate.toml")
    shop.repo.commit("Settings only")
    ended = await shop.acme.use.tasks.wait((await shop.acme.use.client_builds.start(SHOP, who=WHO)).id)
    assert ended.state is TaskState.SUCCEEDED, ended.error
    assert any(who for _, who in shop.server.asked)


async def test_a_peer_that_can_t_fetch_it_is_told_of_as_such(shop: Shop) -> None:
    """The failure says that this node's credential is for this node only."""
    await shop.put()
    hint = await shop.acme.use.credentials.hint([shop.url, "https://other.example/a", "no url"])
    assert hint.startswith(f"; this node reaches {shop.url} by a credential, which that peer is not given")
    assert await shop.acme.use.credentials.hint(["https://other.example/a"]) == ""


# Comments.


async def test_a_comment_tells_what_the_commits_since_the_last_version_say(shop: Shop, tmp_path: Path) -> None:
    """The first version: the last subject. Then each commit since, of all sources; merges say nothing of their own."""
    library = GitRepo(tmp_path / "library")
    library.commit("A library")
    await shop.put()
    await shop.develop(GitSource(name="lib", url=library.url))
    shop.repo.commit("Sells shoes")
    assert (await shop.built()).signed.manifest.comment == "Sells shoes"
    shop.repo.commit("Sells hats")
    shop.repo.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    shop.repo.commit("Sells gloves")
    shop.repo.git("checkout", "--quiet", "main")
    shop.repo.git("merge", "--quiet", "--no-ff", "--message", "Merge side", "side")
    library.commit("Faster")
    lines = (await shop.built()).signed.manifest.comment.splitlines()
    assert sorted(lines[:2]) == ["Sells gloves", "Sells hats"]
    assert lines[2:] == ["lib: Faster"]
    assert (await shop.built()).signed.manifest.comment == "Merge side"
    assert (await shop.built("As I say")).signed.manifest.comment == "As I say"


async def test_a_comment_is_bounded(shop: Shop) -> None:
    """Twenty lines, and how many more there are; never longer than a comment may be."""
    await shop.put()
    await shop.develop()
    await shop.built()
    for number in range(25):
        shop.repo.commit(f"Change {number}")
    lines = (await shop.built()).signed.manifest.comment.splitlines()
    assert (lines[0], lines[19], lines[20:]) == ("Change 24", "Change 5", ["… and 5 more"])
    for number in range(5):
        shop.repo.commit(f"{number}" + "x" * 1500)
    comment = (await shop.built()).signed.manifest.comment
    assert len(comment) <= limits.COMMENT_CHARS
    assert comment.splitlines()[-1] == "… and 3 more"


async def test_a_rewritten_history_says_its_last_subject(shop: Shop, tmp_path: Path) -> None:
    """Where the commit of the last version is not to be found any more; so does a source from elsewhere."""
    await shop.put()
    await shop.develop()
    await shop.built()
    other = GitRepo(tmp_path / "elsewhere")
    other.write("vupdate.toml", RECIPE)
    other.write("run", "#!/bin/sh\n", executable=True)
    other.commit("From elsewhere")
    shop.url = other.url
    await shop.develop()
    assert (await shop.built()).signed.manifest.comment == "From elsewhere"


# Tags.


async def test_sources_are_tagged_if_the_service_says_so(shop: Shop, tmp_path: Path) -> None:
    """Each at its commit, once the version is stored; without being told to, nothing is pushed."""
    library = GitRepo(tmp_path / "library")
    library.commit("A library")
    lib = GitSource(name="lib", url=library.url)
    await shop.put()
    await shop.develop(lib)
    await shop.built()
    assert shop.repo.git("tag") == library.git("tag") == ""
    await shop.develop(lib, tag=True)
    stored = await shop.built()
    commits = {one.name: one.commit for one in stored.signed.manifest.sources}
    for name, repo in (("shop", shop.repo), ("lib", library)):
        assert repo.git("rev-parse", f"shop-{stored.version}") == commits[name]
        assert f"info {name} is tagged as shop-{stored.version}, at {commits[name][:12]}" in await shop.log()


async def test_a_tag_that_can_t_be_pushed_fails_no_build(shop: Shop) -> None:
    """It is a warning in the log of a build that succeeded."""
    await shop.put()
    await shop.develop(tag=True)
    shop.repo.git("tag", "shop-acme-1.0.0")
    shop.repo.commit("Later")
    await shop.built()
    assert "warning shop is not tagged as shop-acme-1.0.0: the tag shop-acme-1.0.0 is there already" in await shop.log()
    shop.repo.git("config", "http.receivepack", "false")
    stored = await shop.built()
    assert f"warning shop is not tagged as shop-{stored.version}: " in await shop.log()
    assert (await shop.acme.use.desired.current(ListKind.DEVELOPER)).versions == {SHOP: stored.version}

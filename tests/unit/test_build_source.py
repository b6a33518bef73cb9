"""Checkouts of real Git repositories."""

import asyncio
from pathlib import Path

import pytest

from build.errors import SourceAbsentError, SourceError, SourceUnreachableError
from build.gitrun import Git, failure
from build.giturl import GitUrl
from build.source import Checkout, SourceRequest, checkout
from tests.support.git_repo import COMMIT_EPOCH, GitRepo


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """A repository with one commit."""
    made = GitRepo(tmp_path / "origin")
    made.write("a.txt", "first\n")
    made.write("bin/tool", "#!/bin/sh\n", executable=True)
    made.commit("First")
    return made


class Workplace:
    """Checks out again and again, each time into a fresh folder, by one cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        self.times = 0

    async def check_out(self, url: str, ref: str = "HEAD", directory: str = "", name: str = "app") -> Checkout:
        self.times += 1
        request = SourceRequest(name=name, url=url, ref=ref, directory=directory)
        into = self.folder / f"into{self.times}"
        return await checkout(request, into=into, cache=self.folder / "cache", log=self.log.append)


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    """Where this test checks out."""
    return Workplace(tmp_path)


async def test_a_checkout_is_the_commit_and_says_which(repo: GitRepo, work: Workplace) -> None:
    """The files are there with their modes, and commit, subject and time are known."""
    commit = repo.git("rev-parse", "HEAD")
    found = await work.check_out(repo.url)
    assert (found.source.name, found.source.url, found.source.commit) == ("app", repo.url, commit)
    assert (found.subject, found.epoch) == ("First", COMMIT_EPOCH)
    assert (found.folder / "a.txt").read_text() == "first\n"
    assert (found.folder / "bin/tool").stat().st_mode & 0o100
    assert f"app: {repo.url} at {commit[:12]}: First" in work.log


async def test_branch_tag_and_commit(repo: GitRepo, work: Workplace) -> None:
    """A ref is a branch, a tag (also one with a message) or a commit, whole or short."""
    first = repo.git("rev-parse", "HEAD")
    repo.git("tag", "--annotate", "--message", "one", "v1")
    repo.git("checkout", "--quiet", "-b", "feature/x")
    repo.write("a.txt", "second\n")
    second = repo.commit("Second")
    for ref, commit in {"main": first, "v1": first, "feature/x": second, first: first, second[:9]: second}.items():
        assert (await work.check_out(repo.url, ref)).source.commit == commit


async def test_a_second_checkout_sees_what_changed(repo: GitRepo, work: Workplace) -> None:
    """A branch that moved, was rewritten, or went, is as it is now; the work tree is clean each time."""
    await work.check_out(repo.url, "main")
    repo.write("a.txt", "second\n")
    second = repo.commit("Second")
    found = await work.check_out(repo.url, "main")
    assert found.source.commit == second
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.write("a.txt", "other\n")
    other = repo.commit("Other")
    assert (await work.check_out(repo.url)).source.commit == other
    repo.git("branch", "--quiet", "-m", "main", "main/deeper")
    assert (await work.check_out(repo.url)).source.commit == other
    with pytest.raises(SourceAbsentError, match="has no branch, tag or commit 'main'"):
        await work.check_out(repo.url, "main")


async def test_a_known_commit_needs_no_server(repo: GitRepo, work: Workplace, tmp_path: Path) -> None:
    """A commit that is already in the cache is built also when the repository is away."""
    commit = (await work.check_out(repo.url)).source.commit
    repo.folder.rename(tmp_path / "gone")
    assert (await work.check_out(repo.url, commit)).source.commit == commit
    with pytest.raises(SourceAbsentError):
        await work.check_out(repo.url, "main")


async def test_a_commit_on_no_branch_is_found(repo: GitRepo, work: Workplace) -> None:
    """A commit that only its hash leads to is fetched by it."""
    repo.write("a.txt", "lost\n")
    lost = repo.commit("Lost")
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    assert (await work.check_out(repo.url, lost)).source.commit == lost


async def test_what_is_absent_is_named(repo: GitRepo, work: Workplace, tmp_path: Path) -> None:
    """A repository, a ref, a commit, a folder that isn't there: each is told apart."""
    with pytest.raises(SourceAbsentError, match="nowhere: there is no such repository"):
        await work.check_out(str(tmp_path / "nowhere"))
    with pytest.raises(SourceAbsentError, match="has no branch, tag or commit 'v9'"):
        await work.check_out(repo.url, "v9")
    with pytest.raises(SourceAbsentError, match="has no such commit"):
        await work.check_out(repo.url, "0" * 40)
    with pytest.raises(SourceAbsentError, match="has no folder 'docs' at"):
        await work.check_out(repo.url, directory="docs")
    GitRepo(tmp_path / "empty")
    with pytest.raises(SourceAbsentError, match="has no such commit"):
        await work.check_out(str(tmp_path / "empty"))


async def test_a_directory_is_the_root_of_the_build(repo: GitRepo, work: Workplace) -> None:
    """With a sub-directory, the build works in it."""
    found = await work.check_out(repo.url, directory="bin")
    assert [path.name for path in found.folder.iterdir()] == ["tool"]


async def test_submodules_come_along(repo: GitRepo, work: Workplace, tmp_path: Path) -> None:
    """A submodule is checked out at its recorded commit."""
    library = GitRepo(tmp_path / "library")
    library.write("lib.txt", "library\n")
    library.commit("Library")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../library", "vendor/library")
    repo.commit("With a library")
    library.write("lib.txt", "newer\n")
    library.commit("Newer")
    found = await work.check_out(repo.url)
    assert (found.folder / "vendor/library/lib.txt").read_text() == "library\n"


async def test_two_checkouts_at_once_share_the_cache(repo: GitRepo, work: Workplace) -> None:
    """Builds of the same repository side by side wait for each other's fetch and both succeed."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work.check_out(repo.url)) for _ in range(2)]
    assert len({task.result().source.commit for task in tasks}) == 1


async def test_what_a_killed_fetch_left_is_no_obstacle(repo: GitRepo, work: Workplace) -> None:
    """A lock file of a git that was killed does not block the next build."""
    await work.check_out(repo.url)
    (bare,) = (work.folder / "cache/git").glob("*.git")
    (bare / "packed-refs.lock").touch()
    (bare / "refs/heads/main.lock").touch()
    repo.write("a.txt", "second\n")
    second = repo.commit("Second")
    assert (await work.check_out(repo.url)).source.commit == second


async def test_a_host_s_git_settings_don_t_matter(
    repo: GitRepo, work: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Variables and configuration of who started the node don't change a checkout."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    config = tmp_path / "gitconfig"
    config.write_text("[core]\n\tautocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    found = await work.check_out(repo.url)
    assert (found.folder / "a.txt").read_bytes() == b"first\n"


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("fatal: unable to access 'https://a/': Could not resolve host: a", SourceUnreachableError),
        ("fatal: unable to access 'https://a/': Failed to connect to a port 443", SourceUnreachableError),
        ("ssh: connect to host a port 22: Connection refused", SourceUnreachableError),
        ("remote: Repository not found.\nfatal: repository 'https://a/' not found", SourceAbsentError),
        ("fatal: something new", SourceError),
        ("", SourceError),
    ],
)
def test_failures_are_told_apart(output: str, kind: type[Exception]) -> None:
    """Absent, unreachable and denied are three different things."""
    assert type(failure("https://a/", "fetch", output)) is kind


def test_what_git_gets() -> None:
    """Git asks nobody, reads no configuration of the host, uses the allowed transports, and alone has the secret."""
    host = {"PATH": "/usr/bin", "VUPDATE_TOKEN": "node", "GIT_DIR": "/x", "SSH_AUTH_SOCK": "/agent"}
    env = Git(GitUrl.read("https://bob:secret@example.org/a"), Path("/mark"), host).environment()
    assert env["GIT_ALLOW_PROTOCOL"] == "https:ssh"
    assert (env["GIT_TERMINAL_PROMPT"], env["GIT_CONFIG_GLOBAL"], env["GIT_CONFIG_NOSYSTEM"]) == ("0", "/dev/null", "1")
    assert env["SSH_AUTH_SOCK"] == "/agent"
    assert not {"VUPDATE_TOKEN", "GIT_DIR"} & env.keys()
    pairs = {env[f"GIT_CONFIG_KEY_{n}"]: env[f"GIT_CONFIG_VALUE_{n}"] for n in range(int(env["GIT_CONFIG_COUNT"]))}
    assert pairs["http.https://example.org/.extraHeader"].startswith("Authorization: Basic ")
    local = Git(GitUrl.read("/srv/a"), Path("/mark"), host).environment()
    assert local["GIT_ALLOW_PROTOCOL"] == "file:https:ssh"
    assert not any("extraHeader" in value for value in local.values())


async def test_an_unreachable_server_is_told(work: Workplace, unused_port: int) -> None:
    """A server that does not answer is an error of its own, which says where."""
    with pytest.raises(SourceUnreachableError, match=f"https://127.0.0.1:{unused_port}/a: its server does not answer"):
        await work.check_out(f"https://bob:secret@127.0.0.1:{unused_port}/a")
    assert not any("secret" in line for line in work.log)


@pytest.fixture
def unused_port() -> int:
    """A port that nothing listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""What a Git server's branches and tags are at: asked without a fetch, whatever the server answers."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.credentials import Credential, CredentialSource, Reach, longest
from build.errors import SourceAbsentError, SourceDeniedError, SourceError, SourceUnreachableError
from build.giturl import GitUrl
from build.remote import Answer, asked_names, remote_commit
from tests.support.git_repo import GitRepo
from tests.support.git_server import PASSWORD, USER, serving

A, B = "a" * 40, "b" * 40


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo(tmp_path / "site")
    repo.write("app.toml", "x = 1\n")
    repo.commit()
    return repo


class Kept(CredentialSource):
    """One credential."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def find(self, url: GitUrl) -> Credential | None:
        return self._credential if longest([self._credential.reach], url) else None


def fake_git(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program ``git`` that does ``script`` whatever it is asked."""
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


async def test_a_name_is_what_a_checkout_would_take(repo: GitRepo, tmp_path: Path) -> None:
    """HEAD, a branch, a tag with a comment, a full name; a branch before a tag of the same name."""
    first = repo.git("rev-parse", "HEAD")
    repo.git("tag", "--annotate", "v1", "--message", "first")
    repo.git("tag", "twice")
    repo.git("branch", "other/main")
    second = repo.commit("second")
    repo.git("branch", "twice")
    work = tmp_path / "work"
    for ref, commit in (
        ("HEAD", second),
        ("main", second),
        ("v1", first),
        ("refs/tags/v1", first),
        ("refs/heads/other/main", first),
        ("twice", second),
    ):
        assert await remote_commit(repo.url, ref, work=work) == commit
    assert list(work.iterdir()) == []


async def test_a_commit_is_not_asked_for(repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't move; nor can a short one that is no name there."""
    assert await remote_commit(repo.url, "abcdef1", work=tmp_path / "work") is None
    fake_git(tmp_path / "bin", "exit 1", monkeypatch)
    assert await remote_commit(repo.url, A, work=tmp_path / "work") is None


async def test_what_can_not_be_asked_says_why(repo: GitRepo, tmp_path: Path) -> None:
    """No such branch, no such repository, a transport that runs programs."""
    work = tmp_path / "work"
    with pytest.raises(SourceAbsentError, match="no branch or tag 'nowhere'"):
        await remote_commit(repo.url, "nowhere", work=work)
    with pytest.raises(SourceAbsentError, match="no such repository"):
        await remote_commit(str(tmp_path / "none"), "HEAD", work=work)
    for url, ref in (("ext::sh -c id", "HEAD"), (repo.url, "--upload-pack=id"), (repo.url, "a*b")):
        with pytest.raises(SourceError):
            await remote_commit(url, ref, work=work)
    with pytest.raises(SourceUnreachableError, match="does not answer"):
        await remote_commit("https://127.0.0.1:1/site", "HEAD", work=work)
    assert list(work.iterdir()) == []


async def test_a_credential_is_used_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server lets in by it; a server that sends it back does not get it into the error."""
    repo = GitRepo(tmp_path / "served" / "site")
    commit = repo.commit()
    with serving(tmp_path / "served", monkeypatch) as server:
        url, reach = f"{server.url}/site", Reach.read(f"{server.url}/")
        right = Kept(Credential(reach=reach, user=USER, secret=PASSWORD.encode()))
        assert await remote_commit(url, "main", work=tmp_path / "work", credentials=right) == commit
        assert ("/site/info/refs?service=git-upload-pack", f"{USER}:{PASSWORD}") in server.asked
        with pytest.raises(SourceDeniedError):
            await remote_commit(url, "main", work=tmp_path / "work")
        server.echo, wrong = True, Kept(Credential(reach=reach, user=USER, secret=b"wr0ng-secret"))
        with pytest.raises(SourceDeniedError) as caught:
            await remote_commit(url, "main", work=tmp_path / "work", credentials=wrong)
        assert "wr0ng-secret" not in str(caught.value)


async def test_a_flood_of_references_is_read_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand lines, one endless line, bytes that are no text: what was asked for is found, or nothing."""
    flood = f"printf '{A}\\trefs/heads/main\\n'; yes '{B}\trefs/heads/x/refs/heads/main' | head -n 100000"
    fake_git(tmp_path / "one", flood, monkeypatch)
    assert await remote_commit("/srv/site", "main", work=tmp_path / "work") == A
    fake_git(tmp_path / "two", "head -c 20000000 /dev/zero | tr '\\0' a; printf '\\n\\377\\376\\t\\n'", monkeypatch)
    with pytest.raises(SourceAbsentError):
        await remote_commit("/srv/site", "main", work=tmp_path / "work")


async def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its processes end with the question, and so does its folder."""
    mark = tmp_path / "pid"
    fake_git(tmp_path / "bin", f"echo $$ > {mark}; exec sleep 300", monkeypatch)
    with pytest.raises(SourceUnreachableError, match="did not answer within"):
        await remote_commit("/srv/site", "main", work=tmp_path / "work", ask_seconds=0.5)
    assert not Path("/proc", mark.read_text().strip()).exists()
    assert list((tmp_path / "work").iterdir()) == []


async def test_memory_of_git_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git keeps all that a server lists in memory: it is started with a limit."""
    told, programs = tmp_path / "limit", tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(f"#!/bin/sh\nulimit -v > {told}\nexit 255\n")
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with pytest.raises(SourceError):
        await remote_commit("ssh://git@git.example/site", "main", work=tmp_path / "work")
    assert re.fullmatch(r"[0-9]{6,8}\n", told.read_text())


NAMES = st.sampled_from(["HEAD", "main", "v1", "refs/heads/main", "a/b"])
LINES = st.one_of(
    st.text(max_size=60),
    st.tuples(st.sampled_from([A, B, "c" * 39, "C" * 40, "d" * 64]), NAMES.map(lambda ref: asked_names(ref)[-1])).map(
        "\t".join
    ),
)


@given(ref=NAMES, lines=st.lists(LINES, max_size=30))
def test_only_a_whole_commit_of_a_name_that_was_asked_for_counts(ref: str, lines: list[str]) -> None:
    """Whatever comes, and in whatever order: the first name that has one wins, with the first that was said of it."""
    names, answer = asked_names(ref), Answer(asked_names(ref))
    for line in lines:
        answer(line)
    said = [line.split("\t") for line in lines if re.fullmatch(r"[0-9a-f]{40}\t[^\t]+", line)]
    expected = [commit for name in names for commit, told in said if told == name]
    assert answer.commit == (expected[0] if expected else None)

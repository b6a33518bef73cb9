"""Reads the references and commits of a local Git repository, by GitPython. Blocks; talks to nobody outside."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from build.output import plain_line

if TYPE_CHECKING:
    from git import Repo

HEAD: Final = "refs/vupdate/head"
"""Where the cache keeps what ``HEAD`` of the other side was at the last fetch."""

_HASH = re.compile(r"[0-9a-f]{7,40}", re.ASCII)
_TAG_CHAIN: Final = 5
_COUNTED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit: the first line of its comment, and its time in seconds since 1970."""

    sha: str
    subject: str
    epoch: int


@contextlib.contextmanager
def _repository(folder: Path) -> Iterator["Repo"]:
    """The repository in ``folder``; the program that reads its objects ends with the block."""
    from git import Repo

    repo = Repo(folder, expand_vars=False)
    try:
        yield repo
    finally:
        repo.close()


def resolve(folder: Path, ref: str) -> str | None:
    """The commit that ``ref`` is: a branch before a tag before a commit; ``None`` if it is none of them."""
    with _repository(folder) as repo:
        if ref == "HEAD":
            return _of_reference(repo, HEAD)
        names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
        found = (_of_reference(repo, name) for name in names)
        return next((commit for commit in found if commit), None) or _of_hash(repo, ref)


def _of_reference(repo: "Repo", name: str) -> str | None:
    from git.refs import SymbolicReference

    try:
        return _peeled(repo, SymbolicReference.dereference_recursive(repo, name))
    except ValueError:
        return None


def _of_hash(repo: "Repo", text: str) -> str | None:
    from git.exc import ODBError

    if not _HASH.fullmatch(text):
        return None
    try:
        return _peeled(repo, repo.odb.partial_to_complete_sha_hex(text).hex())
    except ODBError:
        return None


def _peeled(repo: "Repo", sha: str | None) -> str | None:
    """The commit that ``sha`` is, or that the tag ``sha`` is for."""
    from git.exc import ODBError
    from git.objects import Commit, Object, TagObject

    try:
        found = Object.new_from_sha(repo, bytes.fromhex(sha or ""))
        for _ in range(_TAG_CHAIN):
            if not isinstance(found, TagObject):
                break
            found = found.object
    except (ODBError, ValueError):
        return None
    return found.hexsha if isinstance(found, Commit) else None


def read_commit(folder: Path, sha: str) -> Commit:
    """The commit ``sha``."""
    with _repository(folder) as repo:
        found = repo.commit(sha)
        return Commit(sha=sha, subject=_subject(found.summary), epoch=int(found.committed_date))


def subjects_since(folder: Path, old: str, new: str, most: int) -> tuple[list[str], int] | None:
    """The subjects of the commits that ``new`` has and ``old`` has not, newest first, and how many there are.

    At most ``most`` of them; merges are left out. ``None``: ``old`` is not known here, or what led to it is damaged.
    """
    from git.exc import GitCommandError

    with _repository(folder) as repo:
        if _peeled(repo, old) != old:
            return None
        words = ["--topo-order", "--no-merges", f"--max-count={_COUNTED}", f"{old}..{new}", "--"]
        try:
            found = repo.git.rev_list(*words).split()
        except GitCommandError:
            return None
        return [_subject(repo.commit(sha).summary) for sha in found[:most]], len(found)


def _subject(summary: str | bytes) -> str:
    return plain_line(summary if isinstance(summary, bytes) else summary.encode())

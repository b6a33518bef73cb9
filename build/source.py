"""Gets the sources of a build: a clean checkout of a Git repository at a commit that is known and recorded.

One bare repository per URL is kept in the cache and only fetched into, so that a second build moves what is new. The
checkout borrows its objects. Decides nothing about what is built from it.
"""

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from build.credentials import NO_CREDENTIALS, CredentialSource
from build.errors import SourceAbsentError, SourceError, SourceUnreachableError
from build.gitrun import Git
from build.giturl import GitUrl, checked_directory, checked_name, checked_ref
from build.process import Log
from build.reach import ONLY_PUBLIC, PeersReach
from build.repository import HEAD, read_commit, resolve
from build.threads import in_thread
from federation.digest import Digest
from federation.manifest import Source

LOCK_SECONDS: Final = 1800.0
_LOCK_LOOK_SECONDS: Final = 1.0

_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """A Git repository to check out: the name of its folder, its URL, a branch, tag or commit, a folder inside it."""

    name: str
    url: str
    ref: str = "HEAD"
    directory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A source as it was checked out. ``folder`` is the sub-directory asked for; ``epoch`` the time of the commit.

    ``lender``: the repository in the cache that its objects are borrowed from.
    """

    source: Source
    folder: Path
    subject: str
    epoch: int
    lender: Path


async def checkout(
    request: SourceRequest,
    *,
    into: Path,
    cache: Path,
    log: Log,
    trusted: bool = True,
    credentials: CredentialSource = NO_CREDENTIALS,
    reach: PeersReach = ONLY_PUBLIC,
) -> Checkout:
    """Check ``request`` out below ``into``, by way of the repositories in ``cache``.

    ``trusted``: whether it is our own operator's; another's can't use our keys and has no submodules. ``credentials``:
    those of whoever the build is for; of another's never our own. ``reach``: from where another's is fetched.

    Raises:
        SourceError: the request is not of a form that is allowed.
        CorruptError: the credential that is kept for it can't be opened.
        SourceAbsentError, SourceDeniedError, SourceUnreachableError: as they say.
    """
    url, ref = GitUrl.read(request.url), checked_ref(request.ref)
    target = into / checked_name(request.name)
    directory = checked_directory(request.directory)
    git = Git(url, target, trusted=trusted)
    pin = "" if trusted else await reach.pin(request.url)
    online = replace(git, pin=pin, credential=await credentials.find(url))
    bare = kept_in(cache, url)
    bare.parent.mkdir(parents=True, exist_ok=True)
    async with _locked(bare.with_suffix(".lock")):
        await _prepare(git, bare, log)
        commit = await _fetch(online, bare, ref, log)
    await _check_out(git, bare, target, commit, log)
    await _fetch_submodules(online, target, log)
    found = await in_thread(lambda _: read_commit(bare, commit))
    log(f"{request.name}: {url.plain} at {commit[:12]}: {found.subject}")
    folder = await in_thread(lambda _: _inside(target, directory))
    if folder is None:
        raise SourceAbsentError(f"{url.plain} has no folder {directory!r} at {commit[:12]}")
    source = Source(name=request.name, url=url.plain, commit=commit)
    return Checkout(source=source, folder=folder, subject=found.subject, epoch=found.epoch, lender=bare.resolve())


async def fetch(source: Source, *, cache: Path, credentials: CredentialSource, log: Log) -> None:
    """Have the commit of ``source``, a repository of our own operator's, in ``cache``.

    Raises:
        SourceError, SourceAbsentError, SourceDeniedError, SourceUnreachableError: as they say.
        CorruptError: the credential that is kept for it can't be opened.
    """
    url = GitUrl.read(source.url)
    bare = kept_in(cache, url)
    git = Git(url, bare)
    bare.parent.mkdir(parents=True, exist_ok=True)
    async with _locked(bare.with_suffix(".lock")):
        await _prepare(git, bare, log)
        await _fetch(replace(git, credential=await credentials.find(url)), bare, checked_ref(source.commit), log)


def kept_in(cache: Path, url: GitUrl) -> Path:
    """Where ``cache`` keeps the repository at ``url``."""
    return cache / "git" / f"{Digest.of(url.plain.encode())[:40]}.git"


def _inside(root: Path, relative: str) -> Path | None:
    """The folder ``relative`` of ``root``; ``None`` if there is none, or a link leads out of it."""
    folder = (root / relative).resolve()
    return folder if folder.is_dir() and folder.is_relative_to(root.resolve()) else None


@contextlib.asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock file ``path``, against other builds of this and of other processes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        async with asyncio.timeout(LOCK_SECONDS):
            while not _try_lock(descriptor):  # noqa: ASYNC110  # another process may hold it: nothing tells when it ends
                await asyncio.sleep(_LOCK_LOOK_SECONDS)
        yield
    except TimeoutError as error:
        raise SourceUnreachableError("another build is fetching the same repository for too long") from error
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _prepare(git: Git, bare: Path, log: Log) -> None:
    """Make the bare repository, whole or not at all, and free of what a killed ``git`` left locked."""
    fresh = bare.with_suffix(".new")
    if await in_thread(lambda _: _is_ready(bare, fresh)):
        return
    await git.run(["init", "--quiet", "--bare", "--template=", os.fspath(fresh)], folder=bare.parent, log=log)
    await in_thread(lambda _: fresh.replace(bare))


def _is_ready(bare: Path, fresh: Path) -> bool:
    if not bare.is_dir():
        shutil.rmtree(fresh, ignore_errors=True)
        return False
    for lock in (*bare.glob("*.lock"), *bare.glob("refs/**/*.lock")):
        lock.unlink(missing_ok=True)
    return True


async def _fetch(git: Git, bare: Path, ref: str, log: Log) -> str:
    """Bring the cache up to date; return the commit that ``ref`` is now."""
    if _COMMIT.fullmatch(ref) and (await in_thread(lambda _: resolve(bare, ref))) == ref:
        return ref
    log(f"fetching {git.url.plain}")
    wanted = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    if ref == "HEAD":
        wanted.append(f"+HEAD:{HEAD}")
    words = ["fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--"]
    await git.run([*words, git.url.plain, *wanted], folder=bare, log=log)
    commit = await in_thread(lambda _: resolve(bare, ref))
    if commit is None and _COMMIT.fullmatch(ref):
        await git.run([*words, git.url.plain, f"+{ref}:refs/vupdate/{ref}"], folder=bare, log=log)
        commit = await in_thread(lambda _: resolve(bare, ref))
    if commit is None:
        raise SourceAbsentError(f"{git.url.plain} has no branch, tag or commit {ref!r}")
    return commit


async def _check_out(git: Git, bare: Path, target: Path, commit: str, log: Log) -> None:
    """Put the files of ``commit`` into the fresh folder ``target``, which borrows its objects from ``bare``."""
    await in_thread(lambda _: target.mkdir(parents=True))
    await git.run(["init", "--quiet", "--template=", "."], folder=target, log=log)
    await in_thread(lambda _: _borrow(target, bare))
    await git.run(["checkout", "--quiet", "--force", "--detach", commit], folder=target, log=log)


async def _fetch_submodules(git: Git, target: Path, log: Log) -> None:
    if not await in_thread(lambda _: (target / ".gitmodules").is_file()):
        return
    if not git.trusted:
        raise SourceError(f"{git.url.plain} has submodules: they are not fetched for a peer, who could name any URL")
    log("fetching submodules")
    await git.run(["config", "remote.origin.url", git.url.plain], folder=target, log=log)
    await git.run(["submodule", "--quiet", "update", "--init", "--recursive"], folder=target, log=log)


def _borrow(target: Path, bare: Path) -> None:
    lender = target / ".git" / "objects" / "info" / "alternates"
    lender.parent.mkdir(parents=True, exist_ok=True)
    lender.write_bytes(os.fsencode(bare.resolve() / "objects") + b"\n")

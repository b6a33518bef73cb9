"""Asks a Git server for the commit that a branch or tag is at, and fetches nothing.

The same name means the same commit as in ``build.source``: a branch before a tag before a commit. A commit stays what
it is, so nobody is asked for it.
"""

import asyncio
import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from build.credentials import NO_CREDENTIALS, CredentialSource
from build.errors import SourceAbsentError, SourceUnreachableError
from build.gitrun import Git
from build.giturl import GitUrl, checked_ref
from federation.units import write_seconds

ASK_SECONDS: Final = 60.0
_MEMORY_KIB: Final = 4 * 1024 * 1024
# Git holds all that the other side lists in memory before it looks for what was asked: its own limit ends that.
_ALIAS: Final = f"alias.ask=!ulimit -v {_MEMORY_KIB} 2>/dev/null; exec git ls-remote --quiet"
_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,40}", re.ASCII)


class Answer:
    """Keeps of the lines that come only those that answer what was asked, however many and of whatever form."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._found: dict[str, str] = {}

    def __call__(self, line: str) -> None:
        commit, _, name = line.partition("\t")
        if name in self._names and _COMMIT.fullmatch(commit):
            self._found.setdefault(name, commit)

    @property
    def commit(self) -> str | None:
        """The commit of the first name that the other side has."""
        return next((self._found[name] for name in self._names if name in self._found), None)


def asked_names(ref: str) -> tuple[str, ...]:
    """The names by which a server may have ``ref``, the one that counts first; ``^{}``: the commit behind a tag."""
    if ref == "HEAD":
        return ("HEAD",)
    if ref.startswith("refs/"):
        return f"{ref}^{{}}", ref
    return f"refs/heads/{ref}", f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}"


async def remote_commit(
    url: str,
    ref: str,
    *,
    work: Path,
    credentials: CredentialSource = NO_CREDENTIALS,
    ask_seconds: float = ASK_SECONDS,
) -> str | None:
    """The commit that ``ref`` of the operator's own repository at ``url`` is at; ``None``: ``ref`` can't move.

    ``work``: where an empty folder may lie meanwhile.

    Raises:
        SourceError: the request is not of a form that is allowed, or Git failed.
        CorruptError: the credential that is kept for it can't be opened.
        SourceAbsentError, SourceDeniedError, SourceUnreachableError: as they say.
    """
    place, name = GitUrl.read(url), checked_ref(ref)
    if _COMMIT.fullmatch(name):
        return None
    answer = Answer(asked_names(name))
    credential = await credentials.find(place)
    with _empty_folder(work) as folder:
        git = Git(place, folder, credential=credential)
        words = ["-c", _ALIAS, "ask", "--", place.plain, *asked_names(name)]
        try:
            async with asyncio.timeout(ask_seconds):
                await git.run(words, folder=folder, log=answer)
        except TimeoutError as error:
            told = f"{place.plain}: its server did not answer within {write_seconds(ask_seconds)}"
            raise SourceUnreachableError(told) from error
    if answer.commit is None and not _SHORT_COMMIT.fullmatch(name):
        raise SourceAbsentError(f"{place.plain} has no branch or tag {name!r}")
    return answer.commit


@contextlib.contextmanager
def _empty_folder(work: Path) -> Iterator[Path]:
    """A folder for as long as the block runs; blocks for it alone, so no cancel comes between its making and end."""
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ask-", dir=work, ignore_cleanup_errors=True) as folder:
        yield Path(folder)

"""Tags the commit that a version was built from, in the repository that it came from.

A lightweight tag: it needs no author, and says which commit it was, as the signed manifest says all else. It is pushed
from the cache of the node without being made there. A tag of the same name that is there already is never moved.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

from build.credentials import CredentialSource
from build.gitrun import Git
from build.giturl import GitUrl, checked_ref
from build.process import Log
from build.source import kept_in
from federation.errors import ExistsError
from federation.manifest import Source

_NO_HOOKS: Final = "git -c core.hooksPath=/dev/null receive-pack"
"""For a repository in a folder, whose hooks would be run by the node."""


async def push_tag(source: Source, tag: str, *, cache: Path, credentials: CredentialSource, log: Log) -> bool:
    """Tag ``source`` as ``tag``; whether that was yet to be done.

    Raises:
        ExistsError: the tag is there, at another commit.
        SourceError, SourceAbsentError, SourceDeniedError, SourceUnreachableError: it can't be pushed.
        CorruptError: the credential that is kept for it can't be opened.
    """
    url, name = GitUrl.read(source.url), f"refs/tags/{checked_ref(tag)}"
    bare = kept_in(cache, url)
    git = replace(Git(url, bare), credential=await credentials.find(url))
    present = await _present(git, bare, name)
    if present == source.commit:
        return False
    if present is not None:
        raise ExistsError(f"the tag {tag} is there already, at commit {present[:12]}: it is not moved")
    words = ["push", "--quiet", "--no-verify", "--no-follow-tags"]
    if url.local:
        words.append(f"--receive-pack={_NO_HOOKS}")
    await git.run([*words, "--", url.plain, f"{source.commit}:{name}"], folder=bare, log=log)
    return True


async def _present(git: Git, bare: Path, name: str) -> str | None:
    """The commit at which the tag is on the other side; ``None``: there is none."""
    lines: list[str] = []
    await git.run(["ls-remote", "--quiet", "--", git.url.plain, name, f"{name}^{{}}"], folder=bare, log=lines.append)
    parts = (line.partition("\t") for line in lines)
    found = {ref: commit for commit, _, ref in parts if ref.startswith(name)}
    return found.get(f"{name}^{{}}", found.get(name))

"""A real Git repository in a folder, for tests that build from one."""

import os
import subprocess
from pathlib import Path

_NOBODY = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}

COMMIT_EPOCH = 1767323045
"""The time of each commit in seconds since 1970."""


class GitRepo:
    """A repository whose files are written and committed from a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--template=", "--initial-branch=main")

    @property
    def url(self) -> str:
        return str(self.folder)

    def git(self, *words: str) -> str:
        """What ``git`` with ``words`` prints."""
        done = subprocess.run(["git", *words], cwd=self.folder, env=_NOBODY, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, path: str, content: str | bytes, *, executable: bool = False) -> None:
        """Write a file of the work tree."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(0o755 if executable else 0o644)

    def commit(self, subject: str = "A change") -> str:
        """Commit all that the work tree holds; return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")

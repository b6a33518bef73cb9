"""What the demo works with: the guestbook's Git repository with its releases, and each site's settings repository."""

import shutil
from pathlib import Path
from typing import Final

import git
import tomlkit

from node.cli.demo.api import StepError

_AUTHOR: Final = git.Actor("Demo developer", "developer@acme.example")


def examples_folder() -> Path:
    """Where the examples are: inside the installed package, or in the checkout.

    Raises:
        StepError: neither has them.
    """
    package = Path(__file__).parents[2]
    for folder in (package / "examples_data", package.parent / "examples"):
        if (folder / "guestbook" / "vupdate.toml").is_file():
            return folder
    raise StepError("the demo's examples are missing from this installation: install vUpdate again")


def _commit_all(repository: git.Repo, message: str) -> str:
    repository.git.add(all=True)
    return repository.index.commit(message, author=_AUTHOR, committer=_AUTHOR).hexsha


class Guestbook:
    """The developer's repository of the guestbook service."""

    def __init__(self, folder: Path, examples: Path) -> None:
        self.folder = folder
        self._releases = examples / "guestbook-releases"
        shutil.copytree(examples / "guestbook", folder, ignore=shutil.ignore_patterns("__pycache__", "lib"))
        self._repository = git.Repo.init(folder, initial_branch="main")
        self.commit = _commit_all(self._repository, "Guestbook: the first release")

    def release(self, number: str, message: str) -> str:
        """Commit the files of release ``number`` over the present ones; the new commit."""
        shutil.copytree(self._releases / number, self.folder, dirs_exist_ok=True)
        self.commit = _commit_all(self._repository, message)
        return self.commit


class Settings:
    """A site's settings repository: the example's overlay, moved to a port that is free on this machine."""

    def __init__(self, folder: Path, examples: Path, *, site: str, port: int) -> None:
        self.folder = folder
        shutil.copytree(examples / "settings" / site, folder)
        config = folder / "guestbook" / "config.toml"
        overlay = tomlkit.parse(config.read_text(encoding="utf-8"))
        self.title = str(overlay["title"])
        overlay["server"] = {"port": port}
        config.write_text(tomlkit.dumps(overlay), encoding="utf-8")
        self._move_health_check(port)
        _commit_all(git.Repo.init(folder, initial_branch="main"), f"Settings of {site}")

    def _move_health_check(self, port: int) -> None:
        service = self.folder / "guestbook" / "vupdate.toml"
        service.write_text(
            tomlkit.dumps(
                {"services": {"guestbook": {"run": {"health": {"http": f"http://127.0.0.1:{port}/health"}}}}}
            ),
            encoding="utf-8",
        )

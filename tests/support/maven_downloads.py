"""What a build by Maven downloads, had from the repository that the user's own builds have filled."""

import os
import shutil
import subprocess
from pathlib import Path
from xml.sax.saxutils import escape

_SECONDS = 300
# It stands in for each server under the name that Maven knows: downloads are only used where that one is asked.
_SETTINGS = (
    "<settings><mirrors><mirror><id>central</id><mirrorOf>*</mirrorOf><url>{}</url></mirror></mirrors></settings>"
)
_MISSING = ("Could not find artifact", "could not be resolved", "Non-resolvable")


def downloads_of(project: Path, *, own: Path, work: Path) -> Path | None:
    """A repository with just what ``mvn package`` needs for ``project``; ``None``: the user's ``own`` lacks some of it.

    Raises:
        AssertionError: the build fails for another reason.
    """
    if not own.is_dir():
        return None
    repository, settings = work / "repository", work / "settings.xml"
    shutil.copytree(project, work / "project")
    settings.write_text(_SETTINGS.format(escape(own.as_uri())))
    done = subprocess.run(
        ["mvn", "--batch-mode", "--quiet", "--settings", str(settings), f"-Dmaven.repo.local={repository}", "package"],
        cwd=work / "project",
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode == 0:
        return repository
    assert any(sign in done.stdout for sign in _MISSING), done.stdout[-4000:]
    return None

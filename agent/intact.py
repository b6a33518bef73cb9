"""Finds which files of an installed version are no longer as they were signed: a bad disk, or a hand. Blocking."""

import itertools
import os
import stat
from pathlib import Path
from typing import Final

from federation.digest import Digest
from federation.image import Entry, Image, Kind

_READ_BYTES: Final = 1024 * 1024


def damaged(tree: Path, image: Image, most: int) -> tuple[str, ...]:
    """The first ``most`` paths of ``image`` that are missing in ``tree``, of another kind, or hold something else.

    What stands there beside the image is not looked at: services write where they run. A link to a folder is as good
    as the folder, since ``data`` puts one there.
    """
    return tuple(itertools.islice((entry.path for entry in image if not _stands(tree / entry.path, entry)), most))


def _stands(path: Path, entry: Entry) -> bool:
    """Whether ``entry`` is at ``path``; what can't be read is not."""
    try:
        if entry.kind is Kind.DIRECTORY:
            return path.is_dir()
        if entry.kind is Kind.LINK:
            return path.is_symlink() and str(path.readlink()) == entry.target
        return _holds(path, entry)
    except OSError:
        return False


def _holds(path: Path, entry: Entry) -> bool:
    # Neither follows a link nor waits for a pipe that a service put there.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        found = os.fstat(descriptor)
        is_executable = bool(found.st_mode & stat.S_IXUSR)
        if not stat.S_ISREG(found.st_mode) or found.st_size != entry.size:
            return False
        if is_executable != (entry.kind is Kind.EXECUTABLE):
            return False
        return Digest.of_chunks(iter(lambda: file.read(_READ_BYTES), b"")) == entry.digest

"""Puts the files that a recipe names under ``faults.files`` aside with the fault they belong to: moved, never copied.

Only plain files that a service made itself are moved, out of its version's tree: never what the image brought, never
through a link, and within bounds. What is too large stays where it is, and is named. Blocking.
"""

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from federation import limits

MOST_FILES: Final = limits.FAULT_FILES
MOST_BYTES: Final = 2048 * limits.MIB
_MOST_LOOKED_AT: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Paths below the version's tree: of what was moved, and of what was left because of the bounds."""

    moved: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def _matches(path: str, patterns: Collection[str]) -> bool:
    """A pattern without a slash is meant for the name of a file, wherever it lies."""
    name = path.rpartition("/")[2]
    return any(fnmatchcase(path if "/" in pattern else name, pattern) for pattern in patterns)


def _made_here(tree: Path, of_image: Collection[str]) -> Iterator[tuple[str, os.stat_result]]:
    """The plain files below ``tree`` that are not of the image, with what the file system says of each."""
    looked_at = 0
    for folder, folders, names in os.walk(tree, followlinks=False):
        folders.sort()
        for name in sorted(names):
            looked_at += 1
            if looked_at > _MOST_LOOKED_AT:
                return
            path = Path(folder, name)
            relative = path.relative_to(tree).as_posix()
            found = path.lstat()
            if stat.S_ISREG(found.st_mode) and relative not in of_image:
                yield relative, found


def gather(tree: Path, patterns: Collection[str], of_image: Collection[str], target: Path) -> Evidence:
    """Move what matches ``patterns`` from ``tree`` to the same paths below ``target``, on the same file system.

    Raises:
        OSError: the rest stays where it is.
    """
    moved: list[str] = []
    left: list[str] = []
    room = MOST_BYTES
    if not patterns:
        return Evidence()
    for path, found in list(_made_here(tree, of_image)):
        if not _matches(path, patterns):
            continue
        if len(moved) >= MOST_FILES or found.st_size > room:
            left.append(path)
            continue
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        (tree / path).rename(place)
        moved.append(path)
        room -= found.st_size
    return Evidence(moved=tuple(moved), left=tuple(left[:MOST_FILES]))

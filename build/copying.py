"""Copies what a recipe's rules name from the build's folder into a fresh tree.

First decides what goes where, then writes: so a rule that would write through a link that another rule copied is seen
before anything is written. Links are copied as links and never followed out of the build's folder.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from build.errors import BuildFailedError
from build.globs import fixed_part, is_glob, matches
from build.recipe import CopyRule
from build.threads import Halt
from federation import limits
from federation.errors import InvalidValueError
from federation.files import explained_disk_errors
from federation.image import checked_path

ALWAYS_LEFT_OUT: Final = ".git"


@dataclass(frozen=True, slots=True)
class Plan:
    """What stands at each path of the tree to be, and the paths whose macros a client build fills in."""

    files: dict[str, Path]
    expand: tuple[str, ...]


def plan_copies(root: Path, rules: Sequence[CopyRule], halt: Halt) -> Plan:
    """What ``rules`` take from ``root``; of two rules for one path the later one counts.

    Raises:
        BuildFailedError: a rule that finds nothing, leads out of ``root`` or clashes with another.
    """
    files: dict[str, Path] = {}
    expand: set[str] = set()
    for rule in rules:
        found = dict(_found(root.resolve(), rule, halt))
        if not found:
            raise BuildFailedError(f"copy from {rule.source!r} finds no file: does the build make it?")
        files |= {_joined(rule.target, path): place for path, place in found.items()}
        named = [path for path in found if rule.expand and matches(path, rule.expand)]
        if rule.expand and not named:
            raise BuildFailedError(f"copy from {rule.source!r}: expand = {list(rule.expand)} matches none of its files")
        expand |= {_joined(rule.target, path) for path in named}
    if len(files) > limits.IMAGE_ENTRIES:
        raise BuildFailedError(f"the copy rules take more than {limits.IMAGE_ENTRIES} files")
    _check_clashes(files)
    return Plan(files, tuple(sorted(path for path in expand if not files[path].is_symlink())))


def carry_out(plan: Plan, tree: Path, halt: Halt) -> None:
    """Write what ``plan`` says into the fresh folder ``tree``.

    Raises:
        BuildFailedError: something that is neither a file nor a link.
        DiskFullError: no room.
    """
    with explained_disk_errors(tree):
        for path, source in plan.files.items():
            halt.check()
            target = tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, target, path)


def _copy(source: Path, target: Path, path: str) -> None:
    mode = source.lstat().st_mode
    if stat.S_ISLNK(mode):
        target.symlink_to(source.readlink())
    elif stat.S_ISREG(mode):
        shutil.copyfile(source, target, follow_symlinks=False)
        target.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
    else:
        raise BuildFailedError(f"{path!r} is neither a file nor a link and can't be part of an image")


def _joined(folder: str, path: str) -> str:
    return path if folder == "." else f"{folder}/{path}"


def _check_clashes(files: dict[str, Path]) -> None:
    for path in files:
        try:
            checked_path(path)
        except InvalidValueError as error:
            raise BuildFailedError(f"a file can't be part of an image: {error}") from error
        parent = path.rpartition("/")[0]
        while parent:
            if parent in files:
                raise BuildFailedError(f"copy rules clash: {parent!r} would be a file and hold {path!r}")
            parent = parent.rpartition("/")[0]


def _found(root: Path, rule: CopyRule, halt: Halt) -> Iterator[tuple[str, Path]]:
    """The files of ``rule``, by their paths below its target."""
    base = fixed_part(rule.source) if is_glob(rule.source) else rule.source
    if ALWAYS_LEFT_OUT in base.split("/"):
        return
    place = _resolved(root, base)
    if place.is_dir():
        inner = rule.source[len(base) :].lstrip("/") if is_glob(rule.source) else "**"
        for path, file in _walk(place, halt):
            if _matches_from_here(path, inner) and not matches(path, rule.excluded):
                yield path, file
    elif place.exists() and not matches(place.name, rule.excluded):
        yield Path(rule.source).name, place


def _matches_from_here(path: str, pattern: str) -> bool:
    """Whether ``pattern``, read from the folder that ``path`` is below, covers it: ``*.py`` is for that folder only."""
    return matches(f"_/{path}", [f"_/{pattern}"])


def _resolved(root: Path, relative: str) -> Path:
    place = (root / relative).resolve()
    if not place.is_relative_to(root):
        raise BuildFailedError(f"copy from {relative!r} leads out of the build's folder by a link")
    return place


def _walk(folder: Path, halt: Halt) -> Iterator[tuple[str, Path]]:
    """All files and links below ``folder`` in order; what Git keeps for itself is left out."""
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        halt.check()
        links = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = sorted(name for name in folders if name != ALWAYS_LEFT_OUT and name not in links)
        for name in sorted([*names, *links]):
            if name != ALWAYS_LEFT_OUT:
                place = Path(parent, name)
                yield place.relative_to(folder).as_posix(), place


def _refuse(error: OSError) -> None:
    raise BuildFailedError(f"a folder of the build can't be read: {error}") from error

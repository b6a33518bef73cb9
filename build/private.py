"""Private files: secrets that a node keeps, placed into an image after all else of it was made.

A build's commands never see them, no copy rule takes them and no macro is filled in in them: they are written last, as
they are. An image knows no owners and no mode but that of plain files (0644), so whoever may read the folder of an
installed version may read them.

Where they come from and where they go:

- in a developer version, what the recipe names by ``private = [ { name, to } ]``, and nothing else;
- in a client version, what the site put with the place where it goes (``--into``), besides what the base has.

One file is for one of the two, so a recipe can't reach what a site put for itself. Of either the content is never part
of a log line or of an error; paths and names are.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from build.errors import BuildFailedError
from build.threads import Halt
from federation.errors import InvalidValueError
from federation.image import checked_path
from federation.names import PrivateFileName, ServiceName
from federation.service import FILE_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateRule:
    """That the private file ``name`` stands at ``target`` in the image."""

    name: PrivateFileName
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivatePart:
    """A private file of a site: where it stands in the image, its content, and what tells it from another content.

    ``fingerprint``: keyed, as the digest of a small secret would let it be guessed.
    """

    target: str
    fingerprint: str
    content: bytes = field(repr=False)


class PrivateSource(Protocol):
    """The private files of one service that a recipe may name."""

    async def missing(self, wanted: frozenset[PrivateFileName]) -> frozenset[PrivateFileName]:
        """Those of ``wanted`` that there are not."""
        ...

    async def read(self, name: PrivateFileName) -> bytes:
        """The content of one.

        Raises:
            AbsentError: there is none of this name.
            CorruptError: what is kept of it can't be opened.
        """
        ...


class NoPrivateFiles(PrivateSource):
    """A node that keeps none."""

    async def missing(self, wanted: frozenset[PrivateFileName]) -> frozenset[PrivateFileName]:
        return wanted

    async def read(self, name: PrivateFileName) -> bytes:
        raise BuildFailedError(f"this node keeps no private file {name!r}")


NO_PRIVATE_FILES: Final = NoPrivateFiles()


def private_target(text: str) -> str:
    """``text`` if a private file can stand there in an image.

    Raises:
        InvalidValueError: not a plain path inside it, or that of the service file.
    """
    if checked_path(text) == FILE_NAME:
        raise InvalidValueError(f"{FILE_NAME} is the service file, which vUpdate writes: no private file can be there")
    return text


def clash_of(targets: Sequence[str]) -> str | None:
    """What is wrong with ``targets`` taken together, if anything: one given twice, or one inside another."""
    known = set(targets)
    for target in targets:
        if targets.count(target) > 1:
            return f"two private files are to stand at {target!r}"
        parent = target.rpartition("/")[0]
        while parent:
            if parent in known:
                return f"private files clash: {parent!r} would be a file and hold {target!r}"
            parent = parent.rpartition("/")[0]
    return None


async def check_present(service: ServiceName, rules: Iterable[PrivateRule], source: PrivateSource) -> None:
    """Let a build go on if ``source`` has all that ``rules`` name: better said before the commands than after them.

    Raises:
        BuildFailedError: it has not.
    """
    named = frozenset(rule.name for rule in rules)
    missing = sorted(await source.missing(named)) if named else []
    if missing:
        put = "; ".join(f"vupdate service secret put {service} {name} FILE" for name in missing)
        raise BuildFailedError(
            f"the recipe names private files that this node does not keep for {service}: put them here with: {put}"
        )


async def contents_of(rules: Iterable[PrivateRule], source: PrivateSource) -> dict[str, bytes]:
    """The content that stands at each path of the image, by ``rules``.

    Raises:
        AbsentError, CorruptError: it can't be had.
    """
    return {rule.target: await source.read(rule.name) for rule in rules}


def write_private(tree: Path, contents: Mapping[str, bytes], expand: Iterable[str], halt: Halt) -> None:
    """Write ``contents`` into ``tree``, in place of what stands there; never through a link.

    ``expand``: the files in which macros are filled in later.

    Raises:
        BuildFailedError: a folder stands there, a folder is needed where none is, or macros would be filled in.
    """
    expanded = sorted(contents.keys() & set(expand))
    if expanded:
        raise BuildFailedError(f"macros are never filled in in private files: take {', '.join(expanded)} out of expand")
    for path, content in contents.items():
        halt.check()
        _make_room(tree, path)
        # 0600 holds for the build's folder only: an image knows the modes of plain files.
        descriptor = os.open(tree / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def _make_room(tree: Path, path: str) -> None:
    place = tree
    for part in path.split("/")[:-1]:
        place /= part
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise BuildFailedError(
                f"private file {path!r}: {place.relative_to(tree)} is a file or a link in the image, not a folder"
            )
        place.mkdir(exist_ok=True)
    target = tree / path
    if target.is_dir() and not target.is_symlink():
        raise BuildFailedError(f"private file {path!r}: a folder of the image stands there")
    target.unlink(missing_ok=True)

"""The files of a site's settings: what each means for the image that they are laid over, and in which order.

Decides by names alone: ``x.defines`` gives macro values, ``x.toml.2`` is a second overlay of ``x.toml``, a file of a
format that merges is merged, any other is added or replaces. What the merge gives is for ``client`` to say.
"""

import enum
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from build.copying import ALWAYS_LEFT_OUT
from build.errors import OverlayError
from build.overlay import is_mergeable
from build.threads import Halt
from federation import codec
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.image import Image, Kind, checked_path
from federation.names import NodeName

FILES: Final = 10_000
FILE_BYTES: Final = 1024 * 1024 * 1024

_NUMBERED = re.compile(r"(.+)\.([0-9]{1,4})", re.ASCII)
_DEFINES: Final = ".defines"


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A file of an overlay: its path there, where it lies, what it is, its content's digest and size."""

    path: str
    place: Path
    kind: Kind
    digest: Digest
    size: int

    def read(self) -> bytes:
        """Its content, as it was when it was listed.

        Raises:
            OverlayError: it was changed since.
        """
        content = self.place.read_bytes()
        if Digest.of(content) != self.digest:
            raise OverlayError(f"{self.path}: was changed while it was read; build again")
        return content


class Use(enum.Enum):
    """What an overlay's file is for."""

    MERGE = enum.auto()
    DEFINE = enum.auto()
    PUT = enum.auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do to the file ``target`` of the image."""

    use: Use
    target: str
    file: SettingsFile


def list_overlay(folder: Path, halt: Halt) -> tuple[SettingsFile, ...]:
    """The files of one overlay, by path; links and what Git keeps for itself are no part of it.

    Raises:
        OverlayError: not a folder, too many files, one too large, or something that is not a file.
    """
    if not folder.is_dir():
        raise OverlayError(f"the overlay {folder.name!r} is not a folder")
    found: list[SettingsFile] = []
    for place in _files(folder, halt):
        if len(found) >= FILES:
            raise OverlayError(f"the overlay {folder.name!r} has more than {FILES} files")
        found.append(_file(place, place.relative_to(folder).as_posix()))
    return tuple(sorted(found, key=lambda file: file.path))


def _files(folder: Path, halt: Halt) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        halt.check()
        for name in [*names, *(name for name in folders if Path(parent, name).is_symlink())]:
            if name != ALWAYS_LEFT_OUT:
                yield Path(parent, name)
        folders[:] = [name for name in folders if name != ALWAYS_LEFT_OUT]


def _file(place: Path, path: str) -> SettingsFile:
    status = place.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise OverlayError(f"{path}: an overlay holds plain files only, no links or devices")
    if status.st_size > FILE_BYTES:
        raise OverlayError(f"{path}: larger than {FILE_BYTES} bytes")
    try:
        checked_path(path)
    except InvalidValueError as error:
        raise OverlayError(f"an overlay's file has a name that can't be used: {error}") from error
    with place.open("rb") as file:
        digest = Digest.of_chunks(iter(lambda: file.read(1 << 20), b""))
    return SettingsFile(
        path, place, Kind.EXECUTABLE if status.st_mode & stat.S_IXUSR else Kind.FILE, digest, status.st_size
    )


def overlay_digest(
    overlays: Sequence[Sequence[SettingsFile]],
    *,
    node: NodeName,
    macros: Mapping[str, str],
    private: Mapping[str, str] | None = None,
) -> Digest:
    """The digest of all that a site adds to a base: equal for equal settings, wherever they lie.

    ``private``: the keyed fingerprint of each private file, by its path in the image.
    """
    added: dict[str, object] = {
        "format": "vupdate-overlay-1",
        "node": node,
        "overlays": [[[file.path, file.kind.value, file.digest] for file in files] for files in overlays],
        "macros": sorted(macros.items()),
    }
    if private:
        added["private"] = sorted(private.items())
    return Digest.of(codec.encode(added))


def steps(overlays: Sequence[Sequence[SettingsFile]], base: Image) -> list[Step]:
    """What the overlays do to ``base``: one overlay after the other, in each the numbered files by their numbers."""
    found: list[Step] = []
    for files in overlays:
        found += [step for _, step in sorted((_ordered(file, base) for file in files), key=lambda pair: pair[0])]
    return found


def _ordered(file: SettingsFile, base: Image) -> tuple[tuple[str, int], Step]:
    path, number = file.path, 0
    match = _NUMBERED.fullmatch(path)
    if match and path not in base.by_path and _has_meaning(match[1]):
        path, number = match[1], int(match[2])
    if path.endswith(_DEFINES) and path not in base.by_path and path.rpartition("/")[2] != _DEFINES:
        return (path, number), Step(Use.DEFINE, path.removesuffix(_DEFINES), file)
    return (path, number), Step(Use.MERGE if is_mergeable(path) else Use.PUT, path, file)


def _has_meaning(path: str) -> bool:
    return is_mergeable(path) or path.endswith(_DEFINES)

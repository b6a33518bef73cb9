"""What stands between the commands of a build and the machine: nothing but their environment, or a sandbox. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The folders that a build may write, as this process sees them.

    ``sources``: its checkouts; ``cache``: package downloads that outlive it.
    """

    sources: Path
    home: Path
    temporary: Path
    cache: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A program to run: its command line, its folder, and all of its environment.

    ``wired``: whether it has to be given a network of its own, by ``slirp``.
    """

    words: tuple[str, ...]
    folder: Path
    env: Mapping[str, str]
    wired: bool = False


class Walls(Protocol):
    """How one build is closed in."""

    @property
    def told(self) -> str:
        """What a build's log and provenance say of it."""
        ...

    def seen(self, path: Path) -> Path:
        """``path``, in one of the build's rooms, as its commands see it."""
        ...

    def search_path(self, path: str) -> str:
        """Of the folders in ``path`` (``PATH``), those that commands can reach."""
        ...

    def call(self, call: Call) -> Call:
        """What to run so that ``call``, in a folder of the build's rooms, is run inside."""
        ...


class NoWalls:
    """Commands are plain processes of the node's user: for sources that are trusted like the node itself."""

    told = "process"

    def seen(self, path: Path) -> Path:
        return path

    def search_path(self, path: str) -> str:
        return path

    def call(self, call: Call) -> Call:
        return call


NO_WALLS: Final = NoWalls()

"""The files of a pack store: which are there, which was used last, and which go when the budget is spent.

Each file bears the SHA-256 of its bytes in its name, so what was promised under it is never another one.
Not safe for threads by itself: the store holds its lock around each call.
"""

import os
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.clock import Clock
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.files import sync_directory

HANDED_OUT_SECONDS: Final = 60.0
"""A pack is not removed for so long after it was handed out: time for its reader to open it."""

_SUFFIX: Final = ".pack"
_NO_BASE: Final = "full"


@dataclass(frozen=True, slots=True)
class Pair:
    """What a pack starts from (nothing if None), and what it brings."""

    base: Digest | None
    image: Digest

    def file_name(self, digest: Digest) -> str:
        """The name of its file, when the pack's own SHA-256 is ``digest``."""
        return f"{self._stem}_{digest}{_SUFFIX}"

    @property
    def _stem(self) -> str:
        return f"{self.base or _NO_BASE}_{self.image}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A pack that is here: its bytes, and their SHA-256."""

    size: int
    digest: Digest


def _of_file(name: str) -> tuple[Pair, Digest | None]:
    """What stands in the file called ``name``; no digest: a name that earlier versions gave.

    Raises:
        InvalidValueError: no name of a pack.
    """
    base, image, *rest = name.removesuffix(_SUFFIX).split("_")
    pair = Pair(None if base == _NO_BASE else Digest(base), Digest(image))
    return pair, Digest("_".join(rest)) if rest else None


class PackShelf:
    """Packs in ``folder``, of which at most ``budget_bytes`` are kept; use is remembered across starts."""

    def __init__(self, folder: Path, budget_bytes: int, clock: Clock) -> None:
        self._folder = folder
        self._budget = budget_bytes
        self._clock = clock
        self._kept: OrderedDict[Pair, Kept] = OrderedDict()
        self._handed_out: dict[Pair, float] = {}
        self._replaced: dict[Path, float] = {}
        self._unchecked: set[Pair] = set()
        folder.mkdir(parents=True, exist_ok=True)
        self._take_stock()

    def _take_stock(self) -> None:
        """Least lately used first; what was half made when the power went is removed, a stranger's file left alone."""
        found: list[tuple[int, Pair, Kept]] = []
        for path in self._folder.iterdir():
            if path.name.startswith(".") and path.name.endswith(".tmp"):
                path.unlink()
                continue
            try:
                pair, digest = _of_file(path.name)
            except (InvalidValueError, ValueError):
                continue
            about = path.stat()
            if digest is None:
                path.unlink()
            else:
                found.append((about.st_mtime_ns, pair, Kept(about.st_size, digest)))
        self._unchecked.update(pair for _, pair, _ in found)
        for _, pair, kept in sorted(found, key=lambda entry: entry[0]):
            if pair in self._kept:  # a better one came, and the power went before this one could go
                self._path(pair, self._kept[pair]).unlink(missing_ok=True)
            self._kept[pair] = kept

    def new_path(self) -> Path:
        """Where a pack may be written before it is put here; removed at the next start."""
        return self._folder / f".making-{uuid.uuid4().hex}.tmp"

    def _path(self, pair: Pair, kept: Kept) -> Path:
        return self._folder / pair.file_name(kept.digest)

    def size(self, pair: Pair) -> int | None:
        """The bytes of the pack, or None if it is not here."""
        kept = self._kept.get(pair)
        return None if kept is None else kept.size

    def unchecked(self, pair: Pair) -> tuple[Path, Kept] | None:
        """The pack and its file if it was found at the start, and nobody has said since that it is ``intact``."""
        kept = self._kept.get(pair)
        return None if kept is None or pair not in self._unchecked else (self._path(pair, kept), kept)

    def intact(self, pair: Pair) -> None:
        """The file of the pack holds what its name says."""
        self._unchecked.discard(pair)

    def put(self, pair: Pair, made: Path, kept: Kept) -> None:
        """A pack was written to the file ``made``, which this takes; others may have to go for it."""
        before = self._kept.get(pair)
        made.replace(self._path(pair, kept))
        sync_directory(self._folder)
        if before is not None and before.digest != kept.digest:
            self._replaced[self._path(pair, before)] = self._clock.monotonic()
        self._kept[pair] = kept
        self._kept.move_to_end(pair)
        self._unchecked.discard(pair)
        self._make_room(keep=pair)

    def hand_out(self, pair: Pair) -> tuple[Path, Kept] | None:
        """Somebody is about to open the pack: its file, or None if it is not here, or not known to be intact."""
        kept = self._kept.get(pair)
        if kept is None or pair in self._unchecked:
            return None
        path = self._path(pair, kept)
        try:
            os.utime(path)
        except FileNotFoundError:  # removed by hand
            del self._kept[pair]
            return None
        self._kept.move_to_end(pair)
        self._handed_out[pair] = self._clock.monotonic()
        self._make_room(keep=pair)
        return path, kept

    def remove(self, pair: Pair) -> None:
        """The pack is of no use."""
        self._unchecked.discard(pair)
        kept = self._kept.pop(pair, None)
        self._handed_out.pop(pair, None)
        if kept is not None:
            self._path(pair, kept).unlink(missing_ok=True)

    def _make_room(self, keep: Pair) -> None:
        self._remove_replaced()
        over = sum(kept.size for kept in self._kept.values()) - self._budget
        for pair, kept in list(self._kept.items()):
            if over <= 0:
                return
            if pair != keep and not self._in_use(pair):
                self.remove(pair)
                over -= kept.size

    def _remove_replaced(self) -> None:
        """Remove what a better pack stands in for, once nobody can be about to open it."""
        for path, since in list(self._replaced.items()):
            if self._clock.monotonic() - since >= HANDED_OUT_SECONDS:
                path.unlink(missing_ok=True)
                del self._replaced[path]

    def _in_use(self, pair: Pair) -> bool:
        since = self._handed_out.get(pair)
        return since is not None and self._clock.monotonic() - since < HANDED_OUT_SECONDS

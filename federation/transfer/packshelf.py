"""The files of a pack store: which are there, which was used last, and which go when the budget is spent.

Not safe for threads by itself: the store holds its lock around each call.
"""

import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from federation.clock import Clock
from federation.digest import Digest
from federation.errors import InvalidValueError

HANDED_OUT_SECONDS: Final = 60.0
"""A pack is not removed for so long after it was handed out: time for its reader to open it."""

_SUFFIX: Final = ".pack"
_NO_BASE: Final = "full"


@dataclass(frozen=True, slots=True)
class Pair:
    """What a pack starts from (nothing if None), and what it brings."""

    base: Digest | None
    image: Digest

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"{self.base or _NO_BASE}_{self.image}{_SUFFIX}"

    @classmethod
    def of_file(cls, name: str) -> Self:
        """The pair whose file is called ``name``.

        Raises:
            InvalidValueError: no name of a pack.
        """
        base, _, image = name.removesuffix(_SUFFIX).partition("_")
        return cls(None if base == _NO_BASE else Digest(base), Digest(image))


class PackShelf:
    """Packs in ``folder``, of which at most ``budget_bytes`` are kept; use is remembered across starts."""

    def __init__(self, folder: Path, budget_bytes: int, clock: Clock) -> None:
        self._folder = folder
        self._budget = budget_bytes
        self._clock = clock
        self._sizes: OrderedDict[Pair, int] = OrderedDict()
        self._handed_out: dict[Pair, float] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._take_stock()

    def _take_stock(self) -> None:
        """Least lately used first; what was half made when the power went is removed, a stranger's file left alone."""
        found: list[tuple[int, Pair, int]] = []
        for path in self._folder.iterdir():
            if path.name.startswith(".") and path.name.endswith(".tmp"):
                path.unlink()
                continue
            try:
                pair = Pair.of_file(path.name)
            except InvalidValueError:
                continue
            about = path.stat()
            found.append((about.st_mtime_ns, pair, about.st_size))
        for _, pair, size in sorted(found, key=lambda entry: entry[0]):
            self._sizes[pair] = size

    def path(self, pair: Pair) -> Path:
        """Where the pack of ``pair`` lies, or would."""
        return self._folder / pair.file_name

    def size(self, pair: Pair) -> int | None:
        """The bytes of the pack, or None if it is not here."""
        return self._sizes.get(pair)

    def put(self, pair: Pair, size: int) -> None:
        """A pack was written to its path; others may have to go for it."""
        self._sizes[pair] = size
        self._sizes.move_to_end(pair)
        self._make_room(keep=pair)

    def hand_out(self, pair: Pair) -> int | None:
        """Somebody is about to open the pack: its bytes, or None if it is not here."""
        if pair not in self._sizes:
            return None
        try:
            os.utime(self.path(pair))
        except FileNotFoundError:  # removed by hand
            del self._sizes[pair]
            return None
        self._sizes.move_to_end(pair)
        self._handed_out[pair] = self._clock.monotonic()
        self._make_room(keep=pair)
        return self._sizes[pair]

    def remove(self, pair: Pair) -> None:
        """The pack is of no use."""
        self._sizes.pop(pair, None)
        self._handed_out.pop(pair, None)
        self.path(pair).unlink(missing_ok=True)

    def _make_room(self, keep: Pair) -> None:
        over = sum(self._sizes.values()) - self._budget
        for pair, size in list(self._sizes.items()):
            if over <= 0:
                return
            if pair != keep and not self._in_use(pair):
                self.remove(pair)
                over -= size

    def _in_use(self, pair: Pair) -> bool:
        since = self._handed_out.get(pair)
        return since is not None and self._clock.monotonic() - since < HANDED_OUT_SECONDS

"""Packs made once for each pair of images that is asked for.

Decides which of delta and full is the one to move. Which packs go when room is needed is left to ``packshelf``, who
may have a pack to the callers.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.clock import Clock, SystemClock
from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, LocalError
from federation.image import Image
from federation.limits import MIB
from federation.transfer.blobs import BlobStore
from federation.transfer.pack import make_pack
from federation.transfer.packshelf import PackShelf, Pair

PRICED_IMAGE_BYTES: Final = 64 * MIB
"""Up to this size the full pack of an image is made to know what a delta saves; beyond, the stored sizes tell."""

_SURE: Final = 4
"""A delta of less than this part of an estimated full pack is the cheaper one without making the full one."""

_MAKERS: Final = 2
"""So many packs are made at once: each may take 300 MiB of memory."""

_WAIT_SECONDS: Final = 3600.0
_CHOICES_MOST: Final = 4096
_TRIES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack on the disk.

    Attributes:
        path: its file; it stays for at least ``packshelf.HANDED_OUT_SECONDS``, and whoever has it open can read on.
        size: its bytes.
        base: the image that it rests on; None for a full pack.
        full_bytes: what the full pack has; for a big image an estimate, unless it was made.
    """

    path: Path
    size: int
    base: Digest | None
    full_bytes: int


@dataclass(frozen=True, slots=True)
class _Choice:
    pair: Pair
    full_bytes: int


class PackStore:
    """Packs in ``folder``, of which at most ``budget_bytes`` are kept, made from the contents in ``blobs``.

    Safe for threads. The folder belongs to one store, and to nothing else.
    """

    def __init__(
        self,
        folder: Path,
        blobs: BlobStore,
        budget_bytes: int,
        load_image: Callable[[Digest], Image],
        *,
        clock: Clock | None = None,
    ) -> None:
        self._blobs = blobs
        self._load_image = load_image
        self._shelf = PackShelf(folder, budget_bytes, clock or SystemClock())
        self._lock = threading.Lock()
        self._making: dict[Pair, Future[int]] = {}
        self._makers = ThreadPoolExecutor(_MAKERS, thread_name_prefix="packs")
        self._choices: OrderedDict[Pair, _Choice] = OrderedDict()

    def close(self) -> None:
        """Wait for the packs in the making, and make no more."""
        self._makers.shutdown(cancel_futures=True)

    def get(self, base: Digest | None, image: Digest) -> Pack:
        """The cheapest pack that brings ``image`` to whoever has ``base``; made now if it is not here.

        Raises:
            AbsentError: no such image, or one of its contents is missing here.
            CorruptError: a content stored here is damaged.
            DiskFullError: no room for the pack.
        """
        asked = Pair(base, image)
        choice = self._choice(asked)
        try:
            size = self._hand_out(choice.pair)
        except (AbsentError, CorruptError):  # the delta has to be made again, and its base is gone by now
            choice = self._choice(asked, anew=True)
            size = self._hand_out(choice.pair)
        path = self._shelf.path(choice.pair)
        return Pack(path=path, size=size, base=choice.pair.base, full_bytes=choice.full_bytes)

    def _choice(self, asked: Pair, *, anew: bool = False) -> _Choice:
        with self._lock:
            choice = None if anew else self._choices.get(asked)
        if choice is None:
            choice = self._choose(asked)
        with self._lock:
            self._choices[asked] = choice
            self._choices.move_to_end(asked)
            if len(self._choices) > _CHOICES_MOST:
                self._choices.popitem(last=False)
        return choice

    def _choose(self, asked: Pair) -> _Choice:
        full = Pair(None, asked.image)
        full_bytes, exact = self._full_bytes(full)
        delta_bytes = self._delta_bytes(asked)
        if not exact and (delta_bytes is None or delta_bytes * _SURE > full_bytes):
            full_bytes = self._made(full)
        if delta_bytes is not None and delta_bytes < full_bytes:
            return _Choice(asked, full_bytes)
        if asked != full:
            with self._lock:
                self._shelf.remove(asked)
        return _Choice(full, full_bytes)

    def _full_bytes(self, full: Pair) -> tuple[int, bool]:
        """The bytes of the full pack, and whether they are more than an estimate."""
        with self._lock:
            made = self._shelf.size(full)
        if made is not None:
            return made, True
        image = self._load_image(full.image)
        if image.size <= PRICED_IMAGE_BYTES:
            return self._made(full), True
        return sum(map(self._blobs.stored_bytes, image.contents)), False

    def _delta_bytes(self, asked: Pair) -> int | None:
        """The bytes of the delta, or None where there can be none: the base is unknown here, or no longer whole."""
        if asked.base is None:
            return None
        try:
            return self._made(asked)
        except (AbsentError, CorruptError):
            return None

    def _hand_out(self, pair: Pair) -> int:
        for _ in range(_TRIES):  # between making and handing out another pack may have taken the room
            self._made(pair)
            with self._lock:
                size = self._shelf.hand_out(pair)
            if size is not None:
                return size
        raise LocalError("the budget for packs is too small: each is removed before it can be sent; raise it")

    def _made(self, pair: Pair) -> int:
        with self._lock:
            size = self._shelf.size(pair)
            if size is not None:
                return size
            making = self._making.get(pair)
            if making is None:
                making = self._making[pair] = self._makers.submit(self._make, pair)
        try:
            return making.result(_WAIT_SECONDS)
        except TimeoutError as error:
            raise LocalError(f"the pack for image {pair.image} was not made within {_WAIT_SECONDS:.0f} s") from error

    def _make(self, pair: Pair) -> int:
        try:
            base = None if pair.base is None else self._load_image(pair.base)
            image = self._load_image(pair.image)
            size = make_pack(base=base, image=image, source=self._blobs, target=self._shelf.path(pair))
            with self._lock:
                self._shelf.put(pair, size)
            return size
        finally:
            with self._lock:
                del self._making[pair]

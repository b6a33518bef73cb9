"""Packs made once for each pair of images that is asked for.

Decides which of delta and full is the one to move. Which packs go when room is needed is left to ``packshelf``, who
may have a pack to the callers.
"""

import hashlib
import threading
from collections import Counter, OrderedDict
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
from federation.transfer.packshelf import Kept, PackShelf, Pair

PRICED_IMAGE_BYTES: Final = 64 * MIB
"""Up to this size the full pack of an image is made to know what a delta saves; beyond, the stored sizes tell."""

USUAL_LEVEL: Final = 3
BETTER_LEVEL: Final = 12
"""Saves up to a quarter of the bytes of a changed executable, and takes six to ten times as long to make."""

OFTEN: Final = 8
"""A pack handed out so often is worth being made better."""

IMPROVED_PACK_BYTES: Final = 64 * MIB
"""A bigger one would keep a core busy for minutes."""

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
        digest: their SHA-256.
        base: the image that it rests on; None for a full pack.
        full_bytes: what the full pack has; for a big image an estimate, unless it was made.
    """

    path: Path
    size: int
    digest: Digest
    base: Digest | None
    full_bytes: int


class ClosedError(LocalError):
    """No more packs are made: the node is being stopped."""

    code = "closed"


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
        self._asked: Counter[Pair] = Counter()
        self._improved: set[Pair] = set()
        self._closed = threading.Event()

    def close(self) -> None:
        """Give up the packs in the making, and make no more."""
        self._closed.set()
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
            path, kept = self._hand_out(choice.pair)
        except (AbsentError, CorruptError):  # the delta has to be made again, and its base is gone by now
            choice = self._choice(asked, anew=True)
            path, kept = self._hand_out(choice.pair)
        return _pack(choice, path, kept)

    def present(self, base: Digest | None, image: Digest) -> Pack | None:
        """As ``get``, if it needs no making. Does not wait."""
        with self._lock:
            choice = self._choices.get(Pair(base, image))
            found = None if choice is None else self._shelf.hand_out(choice.pair)
            if choice is None or found is None:
                return None
            self._count(choice.pair)
        return _pack(choice, *found)

    def prepare(self, base: Digest | None, image: Digest) -> None:
        """Make what ``get`` would have to make, for nobody yet.

        Raises:
            ClosedError: the store was closed meanwhile; others as ``get``.
        """
        asked = Pair(base, image)
        if base is None:
            self._made(asked)
        else:
            self._choice(asked)

    def improve(self) -> Pair | None:
        """Make the pack that is asked for most anew, and smaller, if one is asked for often; which one it was.

        Raises:
            As ``prepare``.
        """
        with self._lock:
            often = [pair for pair, count in self._asked.most_common(_CHOICES_MOST) if count >= OFTEN]
            pair = next((one for one in often if self._can_gain(one)), None)
            if pair is None:
                return None
            self._improved.add(pair)
        self._makers.submit(self._make_better, pair).result(_WAIT_SECONDS)
        return pair

    def _can_gain(self, pair: Pair) -> bool:
        size = self._shelf.size(pair)
        return size is not None and size <= IMPROVED_PACK_BYTES and pair not in self._improved

    def _count(self, pair: Pair) -> None:
        self._asked[pair] += 1
        if len(self._asked) > _CHOICES_MOST:
            self._asked = Counter(dict(self._asked.most_common(_CHOICES_MOST // 2)))
            self._improved &= self._asked.keys()

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

    def _hand_out(self, pair: Pair) -> tuple[Path, Kept]:
        for _ in range(_TRIES):  # between making and handing out another pack may have taken the room
            self._made(pair)
            with self._lock:
                found = self._shelf.hand_out(pair)
                if found is not None:
                    self._count(pair)
                    return found
        raise LocalError("the budget for packs is too small: each is removed before it can be sent; raise it")

    def _made(self, pair: Pair) -> int:
        with self._lock:
            size = self._shelf.size(pair)
            doubtful = self._shelf.unchecked(pair)
            if size is not None and doubtful is None:
                return size
            making = self._making.get(pair)
            if making is None:
                work = self._make if doubtful is None else self._check
                making = self._making[pair] = self._makers.submit(work, pair)
        try:
            return making.result(_WAIT_SECONDS)
        except TimeoutError as error:
            raise LocalError(f"the pack for image {pair.image} was not made within {_WAIT_SECONDS:.0f} s") from error

    def _check(self, pair: Pair) -> int:
        """A pack of an earlier start: once it proved to be what its name says, or else is made anew, it counts."""
        with self._lock:
            doubtful = self._shelf.unchecked(pair)
        if doubtful is not None:
            path, kept = doubtful
            try:
                intact = _digest_of(path) == kept.digest
            except OSError:  # gone, or the disk can't read it any more
                intact = False
            with self._lock:
                if intact:
                    self._shelf.intact(pair)
                    del self._making[pair]
                    return kept.size
                self._shelf.remove(pair)
        return self._make(pair)

    def _make(self, pair: Pair) -> int:
        try:
            made, kept = self._written(pair, USUAL_LEVEL)
            with self._lock:
                self._shelf.put(pair, made, kept)
            return kept.size
        finally:
            with self._lock:
                del self._making[pair]

    def _make_better(self, pair: Pair) -> None:
        made, kept = self._written(pair, BETTER_LEVEL)
        with self._lock:
            before = self._shelf.size(pair)
            if before is not None and kept.size < before:
                self._shelf.put(pair, made, kept)
        made.unlink(missing_ok=True)

    def _written(self, pair: Pair, level: int) -> tuple[Path, Kept]:
        base = None if pair.base is None else self._load_image(pair.base)
        image = self._load_image(pair.image)
        made = self._shelf.new_path()
        size = make_pack(
            base=base, image=image, source=self._blobs, target=made, level=level, check=self._refuse_when_closed
        )
        return made, Kept(size, _digest_of(made))

    def _refuse_when_closed(self) -> None:
        if self._closed.is_set():
            raise ClosedError("the node is being stopped: no pack is made any more")


def _digest_of(path: Path) -> Digest:
    with path.open("rb") as stream:
        return Digest(hashlib.file_digest(stream, "sha256").hexdigest())


def _pack(choice: _Choice, path: Path, kept: Kept) -> Pack:
    # Either may have been made better, and so smaller, since it was chosen.
    full = kept.size if choice.pair.base is None else max(choice.full_bytes, kept.size)
    return Pack(path=path, size=kept.size, digest=kept.digest, base=choice.pair.base, full_bytes=full)

"""What goes into a pack, in which order, and against which old bytes: worked out alike by its maker and its reader.

A plan is a function of the two images alone, so a pack carries none of it. The contents that the new image has and
the old one lacks follow one another as one row of bytes, in the order of their paths. The row is cut into frames; each
frame is compressed with a *prefix* of old contents: the old versions of the files in it, and all removed files.

One frame holds the whole change if it and its prefix stay under ``FRAME_BYTES``, which bounds the memory of both
sides. Beyond that, files are grouped with their own old versions; a file too big even alone is cut into pieces, each
against the stretch of its old version around the same relative place. A full pack is one frame without a prefix.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from federation.digest import Digest
from federation.image import Entry, Image
from federation.limits import MIB
from federation.transfer import zstd

FRAME_BYTES: Final = 128 * MIB
"""A frame and its prefix together, at most, unless there is no prefix."""

_PIECE_SHARE: Final = 5 / 16
"""How much of ``FRAME_BYTES`` a piece of a big file takes; the rest is for the old bytes around it."""

_PLAIN_WINDOW_BITS: Final = 25
"""A frame without a prefix may be of any length; its reader needs these 32 MiB."""


@dataclass(frozen=True, slots=True)
class Content:
    """A distinct content and its size in bytes."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Span:
    """``size`` bytes of an old content from ``start``."""

    digest: Digest
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The next ``size`` bytes of the row, compressed against ``prefix``."""

    size: int
    prefix: tuple[Span, ...] = ()

    @property
    def window_bits(self) -> int:
        """The window that maker and reader use."""
        if not self.prefix:
            return min(_PLAIN_WINDOW_BITS, zstd.window_bits(self.size))
        return zstd.window_bits(self.size + sum(span.size for span in self.prefix))


@dataclass(frozen=True, slots=True)
class Plan:
    """The contents that a pack carries, in order, and the frames their bytes are cut into."""

    wanted: tuple[Content, ...]
    frames: tuple[Frame, ...]


def plan(base: Image | None, image: Image) -> Plan:
    """How to bring ``image`` to a place that has ``base``, or nothing."""
    old = base.contents if base is not None else {}
    wanted = tuple(Content(digest, size) for digest, size in image.contents.items() if digest not in old)
    total = sum(content.size for content in wanted)
    if base is None:
        return Plan(wanted, (Frame(total),) if total else ())
    gone = _gone(base, image)
    partners = _partners(base, image, gone)
    return Plan(wanted, tuple(_frames(wanted, partners, (old for _, old in gone))))


def _gone(base: Image, image: Image) -> list[tuple[str, Content]]:
    """The files at whose path no file stands any more, unless their content lives on elsewhere."""
    files = ((entry.path, content) for entry in base if (content := _content(entry)) is not None)
    return [(path, old) for path, old in files if _at(image, path) is None and old.digest not in image.contents]


def _partners(base: Image, image: Image, gone: list[tuple[str, Content]]) -> dict[Content, Content]:
    """For each wanted content the old one it most likely came from."""
    partners: dict[Content, Content] = {}
    added: list[tuple[str, Content]] = []
    for entry in image:
        content = _content(entry)
        if content is None or content.digest in base.contents:
            continue
        before = _at(base, entry.path)
        if before is None:
            added.append((entry.path, content))
        else:
            partners.setdefault(content, before)
    for likeness in (_without_numbers, _without_hashes, _name):
        _pair(added, gone, likeness, partners)
    return partners


def _pair(
    added: Iterable[tuple[str, Content]],
    gone: Iterable[tuple[str, Content]],
    likeness: Callable[[str], str],
    partners: dict[Content, Content],
) -> None:
    """Pair what looks alike, in the order of the paths; each old content serves one new one."""
    taken = set(partners.values())
    waiting: dict[str, deque[Content]] = defaultdict(deque)
    for path, old in gone:
        if old not in taken:
            taken.add(old)
            waiting[likeness(path)].append(old)
    for path, content in added:
        alike = waiting.get(likeness(path))
        if alike and content not in partners:
            partners[content] = alike.popleft()


_NUMBERS: Final = re.compile(r"[0-9]+(?:[._-][0-9]+)*")
_HASHES: Final = re.compile(r"[.-][0-9A-Za-z_]{6,64}(?=\.)")


def _without_numbers(path: str) -> str:
    """``lib-1.2/x10.js`` and ``lib-1.3.1/x11.js`` are alike."""
    return _NUMBERS.sub("#", path)


def _without_hashes(path: str) -> str:
    """``main.3fa9c1d0.js`` and ``main-Bk81sXaa.js`` are alike."""
    return _without_numbers(_HASHES.sub("#", path))


def _name(path: str) -> str:
    """A file moved to another folder is alike."""
    return _without_hashes(path.rpartition("/")[2])


def _frames(
    wanted: tuple[Content, ...], partners: dict[Content, Content], removed: Iterable[Content]
) -> Iterator[Frame]:
    whole = _Group()
    for content in removed:
        whole.take_old(content)
    for content in wanted:
        whole.take(content, partners.get(content))
    if whole.cost <= FRAME_BYTES:
        yield from whole.frames()
    else:
        yield from _groups(wanted, partners)


def _groups(wanted: Iterable[Content], partners: dict[Content, Content]) -> Iterator[Frame]:
    group = _Group()
    for content in wanted:
        partner = partners.get(content)
        cost = content.size + (partner.size if partner else 0)
        if group.cost + cost > FRAME_BYTES:
            yield from group.frames()
            group = _Group()
        if cost > FRAME_BYTES:
            yield from _pieces(content, partner)
        else:
            group.take(content, partner)
    yield from group.frames()


def _pieces(content: Content, old: Content | None) -> Iterator[Frame]:
    if old is None:
        yield Frame(content.size)
        return
    piece = int(FRAME_BYTES * _PIECE_SHARE)
    half = (FRAME_BYTES - piece) // 2
    for start in range(0, content.size, piece):
        size = min(piece, content.size - start)
        centre = (2 * start + size) * old.size // (2 * content.size)
        first, last = max(0, centre - half), min(old.size, centre + half)
        yield Frame(size, (Span(old.digest, first, last - first),) if last > first else ())


@dataclass(slots=True)
class _Group:
    """Contents that share a frame, and the old ones that share its prefix."""

    size: int = 0
    old: dict[Content, None] = field(default_factory=dict)
    cost: int = 0

    def take(self, content: Content, partner: Content | None) -> None:
        self.size += content.size
        self.cost += content.size
        if partner is not None:
            self.take_old(partner)

    def take_old(self, old: Content) -> None:
        """Last taken stands last: old contents in the order of the new ones are all about as far back."""
        if old in self.old:
            del self.old[old]
        else:
            self.cost += old.size
        self.old[old] = None

    def frames(self) -> Iterator[Frame]:
        if self.size:
            yield Frame(self.size, tuple(Span(old.digest, 0, old.size) for old in self.old if old.size))


def _content(entry: Entry) -> Content | None:
    return None if entry.digest is None else Content(entry.digest, entry.size)


def _at(image: Image, path: str) -> Content | None:
    """The content of the file at ``path``, if a file stands there."""
    entry = image.by_path.get(path)
    return None if entry is None else _content(entry)

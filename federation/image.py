"""An image: the file tree of a version as an index of paths, kinds, modes, sizes and digests.

The index is text, one JSON array per line, sorted by path, so that two successive ones differ in few lines and a
delta of them is tiny::

    ["vupdate-image",1]
    ["bin","d"]
    ["bin/run","x",1234,"<sha256>"]
    ["lib/a.py","f",99,"<sha256>"]
    ["lib/current","l","a.py"]

Kinds: ``f`` file (0644), ``x`` executable (0755), ``l`` symbolic link, ``d`` directory (0755). Owners and times are not
part of an image. There is one spelling of each tree, so the digest of the index names the tree.
"""

import enum
import functools
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

import msgspec

from federation import limits
from federation.digest import Digest
from federation.errors import InvalidValueError, OversizedError

_HEADER: Final[list[str | int]] = ["vupdate-image", 1]


class Kind(enum.Enum):
    """What stands at a path."""

    FILE = "f"
    EXECUTABLE = "x"
    LINK = "l"
    DIRECTORY = "d"

    @property
    def mode(self) -> int:
        """The permission bits of what stands there."""
        return 0o644 if self is Kind.FILE else 0o755


def checked_path(text: str) -> str:
    """``text`` if it is a relative path that stays inside its tree in every reading.

    Raises:
        InvalidValueError: empty, absolute, ``.`` or ``..`` inside, control characters, or too long.
    """
    length = len(text.encode("utf-8", "surrogatepass"))
    if not text or length > limits.PATH_BYTES:
        raise InvalidValueError(f"path {text[:80]!r} is empty or longer than {limits.PATH_BYTES} bytes")
    for part in text.split("/"):
        if part in ("", ".", ".."):
            raise InvalidValueError(f"path {text[:200]!r} leaves its tree or is not in its plain form")
        if length > limits.PATH_COMPONENT_BYTES < len(part.encode("utf-8", "surrogatepass")):
            raise InvalidValueError(f"path {text[:200]!r} has a part longer than {limits.PATH_COMPONENT_BYTES} bytes")
    if "\\" in text or _has_control(text):
        raise InvalidValueError(f"path {text[:200]!r} holds a control character, a backslash or is not UTF-8")
    return text


def _has_control(text: str) -> bool:
    """Whether there is a control character or a lone surrogate in ``text``; what is printable has none."""
    return not text.isprintable() and any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def _checked_link(path: str, target: str) -> None:
    """A link may point anywhere inside the image, never out of it and never by an absolute path."""
    if not target or len(target.encode("utf-8", "surrogatepass")) > limits.LINK_TARGET_BYTES:
        raise InvalidValueError(f"link {path!r}: its target is empty or too long")
    if target.startswith("/") or _has_control(target):
        raise InvalidValueError(f"link {path!r}: its target {target[:200]!r} is absolute or not plain text")
    depth = path.count("/")
    for part in target.split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            raise InvalidValueError(f"link {path!r} points out of the image: {target[:200]!r}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at one path of an image."""

    path: str
    kind: Kind
    size: int = 0
    digest: Digest | None = None
    target: str = ""

    def __post_init__(self) -> None:
        checked_path(self.path)
        content = self.kind in (Kind.FILE, Kind.EXECUTABLE)
        if content != (self.digest is not None) or (not content and self.size) or self.size < 0:
            raise InvalidValueError(f"entry {self.path!r}: files and only files have a size and a digest")
        if self.size > limits.IMAGE_FILE_BYTES:
            raise OversizedError(f"file {self.path!r} of {self.size} bytes is over {limits.IMAGE_FILE_BYTES}")
        if self.kind is Kind.LINK:
            _checked_link(self.path, self.target)
        elif self.target:
            raise InvalidValueError(f"entry {self.path!r}: only a link has a target")

    def row(self) -> list[str | int]:
        """The entry as a line of the index."""
        if self.digest is not None:
            return [self.path, self.kind.value, self.size, str(self.digest)]
        if self.kind is Kind.LINK:
            return [self.path, self.kind.value, self.target]
        return [self.path, self.kind.value]


def _entry(row: object) -> Entry:
    match row:
        case [str(path), "f" | "x" as kind, int(size), str(digest)] if not isinstance(size, bool):
            return Entry(path, Kind(kind), size, Digest(digest))
        case [str(path), "l", str(target)]:
            return Entry(path, Kind.LINK, target=target)
        case [str(path), "d"]:
            return Entry(path, Kind.DIRECTORY)
    raise InvalidValueError(f"image index: {str(row)[:120]} is not an entry")


def _check_tree(entries: tuple[Entry, ...]) -> None:
    """Sorted, unique, each parent present as a directory: so nothing is ever written through a link."""
    directories = {""}
    previous = ""
    for entry in entries:
        if entry.path <= previous:
            raise InvalidValueError(f"image index: {entry.path!r} is out of order or twice")
        previous = entry.path
        parent = entry.path.rpartition("/")[0]
        if parent not in directories:
            raise InvalidValueError(f"image index: {entry.path!r} stands in {parent!r}, which is no directory of it")
        if entry.kind is Kind.DIRECTORY:
            directories.add(entry.path)


class _Links:
    """Follows the links of a tree: each stays inside on its own, but one by way of others could lead out.

    ``up`` in ``a/b`` to ``../..`` is the root, so ``a/b/up/..`` stands outside although it reads like ``a/b``.
    """

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self._targets = {entry.path: entry.target for entry in entries if entry.kind is Kind.LINK}
        self._ends: dict[str, str] = {}

    def check(self) -> None:
        for path in self._targets:
            self._end(path, 0)

    def _end(self, path: str, hops: int) -> str:
        if path not in self._ends:
            if hops > limits.LINK_HOPS:
                raise InvalidValueError(f"link {path!r} leads through more than {limits.LINK_HOPS} others")
            place = path.rpartition("/")[0]
            for part in self._targets[path].split("/"):
                place = self._step(path, place, part, hops)
            self._ends[path] = place
        return self._ends[path]

    def _step(self, path: str, place: str, part: str, hops: int) -> str:
        if part in ("", "."):
            return place
        if part == "..":
            if not place:
                raise InvalidValueError(f"link {path!r} points out of the image by way of others")
            return place.rpartition("/")[0]
        below = f"{place}/{part}" if place else part
        if len(below) > limits.PATH_BYTES:
            raise InvalidValueError(f"link {path!r} leads to a path longer than {limits.PATH_BYTES} bytes")
        return self._end(below, hops + 1) if below in self._targets else below


def _distinct_contents(entries: tuple[Entry, ...]) -> dict[Digest, int]:
    sizes: dict[Digest, int] = {}
    for entry in entries:
        if entry.digest is not None and sizes.setdefault(entry.digest, entry.size) != entry.size:
            raise InvalidValueError(f"image index: {entry.path!r} has another size than its digest elsewhere")
    return sizes


@dataclass(frozen=True)
class Image:
    """A file tree. Equal trees have equal digests."""

    entries: tuple[Entry, ...] = field(default=())

    def __post_init__(self) -> None:
        if len(self.entries) > limits.IMAGE_ENTRIES:
            raise OversizedError(f"an image of more than {limits.IMAGE_ENTRIES} entries is refused")
        _check_tree(self.entries)
        _Links(self.entries).check()
        _distinct_contents(self.entries)
        if self.size > limits.IMAGE_BYTES:
            raise OversizedError(f"an image of {self.size} bytes is over the bound of {limits.IMAGE_BYTES}")

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        """An image of ``entries`` in any order; missing parent directories are added."""
        found = {entry.path: entry for entry in entries}
        for path in list(found):
            parent = path.rpartition("/")[0]
            while parent and parent not in found:
                found[parent] = Entry(parent, Kind.DIRECTORY)
                parent = parent.rpartition("/")[0]
        return cls(tuple(found[path] for path in sorted(found)))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @functools.cached_property
    def by_path(self) -> dict[str, Entry]:
        """The entries by path."""
        return {entry.path: entry for entry in self.entries}

    @functools.cached_property
    def contents(self) -> dict[Digest, int]:
        """The size of each distinct file content, in the order of first appearance."""
        return _distinct_contents(self.entries)

    @functools.cached_property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)

    @functools.cached_property
    def encoded(self) -> bytes:
        """The index in its one spelling."""
        encode = msgspec.json.Encoder().encode
        rows: list[list[str | int]] = [[*_HEADER], *(entry.row() for entry in self.entries)]
        return b"".join(encode(row) + b"\n" for row in rows)

    @functools.cached_property
    def digest(self) -> Digest:
        """The digest that names this tree: SHA-256 of ``encoded``."""
        return Digest.of(self.encoded)

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """The image whose index is ``content``.

        Raises:
            OversizedError: over a bound of ``limits``.
            InvalidValueError: not an index, or not in its one spelling.
        """
        if len(content) > limits.IMAGE_INDEX_BYTES:
            raise OversizedError(f"an image index of {len(content)} bytes is over {limits.IMAGE_INDEX_BYTES}")
        lines = content.split(b"\n")
        if len(lines) > limits.IMAGE_ENTRIES + 2:
            raise OversizedError(f"an image of more than {limits.IMAGE_ENTRIES} entries is refused")
        decode = msgspec.json.Decoder().decode
        try:
            if lines.pop() != b"" or not lines or decode(lines[0]) != _HEADER:
                raise InvalidValueError("not an image index of a known format")
            image = cls(tuple(_entry(decode(line)) for line in lines[1:]))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise InvalidValueError("not an image index: a line is not JSON") from error
        if image.encoded != content:
            raise InvalidValueError("image index: not in its one spelling")
        return image

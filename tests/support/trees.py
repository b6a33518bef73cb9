"""Small file trees as values, on the disk, and as pairs of which one came from the other."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from federation.digest import Digest
from federation.image import Entry, Image, Kind

_FILES = (Kind.FILE, Kind.EXECUTABLE)


@dataclass(frozen=True)
class Node:
    """What stands at one path: a file's content, or a link's target."""

    content: bytes = b""
    kind: Kind = Kind.FILE
    target: str = ""


Tree = dict[str, Node]


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress, the same each time."""
    return random.Random(seed).randbytes(size)


def file(content: bytes) -> Node:
    return Node(content)


def program(content: bytes) -> Node:
    return Node(content, Kind.EXECUTABLE)


def link(target: str) -> Node:
    return Node(kind=Kind.LINK, target=target)


FOLDER = Node(kind=Kind.DIRECTORY)


def image_of(tree: Mapping[str, Node]) -> Image:
    return Image.of(_entry(path, node) for path, node in tree.items())


def _entry(path: str, node: Node) -> Entry:
    if node.kind in _FILES:
        return Entry(path, node.kind, len(node.content), Digest.of(node.content))
    return Entry(path, node.kind, target=node.target)


def contents_of(*trees: Mapping[str, Node]) -> list[bytes]:
    """The contents of all files of ``trees``."""
    return [node.content for tree in trees for node in tree.values() if node.kind in _FILES]


def write(tree: Mapping[str, Node], root: Path) -> Path:
    """``tree`` on the disk, by plain means."""
    root.mkdir(parents=True, exist_ok=True)
    for path, node in tree.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if node.kind is Kind.DIRECTORY:
            place.mkdir(exist_ok=True)
        elif node.kind is Kind.LINK:
            place.symlink_to(node.target)
        else:
            place.write_bytes(node.content)
            place.chmod(node.kind.mode)
    return root


def snapshot(root: Path) -> dict[str, bytes]:
    """All that stands under ``root``, to see whether anything changed."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for path in sorted(root.rglob("*"))
    }


_PARTS = st.sampled_from(["a", "b", "c", "lib-1.2", "lib-1.3", "app.3fa9c1d0.js", "app.Bk81sXaa.js", "é ü"])
_PATHS = st.lists(_PARTS, min_size=1, max_size=3).map("/".join)


@st.composite
def contents(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """Short ones, and long ones that are alike but for a few bytes."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=40))  # type: ignore[no-any-return]
    long = bytearray(noise(draw(st.sampled_from([100, 3000, 20_000])), draw(st.integers(0, 3))))
    for place, byte in draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 255)), max_size=3)):
        long[place * len(long) // 100] = byte
    return bytes(long)


_NODES = st.one_of(
    contents().map(file),
    contents().map(program),
    st.just(FOLDER),
    st.sampled_from(["nowhere", "./here", "x//../y"]).map(link),
)


def _standing(tree: Tree) -> Tree:
    """``tree`` without what would stand below a file or a link."""
    kept: Tree = {}
    for path in sorted(tree):
        parents = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
        if all(kept.get(parent, FOLDER) == FOLDER for parent in parents):
            kept[path] = tree[path]
    return kept


def trees() -> st.SearchStrategy[Tree]:
    return st.dictionaries(_PATHS, _NODES, max_size=8).map(_standing)


@st.composite
def successions(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Tree, Tree]:
    """A tree and a later one: files kept, changed, renamed, removed, added."""
    old: Tree = draw(trees())
    new: Tree = draw(trees())
    for path, node in old.items():
        match draw(st.sampled_from(["keep", "keep", "change", "move", "remove"])):
            case "keep":
                new[path] = node
            case "change":
                new[path] = replace(node, content=node.content + b"!") if node.kind in _FILES else node
            case "move":
                new[draw(_PATHS)] = node
            case _:
                pass
    return old, _standing(new)

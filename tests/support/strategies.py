"""Hypothesis strategies for the values of ``federation``."""

import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from federation.digest import Digest
from federation.image import Entry, Image, Kind
from federation.keys import PrivateKey
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion

_LOWER = string.ascii_lowercase
_WORD = _LOWER + string.digits


def _words(letters: str = _WORD) -> st.SearchStrategy[str]:
    return st.text(letters, min_size=1, max_size=6)


def node_names() -> st.SearchStrategy[NodeName]:
    groups = st.lists(_words(), max_size=3)
    return st.builds(lambda first, rest: NodeName("-".join([first, *rest])), _words(_LOWER), groups)


def service_names() -> st.SearchStrategy[ServiceName]:
    rest = st.text(_WORD + "_-", max_size=10)
    return st.builds(lambda first, rest: ServiceName(first + rest), st.sampled_from(_LOWER), rest)


def builds() -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(0, 30) | st.integers(0, 999_999_999), min_size=1, max_size=16).map(tuple)


def developer_versions(
    nodes: st.SearchStrategy[NodeName] | None = None,
) -> st.SearchStrategy[DeveloperVersion]:
    return st.builds(DeveloperVersion.of, node_names() if nodes is None else nodes, builds())


def client_versions() -> st.SearchStrategy[ClientVersion]:
    numbers = st.integers(0, 3) | st.integers(0, 999_999_999)
    return st.builds(ClientVersion.of, developer_versions(), numbers)


def digests() -> st.SearchStrategy[Digest]:
    return st.binary(max_size=8).map(Digest.of)


def private_keys() -> st.SearchStrategy[PrivateKey]:
    return st.binary(min_size=32, max_size=32).map(PrivateKey)


def moments() -> st.SearchStrategy[datetime]:
    """Aware moments in UTC, to the microsecond."""
    start = datetime(2000, 1, 1, tzinfo=UTC)
    return st.integers(0, 100 * 365 * 86_400 * 1_000_000).map(lambda us: start + timedelta(microseconds=us))


def path_parts() -> st.SearchStrategy[str]:
    plain = st.text(_WORD + "._- ", min_size=1, max_size=8)
    wide = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="/\\"), min_size=1, max_size=4)
    return (plain | wide).filter(lambda part: part not in (".", ".."))


def _file(path: str, kind: Kind, content: bytes) -> Entry:
    return Entry(path, kind, len(content), Digest.of(content))


@st.composite
def images(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Image:
    """Trees with files, executables, directories and links that stay inside."""
    parts = st.lists(path_parts(), min_size=1, max_size=4).map("/".join)
    paths: list[str] = draw(st.lists(parts, max_size=12, unique=True))
    inner = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 1)}
    entries: list[Entry] = []
    for path in paths:
        if path in inner:
            entries.append(Entry(path, Kind.DIRECTORY))
            continue
        kind: Kind = draw(st.sampled_from(Kind))
        if kind is Kind.DIRECTORY:
            entries.append(Entry(path, kind))
        elif kind is Kind.LINK:
            entries.append(Entry(path, kind, target=draw(path_parts())))
        else:
            entries.append(_file(path, kind, draw(st.binary(max_size=6))))
    links = {entry.path for entry in entries if entry.kind is Kind.LINK}
    # A link to a sibling that is itself a link may go in a circle, which an image refuses: make those files.
    straight = [
        _file(entry.path, Kind.FILE, b"") if entry.kind is Kind.LINK and _sibling(entry) in links else entry
        for entry in entries
    ]
    return Image.of(straight)


def _sibling(link: Entry) -> str:
    parent = link.path.rpartition("/")[0]
    return f"{parent}/{link.target}" if parent else link.target


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value, a few levels deep."""
    leaves = (
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20)
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    )

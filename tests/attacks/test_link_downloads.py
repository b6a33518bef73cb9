"""Stories of a peer that lies in what it serves: about ranges, about lengths, about which file it is."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from federation import limits
from federation.errors import OversizedError, TamperedError, UnreachableError
from federation.keys import PrivateKey
from federation.link.download import PROGRESS_BYTES, TRIES
from tests.support.link_files import CONTENT, Served, fetch, provider


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "arriving" / "pack"


async def test_a_line_that_brings_next_to_nothing_is_given_up(target: Path) -> None:
    """A byte now and then does not count as going on, or a peer could hold its consumer for ever."""
    served = Served(content=CONTENT, breaks=itertools.repeat(PROGRESS_BYTES - 1))
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
    assert len(served.asked) == TRIES + 1


def with_range(text: str) -> Callable[[dict[str, str]], dict[str, str]]:
    """Parts that say to be another one than they are."""
    return lambda headers: {**headers, "Content-Range": text} if "Content-Range" in headers else headers


def with_tag(headers: dict[str, str]) -> dict[str, str]:
    return {**headers, "ETag": '"another"'} if "Content-Range" in headers else headers


SIZE = len(CONTENT)
LIES = [
    with_range(f"bytes 0-{SIZE - 1}/{SIZE}"),
    with_range(f"bytes 1999998-{SIZE - 1}/{SIZE}"),
    with_range(f"bytes 1999999-{SIZE}/{SIZE + 1}"),
    with_range(f"bytes 1999999-{SIZE - 2}/{SIZE}"),
    with_range("bytes 1999999-1999998/2000000"),
    with_range(f"bytes 1999999-{SIZE - 1}/*"),
    with_range(f"bytes 1999999-{10**18 - 1}/{10**17}"),
    with_range("words 1-2/3"),
    with_range(""),
    with_tag,
]


@pytest.mark.parametrize("lie", LIES)
async def test_a_part_of_something_else_is_refused(
    target: Path, lie: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    """Another place, another length, another whole or another file: refused, nothing kept, and good again later."""
    served = Served(content=CONTENT, breaks=iter([2_000_000]), alter=lie)
    async with provider(served) as client:
        with pytest.raises(TamperedError, match="refused"):
            await fetch(client, target)
        assert list(target.parent.iterdir()) == []
        served.alter = lambda headers: headers
        await fetch(client, target)
    assert target.read_bytes() == CONTENT


async def test_a_part_that_does_not_fit_is_refused(target: Path) -> None:
    """Another file under the same entity tag shows where the two meet."""
    served = Served(content=CONTENT, etag='"same"', breaks=iter([2_000_000] + [0] * (TRIES + 1)))
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
        served.content = bytes(byte ^ 1 for byte in CONTENT)
        with pytest.raises(TamperedError, match="does not fit"):
            await fetch(client, target)
    assert list(target.parent.iterdir()) == []


async def test_a_part_that_nobody_asked_for_is_refused(target: Path) -> None:
    """The first answer has to be the whole."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=206, body=b"part", headers={"ETag": '"x"', "Content-Range": "bytes 0-3/4"})

    async with provider(handler) as client:
        with pytest.raises(TamperedError, match="nobody asked"):
            await fetch(client, target)
    assert not target.parent.exists()


async def test_a_part_longer_than_it_says_is_refused(target: Path) -> None:
    """No byte behind the end of the range lands in the file."""
    served = Served(content=CONTENT, breaks=iter([2_000_000]), added=b"more")
    async with provider(served) as client:
        with pytest.raises(OversizedError):
            await fetch(client, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("chunked", [True, False])
async def test_an_endless_file_is_cut_at_its_bound(target: Path, chunked: bool) -> None:
    """Announced or not, and however often the line breaks: no more than the bound is ever on the disk."""
    served = Served(content=CONTENT, breaks=iter([600_000]), chunked=chunked)
    async with provider(served) as client:
        with pytest.raises(OversizedError):
            await fetch(client, target, most=limits.MIB)
    assert not target.parent.exists() or list(target.parent.iterdir()) == []


async def test_what_came_from_one_peer_is_not_continued_at_another(target: Path) -> None:
    """Else a peer could spoil another one's file: the entity tag alone says nothing of who gave it."""
    evil = Served(content=bytes(len(CONTENT)), etag='"same"', breaks=iter([2_000_000] + [0] * (TRIES + 1)))
    async with provider(evil) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
    good = Served(content=CONTENT, etag='"same"')
    async with provider(good, PrivateKey(b"g" * 32)) as client:
        await fetch(client, target)
    assert good.asked == [None]
    assert target.read_bytes() == CONTENT


async def test_what_came_by_one_request_is_not_continued_by_another(target: Path) -> None:
    """Another pack at the same peer is another file."""
    served = Served(content=CONTENT, etag='"same"', breaks=iter([2_000_000] + [0] * (TRIES + 1)))
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
        served.asked.clear()
        await fetch(client, target, "/other")
    assert served.asked == [None]

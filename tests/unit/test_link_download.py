"""Downloads over lines that break: what came is kept, only the rest is asked for, and nobody can mix two files."""

import asyncio
import itertools
import os
import random
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web

from agent.link import NodeLink
from agent.trust import NodeTrust
from federation import limits
from federation.digest import Digest
from federation.errors import ConflictError, DiskFullError, UnreachableError
from federation.link import landing
from federation.link.download import TRIES
from federation.link.landing import Landing, part_of
from tests.support.limited import files_up_to
from tests.support.link_files import CONSUMER, CONTENT, PROVIDER, Served, fetch, provider


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "arriving" / "pack"


def alone(target: Path) -> bool:
    return list(target.parent.iterdir()) == [target]


async def test_a_broken_download_goes_on_where_it_ended(target: Path) -> None:
    """Each break costs one byte, which is asked for again; the file is the right one and nothing else is left."""
    served = Served(content=CONTENT, breaks=iter([1_000_000, 700_000, 900_000]))
    async with provider(served) as client:
        got = await fetch(client, target)
    assert target.read_bytes() == CONTENT
    assert len(served.asked) == 4
    assert served.asked[0] is None
    assert got.bytes == len(CONTENT)
    assert got.repeated_bytes == 3
    assert got.moved_bytes == len(CONTENT) + 3
    assert got.headers["Vupdate-Full-Bytes"] == "7"
    assert alone(target)


@pytest.mark.parametrize("chunked", [False, True])
async def test_any_breaks_end_in_the_same_file(target: Path, chunked: bool) -> None:
    """Wherever the line is cut, whether the length was announced or not."""
    rng = random.Random(7)
    for turn in range(6):
        breaks = iter([rng.randrange(1, 1_500_000) for _ in range(4)])
        served = Served(content=CONTENT, breaks=breaks, chunked=chunked)
        async with provider(served) as client:
            place = target.with_name(f"pack-{turn}")
            assert (await fetch(client, place)).bytes == len(CONTENT)
        assert place.read_bytes() == CONTENT


async def test_a_later_call_goes_on_where_an_earlier_one_ended(target: Path) -> None:
    """A line that is down for longer than a call has patience costs nothing that came."""
    served = Served(content=CONTENT, breaks=itertools.chain([2_000_000], itertools.repeat(0, TRIES + 1)))
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
        assert not target.exists()
        assert part_of(target).stat().st_size == 2_000_000
        served.asked.clear()
        got = await fetch(client, target)
    assert served.asked == ["bytes=1999999-"]
    assert target.read_bytes() == CONTENT
    assert got.repeated_bytes == 1
    assert alone(target)


async def test_a_cancelled_download_goes_on_later(target: Path) -> None:
    """A node that is stopped in the middle keeps what came."""
    halfway = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Range"):
            return await served(request)
        answer = web.StreamResponse(headers={"ETag": served.tag})
        await answer.prepare(request)
        await answer.write(CONTENT[:1_500_000])
        halfway.set()
        await asyncio.Event().wait()
        return answer

    served = Served(content=CONTENT)
    async with provider(handler) as client:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(fetch(client, target))
            await halfway.wait()
            while not part_of(target).exists() or part_of(target).stat().st_size < 1_500_000:
                await asyncio.sleep(0.01)
            task.cancel()
        assert task.cancelled()
        await fetch(client, target)
    assert served.asked == ["bytes=1499999-"]
    assert target.read_bytes() == CONTENT


async def test_a_killed_process_leaves_what_the_next_one_goes_on_with(target: Path) -> None:
    """Nothing has to be said at the end: what was written and noted on the way is enough."""
    served = Served(content=CONTENT)
    async with provider(served) as client:
        part = Landing(target, f"{PROVIDER.id} /pack?from=x")
        part.begin(served.tag, len(CONTENT))
        for start in range(0, 2_000_000, 100_000):
            part.append(CONTENT[start : start + 100_000])
        os.close(part._descriptor)  # as a kill does
        await fetch(client, target)
    assert served.asked == ["bytes=1999999-"]
    assert target.read_bytes() == CONTENT


async def test_after_a_power_cut_only_what_was_synced_counts(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a file that was not synced may hold anything then."""
    monkeypatch.setattr(landing, "SYNCED_BYTES", limits.MIB)
    served = Served(content=CONTENT)
    async with provider(served) as client:
        part = Landing(target, f"{PROVIDER.id} /pack?from=x")
        part.begin(served.tag, len(CONTENT))
        part.append(CONTENT[: limits.MIB])
        part.append(bytes(500_000))
        os.close(part._descriptor)
        monkeypatch.setattr(landing, "_boot", lambda: "another run")
        await fetch(client, target)
    assert served.asked == [f"bytes={limits.MIB - 1}-"]
    assert target.read_bytes() == CONTENT


async def test_an_agent_started_anew_goes_on_where_the_old_one_was(target: Path) -> None:
    """An image takes its bytes once, however often the agent is restarted meanwhile."""
    served = Served(content=CONTENT, breaks=itertools.chain([2_000_000], itertools.repeat(0, TRIES + 1)))
    image = Digest.of(b"image")
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await NodeLink(client, cast("NodeTrust", None), CONSUMER.id).pack(image, None, target)
    async with provider(served) as client:
        fetched = await NodeLink(client, cast("NodeTrust", None), CONSUMER.id).pack(image, None, target)
    assert served.asked[-1] == "bytes=1999999-"
    assert fetched.moved_bytes == len(CONTENT) + 1
    assert target.read_bytes() == CONTENT


async def test_a_changed_file_starts_over(target: Path) -> None:
    """Under another entity tag the whole comes, and nothing of the old one is in it."""
    served = Served(content=CONTENT, breaks=itertools.chain([2_000_000], itertools.repeat(0, TRIES + 1)))
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
        served.content = other = CONTENT[::-1]
        got = await fetch(client, target)
    assert target.read_bytes() == other
    assert got.repeated_bytes == 2_000_000
    assert alone(target)


@pytest.mark.parametrize("size", [1, 100_000])
async def test_a_file_that_shrank_starts_over(target: Path, size: int) -> None:
    """Also at a peer that looks at the range before the entity tag."""
    served = Served(content=CONTENT, etag='"same"', breaks=itertools.chain([2_000_000], itertools.repeat(0, TRIES + 1)))
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
        served.content = CONTENT[:size]
        assert (await fetch(client, target)).bytes == size
    assert target.read_bytes() == CONTENT[:size]


async def test_a_peer_that_knows_no_ranges_starts_over(target: Path) -> None:
    """An answer with the whole is taken as the whole."""
    served = Served(content=CONTENT, breaks=iter([2_000_000]), knows_ranges=False)
    async with provider(served) as client:
        got = await fetch(client, target)
    assert target.read_bytes() == CONTENT
    assert got.repeated_bytes == 2_000_000


@pytest.mark.parametrize("etag", ['W/"weak"', "unquoted", '"a"b"', ""])
async def test_without_a_strong_entity_tag_nothing_is_kept(target: Path, etag: str) -> None:
    """What can't be told from another file can't be continued."""

    def headers(given: dict[str, str]) -> dict[str, str]:
        return {**given, "ETag": etag} if etag else {name: v for name, v in given.items() if name != "ETag"}

    served = Served(content=CONTENT, breaks=iter([2_000_000]), alter=headers)
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
    assert len(served.asked) == 1
    assert list(target.parent.iterdir()) == []


async def test_two_at_once_do_not_write_into_one_file(target: Path) -> None:
    """The second is told so."""
    part = Landing(target, "elsewhere")
    part.begin('"x"', None)
    async with provider(Served(content=CONTENT)) as client:
        with pytest.raises(ConflictError):
            await fetch(client, target)
    part.append(b"still mine")
    part.finish()
    assert target.read_bytes() == b"still mine"


async def test_a_full_disk_leaves_nothing(target: Path) -> None:
    """However much had come before."""
    served = Served(content=CONTENT, breaks=itertools.chain([1_500_000], itertools.repeat(0, TRIES + 1)))
    async with provider(served) as client:
        with pytest.raises(UnreachableError):
            await fetch(client, target)
        with pytest.raises(DiskFullError, match="free some space"), files_up_to(2 * limits.MIB):
            await fetch(client, target)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("note", [b"", b"{", b'{"origin":1}', b"[]", b"\xff" * 100, b"x" * 200_000])
async def test_a_damaged_note_starts_over(target: Path, note: bytes) -> None:
    """What it belongs to is not known then."""
    target.parent.mkdir()
    part_of(target).write_bytes(b"something")
    target.with_name("pack.part.json").write_bytes(note)
    served = Served(content=CONTENT)
    async with provider(served) as client:
        await fetch(client, target)
    assert served.asked == [None]
    assert target.read_bytes() == CONTENT
    assert alone(target)

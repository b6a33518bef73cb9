"""Packs made ahead: from what was desired before and from what was asked for, before anybody waits."""

import asyncio
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from federation.digest import Digest
from federation.transfer import pack, packstore
from federation.transfer.packshelf import HANDED_OUT_SECONDS
from node.model.desired import ListKind
from tests.support.nodes import Member, Network, chain

FILES = {"app.py": b"print('hello')\n" * 50, "data/words.txt": bytes(range(256)) * 40}


def packs(member: Member) -> set[tuple[str, str]]:
    """Base and image of each pack on the disk."""
    found = (path.name.split("_") for path in (member.folder / "packs").glob("*.pack"))
    return {(base, image) for base, image, _ in found}


async def develop(member: Member, number: int) -> Digest:
    files = {**FILES, "app.py": b"print(%d)\n" % number + FILES["app.py"]}
    return (await member.develop("shop", f"acme-1.0.{number}", files)).image


async def test_a_new_version_can_be_had_before_anybody_asks(tmp_path: Path) -> None:
    """From the one desired before, from one that was lately asked for, and whole."""
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    images = [await develop(acme, number) for number in range(3)]
    acme.use.packs.asked(None, images[0])
    await acme.use.packs.make()
    assert packs(acme) == {("full", images[2]), (images[0], images[2])}
    newest = await develop(acme, 3)
    await acme.use.packs.make()
    assert packs(acme) - {("full", images[2]), (images[0], images[2])} == {
        ("full", newest),
        (images[2], newest),
        (images[0], newest),
    }


async def test_what_nobody_can_ask_for_is_not_made(tmp_path: Path) -> None:
    """A node without consumers makes no packs of developer versions, one without agents none of client versions."""
    network = Network(tmp_path)
    acme = network.add("acme")
    await develop(acme, 0)
    await acme.use.packs.make()
    assert packs(acme) == set()


async def test_a_change_is_seen_to_while_it_runs(tmp_path: Path) -> None:
    """What was desired at the start is not made anew; each later change is."""
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    first = await develop(acme, 0)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(acme.use.packs.run())
        await asyncio.sleep(0.05)
        assert packs(acme) == set()
        second = await develop(acme, 1)
        async with asyncio.timeout(20):
            while (first, second) not in packs(acme):
                await asyncio.sleep(0.02)
        running.cancel()


async def test_a_version_that_can_not_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    """It is told in the log, and asked for again only when it is desired anew."""
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    await develop(acme, 0)
    await acme.use.packs.make()
    broken = await develop(acme, 1)
    for path in (acme.folder / "blobs").rglob(f"{broken}.zst"):
        path.unlink()
    await acme.use.packs.make()
    fine = await develop(acme, 2)
    await acme.use.packs.make()
    assert ("full", fine) in packs(acme)


async def test_a_pack_asked_for_often_becomes_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, in the background; whoever asks later gets the better one, under another entity tag."""
    monkeypatch.setattr(packstore, "OFTEN", 3)
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    rng = random.Random(1)
    words = [rng.randbytes(rng.randrange(2, 9)).hex().encode() for _ in range(2000)]
    text = b" ".join(words[min(int(rng.paretovariate(0.6)), 1999)] for _ in range(60_000))
    image = (await acme.develop("shop", "acme-1.0.0", {"text": text})).image
    before = [await acme.use.images.pack(None, image) for _ in range(3)]
    await acme.use.packs.make()
    after = await acme.use.images.pack(None, image)
    assert after.size < before[-1].size
    assert after.digest != before[-1].digest
    assert after.full_bytes == after.size
    assert before[-1].path.exists()  # whoever was told of it can still open it
    network.later(seconds=HANDED_OUT_SECONDS + 1)
    made = after.path.stat().st_ino
    await acme.use.packs.make()
    assert (await acme.use.images.pack(None, image)).digest == after.digest
    assert after.path.stat().st_ino == made
    assert not before[-1].path.exists()


async def test_many_who_wait_for_a_pack_hold_no_thread_that_others_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long one takes to make, files are read and written meanwhile."""
    may_end = threading.Event()
    made: list[object] = []
    really: Callable[..., int] = pack.make_pack

    def slow(**given: object) -> int:
        made.append(given["image"])
        assert may_end.wait(30)
        return really(**given)

    monkeypatch.setattr(packstore, "make_pack", slow)
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    image = await develop(acme, 0)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(acme.use.images.pack(None, image)) for _ in range(100)]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(10):
            assert await asyncio.to_thread(lambda: 42) == 42
        may_end.set()
    assert len({task.result().path for task in waiting}) == 1
    assert len(made) == 1
    assert (await acme.use.versions.find(ListKind.DEVELOPER, None, first=1))[0].image == image

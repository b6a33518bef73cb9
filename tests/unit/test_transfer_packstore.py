"""The pack store: one pack for each pair, made once, the cheaper of two, within a budget."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, VUpdateError
from federation.image import Image
from federation.transfer import Pack, PackStore, load_image, store_image, unpack
from federation.transfer import packstore as packstore_module
from federation.transfer.pack import make_pack
from federation.transfer.packshelf import HANDED_OUT_SECONDS
from tests.support.blobs import MemoryBlobs
from tests.support.clock import FakeClock
from tests.support.packs import NEW_TREE, OLD_TREE, has_all
from tests.support.trees import Tree, contents_of, file, image_of, noise, successions

PLENTY = 10**9


class Counting(MemoryBlobs):
    """Counts how often each content is opened."""

    def __init__(self, contents: list[bytes]) -> None:
        super().__init__(contents)
        self.opened: dict[Digest, int] = {}

    def open(self, digest: Digest) -> BinaryIO:
        self.opened[digest] = self.opened.get(digest, 0) + 1
        return super().open(digest)


def blobs_of(*trees: Tree) -> Counting:
    blobs = Counting(contents_of(*trees))
    for tree in trees:
        store_image(blobs, image_of(tree))
    return blobs


def store_of(folder: Path, blobs: MemoryBlobs, budget: int = PLENTY, clock: FakeClock | None = None) -> PackStore:
    return PackStore(folder, blobs, budget, lambda digest: load_image(blobs, digest), clock=clock or FakeClock())


OLD, NEW = image_of(OLD_TREE), image_of(NEW_TREE)


def arrives(pack: Pack, base: Image | None, image: Image, held: MemoryBlobs) -> bool:
    sink = MemoryBlobs()
    known = base if pack.base is not None else None
    unpack(pack.path, expected=image.digest, base=known, old=held, sink=sink)
    return has_all(sink, image)


def test_a_delta_is_the_cheaper_one(tmp_path: Path) -> None:
    """It says what it rests on and what it saves."""
    blobs = blobs_of(OLD_TREE, NEW_TREE)
    store = store_of(tmp_path, blobs)
    full, delta = store.get(None, NEW.digest), store.get(OLD.digest, NEW.digest)
    assert (full.base, delta.base) == (None, OLD.digest)
    assert delta.size == delta.path.stat().st_size < full.size
    assert delta.full_bytes == full.full_bytes == full.size == full.path.stat().st_size
    assert arrives(full, None, NEW, MemoryBlobs())
    assert arrives(delta, OLD, NEW, blobs)


def padded(target: Path, **given: Any) -> int:
    """As ``make_pack``, but a delta comes out big."""
    size = make_pack(target=target, **given)
    if given["base"] is not None:
        with target.open("ab") as stream:
            size += stream.write(bytes(20_000))
    return size


def test_the_full_pack_is_taken_where_a_delta_saves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the useless delta is neither kept nor made again."""
    monkeypatch.setattr(packstore_module, "make_pack", padded)
    blobs = blobs_of(OLD_TREE, NEW_TREE)
    store = store_of(tmp_path, blobs)
    pack = store.get(OLD.digest, NEW.digest)
    assert pack.base is None
    assert pack == store.get(None, NEW.digest)
    assert [path.name for path in tmp_path.iterdir()] == [pack.path.name]
    blobs.opened.clear()
    assert store.get(OLD.digest, NEW.digest) == pack
    assert blobs.opened == {}


@settings(max_examples=40)
@given(successions())
def test_a_pack_is_never_bigger_than_the_full_one(
    tmp_path_factory: pytest.TempPathFactory, pair: tuple[Tree, Tree]
) -> None:
    """And whatever is returned brings the image."""
    blobs = blobs_of(*pair)
    old, new = map(image_of, pair)
    store = store_of(tmp_path_factory.mktemp("packs"), blobs)
    full, pack = store.get(None, new.digest), store.get(old.digest, new.digest)
    assert pack.size <= full.size
    assert pack.full_bytes == full.size
    assert arrives(pack, old, new, blobs)
    store.close()


def test_a_pack_is_made_once(tmp_path: Path) -> None:
    """Asked for again, nothing is read; after a new start its file serves on."""
    blobs = blobs_of(OLD_TREE, NEW_TREE)
    first = store_of(tmp_path, blobs)
    pack = first.get(OLD.digest, NEW.digest)
    blobs.opened.clear()
    assert first.get(OLD.digest, NEW.digest) == pack
    assert blobs.opened == {}
    again = store_of(tmp_path, blobs)
    assert again.get(OLD.digest, NEW.digest) == pack
    assert blobs.opened.keys() <= {OLD.digest, NEW.digest}


def test_many_who_ask_at_once_share_one_making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is being made, all wait for the same one."""
    store = store_of(tmp_path, blobs_of(OLD_TREE, NEW_TREE))
    askers = 6
    asking = threading.Barrier(askers + 1)
    may_end = threading.Event()
    made: list[Digest] = []

    def slow(**given: Any) -> int:
        made.append(given["image"].digest)
        assert may_end.wait(30)
        return make_pack(**given)

    def ask() -> Pack:
        asking.wait(30)
        return store.get(None, NEW.digest)

    monkeypatch.setattr(packstore_module, "make_pack", slow)
    with ThreadPoolExecutor(askers) as pool:
        answers = [pool.submit(ask) for _ in range(askers)]
        asking.wait(30)
        may_end.set()
        packs = {answer.result(30) for answer in answers}
    assert len(packs) == 1
    assert made == [NEW.digest]


def test_without_the_base_the_full_pack_is_given(tmp_path: Path) -> None:
    """If it was never here, or was collected, or is damaged."""
    blobs = blobs_of(OLD_TREE, NEW_TREE)
    never = store_of(tmp_path / "a", blobs).get(Digest.of(b"never"), NEW.digest)
    assert never.base is None
    blobs.kept[Digest.of(noise(6000, 1))] = b"damaged"
    assert store_of(tmp_path / "b", blobs).get(OLD.digest, NEW.digest).base is None
    blobs.remove(Digest.of(noise(6000, 1)))
    assert store_of(tmp_path / "c", blobs).get(OLD.digest, NEW.digest).base is None


def test_an_image_that_is_not_here_whole_is_an_error(tmp_path: Path) -> None:
    """Which is told to each who asks, and passes when the image is whole again."""
    blobs = blobs_of(OLD_TREE, NEW_TREE)
    store = store_of(tmp_path, blobs)
    with pytest.raises(AbsentError):
        store.get(None, Digest.of(b"never"))
    lost = noise(500, 3)
    for kept, error in ((None, AbsentError), (b"damaged", CorruptError)):
        blobs.remove(Digest.of(lost))
        if kept is not None:
            blobs.kept[Digest.of(lost)] = kept
        for base in (None, OLD.digest):
            with pytest.raises(error):
                store.get(base, NEW.digest)
    assert list(tmp_path.iterdir()) == []
    blobs.kept[Digest.of(lost)] = lost
    assert store.get(None, NEW.digest).size > 0


def test_a_base_that_was_collected_since_is_no_obstacle(tmp_path: Path) -> None:
    """The delta is gone for want of room, and can't be made again: the full pack is given."""
    blobs = blobs_of(OLD_TREE, NEW_TREE)
    store = store_of(tmp_path, blobs)
    delta = store.get(OLD.digest, NEW.digest)
    assert delta.base == OLD.digest
    delta.path.unlink()
    blobs.remove(OLD.digest)
    assert store.get(OLD.digest, NEW.digest).base is None


def trees(count: int) -> list[Tree]:
    """Trees of which no two share anything, all of one size."""
    return [{"a": file(noise(5000, seed))} for seed in range(count)]


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    """Use, not age, decides; and it is remembered across a start."""
    found = trees(4)
    digests = [image_of(tree).digest for tree in found]
    blobs, clock = blobs_of(*found), FakeClock()
    store = store_of(tmp_path, blobs, 16_000, clock)
    packs = [store.get(None, digest) for digest in digests[:3]]
    clock.advance(HANDED_OUT_SECONDS + 1)
    store.get(None, digests[0])
    clock.advance(HANDED_OUT_SECONDS + 1)
    store.get(None, digests[3])
    assert [pack.path.exists() for pack in packs] == [True, False, True]
    os.utime(packs[0].path, (1, 1))
    store_of(tmp_path, blobs, 16_000, clock).get(None, digests[1])
    assert [pack.path.exists() for pack in packs] == [False, True, True]


def test_what_was_just_handed_out_stays(tmp_path: Path) -> None:
    """Over the budget if need be, until its readers had time to open it."""
    found = trees(3)
    digests = [image_of(tree).digest for tree in found]
    clock = FakeClock()
    store = store_of(tmp_path, blobs_of(*found), 100, clock)
    packs = [store.get(None, digest) for digest in digests]
    assert all(pack.path.exists() for pack in packs)
    clock.advance(HANDED_OUT_SECONDS + 1)
    store.get(None, digests[2])
    assert [pack.path.exists() for pack in packs] == [False, False, True]
    assert store.get(None, digests[0]) == packs[0]


def test_leftovers_are_removed_and_strangers_left_alone(tmp_path: Path) -> None:
    """A pack half made when the power went is no pack."""
    (tmp_path / ".full_x.pack.abc.tmp").write_bytes(b"half")
    (tmp_path / "README").write_bytes(b"mine")
    store = store_of(tmp_path, blobs_of(NEW_TREE), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["README"]
    store.get(None, NEW.digest)
    assert (tmp_path / "README").read_bytes() == b"mine"


def test_a_pack_removed_by_hand_is_made_again(tmp_path: Path) -> None:
    """The store does not promise a file that is not there."""
    store = store_of(tmp_path, blobs_of(OLD_TREE, NEW_TREE))
    pack = store.get(OLD.digest, NEW.digest)
    pack.path.unlink()
    assert store.get(OLD.digest, NEW.digest) == pack
    assert pack.path.exists()


@pytest.mark.parametrize("change", [1, 4000])
def test_a_big_image_is_priced_by_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: int) -> None:
    """Its full pack is made only where the delta is not clearly cheaper, or when it is asked for."""
    monkeypatch.setattr(packstore_module, "PRICED_IMAGE_BYTES", 10)
    old: Tree = {"a": file(noise(5000)), "b": file(noise(5000, 2))}
    new: Tree = {"a": file(noise(change, 3) + noise(5000)[change:]), "b": old["b"]}
    blobs = blobs_of(old, new)
    pack = store_of(tmp_path, blobs).get(image_of(old).digest, image_of(new).digest)
    assert pack.base == image_of(old).digest
    full_is_there = any(path.name.startswith("full") for path in tmp_path.iterdir())
    assert full_is_there == (change > 2000)
    full = store_of(tmp_path, blobs).get(None, image_of(new).digest)
    assert full.full_bytes == full.size
    assert pack.full_bytes == (full.size if full_is_there else 10_000)


def test_a_failed_making_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next who asks starts anew."""
    store = store_of(tmp_path, blobs_of(NEW_TREE))

    def failing(**_: object) -> int:
        raise VUpdateError("no")

    with monkeypatch.context() as patch:
        patch.setattr(packstore_module, "make_pack", failing)
        with pytest.raises(VUpdateError):
            store.get(None, NEW.digest)
    assert store.get(None, NEW.digest).size > 0


def test_a_pack_that_rotted_is_made_again_after_a_start(tmp_path: Path) -> None:
    """Its name tells what it should be; a whole one is not made twice."""
    blobs = blobs_of(OLD_TREE, NEW_TREE)
    pack = store_of(tmp_path, blobs).get(None, NEW.digest)
    whole = pack.path.read_bytes()
    pack.path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    again = store_of(tmp_path, blobs).get(None, NEW.digest)
    assert again == pack
    assert again.path.read_bytes() == whole
    pack.path.write_bytes(whole[:-1])
    assert store_of(tmp_path, blobs).get(None, NEW.digest).path.read_bytes() == whole


def test_packs_of_earlier_versions_are_removed(tmp_path: Path) -> None:
    """Their names do not say what is in them."""
    old = tmp_path / f"full_{NEW.digest}.pack"
    old.write_bytes(b"x")
    store_of(tmp_path, blobs_of(NEW_TREE))
    assert not old.exists()


def test_a_closed_store_gives_up_what_it_is_making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node stops at once, however long the pack would have taken; nothing half made is left."""
    store = store_of(tmp_path, blobs_of(OLD_TREE, NEW_TREE))
    begun = threading.Event()

    def slow(**given: Any) -> int:
        begun.set()
        assert store._closed.wait(30)
        return make_pack(**given)

    monkeypatch.setattr(packstore_module, "make_pack", slow)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(store.prepare, None, NEW.digest)
        assert begun.wait(30)
        store.close()
        with pytest.raises(packstore_module.ClosedError):
            asked.result(30)
    assert list(tmp_path.iterdir()) == []

"""Packs: what goes in comes out, whatever the two trees, and costs what changed."""

import io
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, TamperedError
from federation.image import Image
from federation.transfer import plan as planning
from federation.transfer import unpack
from federation.transfer.blobs import LocalBlobs
from federation.transfer.format import HEADER_BYTES
from federation.transfer.images import load_image, store_image
from federation.transfer.pack import make_pack
from tests.support.blobs import MemoryBatchBlobs, MemoryBlobs
from tests.support.packs import NEW_TREE, OLD_TREE, has_all, update
from tests.support.trees import Node, Tree, contents_of, file, image_of, noise, successions, trees


def transfer(old: Mapping[str, Node] | None, new: Mapping[str, Node]) -> None:
    """Make the pack and take it in, twice: into an empty store and into that of the old version."""
    base = None if old is None else image_of(old)
    image = image_of(new)
    held = MemoryBlobs(contents_of(old or {}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pack"
        made = make_pack(base=base, image=image, source=MemoryBlobs(contents_of(old or {}, new)), target=path)
        assert made == path.stat().st_size
        fresh = MemoryBatchBlobs()
        for sink in (fresh, held):
            assert unpack(path, expected=image.digest, base=base, old=held, sink=sink) == image
            assert has_all(sink, image)
        assert fresh.kept.keys() == image.contents.keys()
        assert [entry.name for entry in Path(folder).iterdir()] == ["a.pack"]


@settings(max_examples=60)
@given(successions(), st.sampled_from([planning.FRAME_BYTES, 30_000, 5000, 64]))
def test_any_update_arrives(pair: tuple[Tree, Tree], bound: int) -> None:
    """Also in several frames and in pieces of files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "FRAME_BYTES", bound)
        transfer(*pair)


@settings(max_examples=40)
@given(trees())
def test_any_tree_arrives_where_nothing_is(tree: Tree) -> None:
    """The full pack needs no base."""
    transfer(None, tree)


def test_a_pack_from_nothing_to_an_empty_tree() -> None:
    """The smallest pack there is."""
    transfer(None, {})
    transfer({"a": file(b"x")}, {})


def test_a_delta_costs_what_changed(tmp_path: Path) -> None:
    """A changed line in a big incompressible file, a rename with a changed line, and nothing else."""
    old = {"app.bin": file(noise(500_000)), "lib-1.0/x": file(noise(90_000, 2)), "same": file(noise(90_000, 3))}
    new = {
        "app.bin": file(noise(500_000)[:250_000] + b"changed" + noise(500_000)[250_000:]),
        "lib-1.1/x": file(b"first" + noise(90_000, 2)),
        "same": old["same"],
    }
    assert update(tmp_path, old, new).path.stat().st_size < 500


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """So a pack that broke off may be continued after it was made anew."""
    assert update(tmp_path, name="a").content == update(tmp_path, name="b").content


def test_a_higher_level_makes_no_bigger_pack(tmp_path: Path) -> None:
    """And is read the same way."""
    text = b"".join(b"the word %d\n" % byte for byte in noise(20_000))
    source, image = MemoryBlobs([text]), image_of({"text": file(text)})
    sizes = [
        make_pack(base=None, image=image, source=source, target=tmp_path / str(level), level=level)
        for level in (1, 3, 12, 19)
    ]
    assert sizes[-1] < sizes[0]
    for level in (1, 3, 12, 19):
        sink = MemoryBlobs()
        unpack(tmp_path / str(level), expected=image.digest, base=None, old=None, sink=sink)
        assert has_all(sink, image)


def test_a_pack_into_a_local_store(tmp_path: Path) -> None:
    """With the store's own old contents as the base; unchanged ones are there already."""
    made = update(tmp_path)
    store = LocalBlobs(tmp_path / "blobs")
    for content in made.old_contents:
        store.add(io.BytesIO(content), Digest.of(content))
    unpack(made.path, expected=made.new.digest, base=made.old, old=store, sink=store)
    for digest in made.new.contents:
        with store.open(digest) as stream:
            assert Digest.of(stream.read()) == digest


def test_a_full_pack_needs_no_old_version(tmp_path: Path) -> None:
    """It is taken by whoever has a base too."""
    source = MemoryBlobs(contents_of(NEW_TREE))
    image = image_of(NEW_TREE)
    make_pack(base=None, image=image, source=source, target=tmp_path / "full")
    sink = MemoryBlobs()
    unpack(tmp_path / "full", expected=image.digest, base=image_of(OLD_TREE), old=None, sink=sink)
    assert has_all(sink, image)


def test_a_missing_content_leaves_no_pack(tmp_path: Path) -> None:
    """Absent is told from damaged, and the file that stood there stays."""
    target = tmp_path / "a.pack"
    target.write_bytes(b"before")
    image = image_of(NEW_TREE)
    source = MemoryBlobs(contents_of(NEW_TREE))
    source.remove(Digest.of(noise(500, 3)))
    with pytest.raises(AbsentError):
        make_pack(base=None, image=image, source=source, target=target)
    source.kept[Digest.of(noise(500, 3))] = b"damaged"
    with pytest.raises(CorruptError):
        make_pack(base=None, image=image, source=source, target=target)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


class Lying(MemoryBlobs):
    """A source that does not check what it gives out."""

    def open(self, digest: Digest) -> io.BytesIO:
        return io.BytesIO(self.kept[digest])


@pytest.mark.parametrize("given_out", [b"", b"shorter", noise(500, 3) + b"longer"], ids=len)
def test_a_content_of_another_size_is_noticed(tmp_path: Path, given_out: bytes) -> None:
    """Even if the source does not check."""
    source = Lying(contents_of(NEW_TREE))
    source.kept[Digest.of(noise(500, 3))] = given_out
    with pytest.raises(CorruptError):
        make_pack(base=None, image=image_of(NEW_TREE), source=source, target=tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [None, b"damaged"])
def test_a_damaged_old_version_is_told_from_a_bad_pack(tmp_path: Path, kept: bytes | None) -> None:
    """So that the caller knows to take the full pack; nothing reaches the sink."""
    made = update(tmp_path)
    old = made.blobs()
    old.remove(Digest.of(noise(6000, 1)))
    if kept is not None:
        old.kept[Digest.of(noise(6000, 1))] = kept
    sink = MemoryBlobs()
    with pytest.raises(CorruptError):
        unpack(made.path, expected=made.new.digest, base=made.old, old=old, sink=sink)
    assert sink.kept == {}


def test_a_delta_without_its_base_is_refused(tmp_path: Path) -> None:
    """With no base, or the base without its contents."""
    made = update(tmp_path)
    for base, old in ((None, made.blobs()), (made.old, None)):
        sink = MemoryBlobs()
        with pytest.raises(TamperedError, match="full pack"):
            unpack(made.path, expected=made.new.digest, base=base, old=old, sink=sink)
        assert sink.kept == {}


def test_an_index_is_kept_among_the_contents() -> None:
    """Under the digest of its image; a damaged one, or a file that is none, is corrupt."""
    blobs = MemoryBlobs([b"no index"])
    image = image_of(NEW_TREE)
    store_image(blobs, image)
    assert load_image(blobs, image.digest) == image
    with pytest.raises(CorruptError):
        load_image(blobs, Digest.of(b"no index"))
    with pytest.raises(AbsentError):
        load_image(blobs, Digest.of(b"never"))


def test_the_layout_is_the_documented_one(tmp_path: Path) -> None:
    """Header, index section, contents section, nothing else."""
    made = update(tmp_path)
    content = made.content
    assert content[:12] == b"vUpdPack\0\0\0\1"
    assert content[12:44].hex() == made.old.digest
    assert content[44:76].hex() == made.new.digest
    assert int.from_bytes(content[76:84], "big") == len(made.new.encoded)
    index, contents = (int.from_bytes(content[place : place + 8], "big") for place in (84, 92))
    assert HEADER_BYTES + index + contents == len(content)
    assert Image.decode(made.new.encoded) == made.new

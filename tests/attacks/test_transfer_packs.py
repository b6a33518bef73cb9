"""Story: somebody between the provider and us alters a pack. It is refused, and nothing of ours changes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.digest import Digest
from federation.errors import TamperedError, VUpdateError
from federation.image import Entry, Image, Kind
from federation.limits import MIB
from federation.transfer import install_pack, zstd
from federation.transfer.format import Header
from tests.support.blobs import MemoryBatchBlobs, MemoryBlobs
from tests.support.packs import NEW_TREE, OLD_TREE, Update, has_all, update
from tests.support.trees import file, image_of, noise, snapshot, write


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Update:
    return update(tmp_path_factory.mktemp("packs"))


def frame(content: bytes, *, prefix: bytes = b"", bits: int = 20) -> bytes:
    return b"".join(zstd.compressed([content], size=len(content), bits=bits, level=3, prefix=prefix))


def row() -> bytes:
    """The bytes that the contents section of the update holds when unpacked."""
    kept = image_of(OLD_TREE).contents
    wanted = (node.content for _, node in sorted(NEW_TREE.items()) if Digest.of(node.content) not in kept)
    return b"".join(wanted)


def sinks() -> Iterator[MemoryBlobs]:
    yield MemoryBlobs([b"ours"])
    yield MemoryBatchBlobs([b"ours"])


def assert_refused(attack: Update, match: str | None = None) -> None:
    """By both kinds of sink and by the installer, and each is as it was."""
    for sink in sinks():
        before = dict(sink.kept)
        with pytest.raises(TamperedError, match=match):
            attack.apply(sink)
        assert sink.kept == before
    folder = attack.path.with_name("instance")
    running = folder / "old"
    if not running.exists():
        write(OLD_TREE, running)
    before_disk = snapshot(folder)
    with pytest.raises(TamperedError, match=match):
        install_pack(attack.path, expected=attack.new.digest, base=attack.old, base_tree=running, target=folder / "new")
    assert snapshot(folder) == before_disk


def test_the_untouched_pack_is_taken(made: Update) -> None:
    """Else the refusals below would say nothing."""
    for sink in sinks():
        made.apply(sink)
        assert has_all(sink, made.new)


def test_each_byte_of_the_pack_counts(made: Update) -> None:
    """Any byte inverted, in any section: refused, or (where a frame leaves a bit free) no difference at all."""
    harmless = []
    for place in range(len(made.content)):
        content = bytearray(made.content)
        content[place] ^= 0xFF
        sink = MemoryBatchBlobs([b"ours"])
        before = dict(sink.kept)
        try:
            made.altered(bytes(content)).apply(sink)
        except VUpdateError:
            assert sink.kept == before
        else:
            harmless.append(place)
            assert has_all(sink, made.new)
            assert sink.kept.keys() == before.keys() | made.new.contents.keys()
    assert harmless == []


@given(st.data())
def test_flipped_bits_never_do_harm(made: Update, data: st.DataObject) -> None:
    """A few bits anywhere: the sink is as it was, or has exactly what is right."""
    content = bytearray(made.content)
    for place in data.draw(st.lists(st.integers(0, len(content) * 8 - 1), min_size=1, max_size=3)):
        content[place // 8] ^= 1 << place % 8
    sink = MemoryBatchBlobs([b"ours"])
    before = dict(sink.kept)
    try:
        made.altered(bytes(content)).apply(sink)
    except VUpdateError:
        assert sink.kept == before
    else:
        assert sink.kept.keys() == before.keys() | made.new.contents.keys()
        assert has_all(sink, made.new)


def test_a_pack_cut_short(made: Update) -> None:
    """At any place, with the header as it was, or made to fit."""
    for kept in range(0, len(made.content), 7):
        with pytest.raises(TamperedError):
            made.altered(made.content[:kept]).apply(MemoryBlobs())
    index, contents = made.sections()
    assert_refused(made.altered(made.content[:-1]), match="cut")
    assert_refused(made.with_sections(index, contents[:-1]))
    assert_refused(made.with_sections(index[:-1], contents))
    assert_refused(made.with_sections(index, b""))
    assert_refused(made.altered(b""))


def test_a_pack_with_bytes_behind(made: Update) -> None:
    """Behind the pack, behind its index, behind its contents: bytes or whole frames."""
    index, contents = made.sections()
    for more in (b"\0", frame(b""), frame(b"more")):
        assert_refused(made.altered(made.content + more))
        assert_refused(made.with_sections(index + more, contents))
        assert_refused(made.with_sections(index, contents + more))


def test_the_pack_of_another_image(made: Update, tmp_path: Path) -> None:
    """A genuine pack for what was not asked for, and one that claims to be the right one."""
    other = update(tmp_path, new={**NEW_TREE, "evil": file(b"evil")})
    assert_refused(replace(made, path=other.path), match="asked for")
    index, contents = other.sections()
    sizes = {"index_bytes": other.header.index_bytes}
    assert_refused(made.with_sections(index, contents, **sizes), match="index")


def test_a_swapped_index(made: Update) -> None:
    """An index of the attacker's making is refused before any content is looked at."""
    evil = image_of({**NEW_TREE, "bin/run": file(b"evil")}).encoded
    attack = made.with_sections(frame(evil, prefix=made.old.encoded), made.sections()[1], index_bytes=len(evil))
    assert_refused(attack, match="not the signed one")


def test_a_pack_on_another_base(made: Update, tmp_path: Path) -> None:
    """By its header, and with a header that claims the right base."""
    other = update(tmp_path, old={**OLD_TREE, "lib/one.bin": file(b"other" + noise(6000, 1))})
    assert_refused(replace(made, path=other.path), match="rests on")
    assert_refused(made.with_sections(*other.sections()))


def test_contents_swapped_with_one_another(made: Update) -> None:
    """Right bytes in the wrong order, and another file of the same size in the place of one."""
    right = row()
    assert_refused(made.with_sections(made.sections()[0], frame(right[17:] + right[:17])), match="bin/run")
    assert_refused(made.with_sections(made.sections()[0], frame(b"#!/bin/sh\necho 3\n" + right[17:])), match="bin/run")


def test_the_right_contents_compressed_by_another(made: Update) -> None:
    """Who made a frame does not matter: what it holds does."""
    sink = MemoryBlobs()
    made.with_sections(made.sections()[0], frame(row())).apply(sink)
    assert has_all(sink, made.new)


def test_a_bomb_in_the_contents(made: Update) -> None:
    """A few kilobytes that would unpack to a quarter of a gigabyte: no more than due is ever unpacked."""
    bomb = frame(bytes(256 * MIB), bits=27)
    assert len(bomb) < 40_000
    assert_refused(made.with_sections(made.sections()[0], bomb))
    right = row()
    assert_refused(made.with_sections(made.sections()[0], frame(right + bytes(64 * MIB))))


def test_a_bomb_in_the_index(made: Update) -> None:
    """With the size of the true index in the header, with its own, and with one over the bound."""
    index, contents = frame(bytes(129 * MIB), bits=27), made.sections()[1]
    assert_refused(made.with_sections(index, contents))
    assert_refused(made.with_sections(index, contents, index_bytes=129 * MIB), match="announces")
    assert_refused(made.with_sections(frame(bytes(MIB)), contents, index_bytes=MIB))


def test_a_window_too_large(made: Update) -> None:
    """A frame of the right content that asks its reader for 128 MiB of memory."""
    right = row()
    unsized = b"".join(zstd.compressed_plainly([right], level=3))
    assert unsized[4] & 0x20 == 0, "a window descriptor follows"
    greedy = unsized[:5] + bytes([(27 - 10) << 3]) + unsized[6:]
    assert_refused(made.with_sections(made.sections()[0], greedy), match="can't be read")


def signed_image(made: Update, image: bytes) -> Update:
    """What a malicious origin can do: sign an index of its own, and send a full pack for it."""
    path = made.path.with_name("origin.pack")
    index = frame(image)
    header = Header(
        base=None,
        image=Digest.of(image),
        index_bytes=len(image),
        index_section_bytes=len(index),
        contents_section_bytes=0,
    )
    path.write_bytes(header.to_bytes() + index)
    return replace(made, path=path)


@pytest.mark.parametrize(
    "rows",
    [
        '["../evil","l","x"]',
        '["/etc/evil","l","x"]',
        '["a","l","/etc"]',
        '["a","l","../.."]',
        '["a","l","b"]\n["a/x","d"]',
        '["a","d"]\n["a","d"]',
        '["a","l","a"]',
        '["d","d"]\n["d/up","l","../d"]\n["out","l","d/up/../.."]',
        '["a","s"]',
        '["a","f",-1,"' + "0" * 64 + '"]',
        '["a","f",9999999999999,"' + "0" * 64 + '"]',
        "[" * 5000,
        '["a\\u0000","d"]',
    ],
)
def test_a_signed_index_that_is_not_safe(made: Update, rows: str) -> None:
    """Even the origin's signature opens no path out of the folder."""
    index = f'["vupdate-image",1]\n{rows}\n'.encode()
    attack = signed_image(made, index)
    sink = MemoryBlobs()
    target = attack.path.with_name("target")
    with pytest.raises(VUpdateError):
        install_pack(attack.path, expected=Digest.of(index), base=None, base_tree=None, target=target)
    assert sink.kept == {}
    assert not target.exists()


def test_a_signed_index_that_lies_about_a_size(made: Update, tmp_path: Path) -> None:
    """An origin that signs another size than the content has: the content is refused, not cut or filled up."""
    content = b"content"
    for size in (0, 3, 6, 8, 70_000):
        image = Image((Entry("a", Kind.FILE, size, Digest.of(content)),))
        index = frame(image.encoded)
        packed = frame(content) if size else b""
        header = Header(
            base=None,
            image=image.digest,
            index_bytes=len(image.encoded),
            index_section_bytes=len(index),
            contents_section_bytes=len(packed),
        )
        path = tmp_path / "lie.pack"
        path.write_bytes(header.to_bytes() + index + packed)
        with pytest.raises(TamperedError):
            install_pack(path, expected=image.digest, base=None, base_tree=None, target=tmp_path / "t")
        assert not (tmp_path / "t").exists()


def test_a_service_that_altered_its_own_files_is_no_way_in(made: Update, tmp_path: Path) -> None:
    """Old bytes that were changed on the instance never end up in the new version."""
    running = write(OLD_TREE, tmp_path / "old")
    (running / "lib/same.bin").write_bytes(b"evil" * 750)
    with pytest.raises(VUpdateError, match="full pack"):
        install_pack(made.path, expected=made.new.digest, base=made.old, base_tree=running, target=tmp_path / "new")
    assert not (tmp_path / "new").exists()

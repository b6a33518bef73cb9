"""The plan of a pack: a function of the two images alone, that puts old bytes where they help."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.digest import Digest
from federation.image import Entry, Image, Kind
from federation.limits import GIB, MIB
from federation.transfer import plan as planning
from federation.transfer.plan import Content, Frame, Plan, Span, plan
from tests.support.trees import Tree, file, image_of, successions


def prefix_of(found: Plan) -> list[Digest]:
    return [span.digest for frame in found.frames for span in frame.prefix]


def digests(*contents: bytes) -> list[Digest]:
    return [Digest.of(content) for content in contents]


def tree(**files: bytes) -> Tree:
    return {path: file(content) for path, content in files.items()}


def big(path: str, size: int, name: bytes = b"") -> Entry:
    """A file of a size that no test writes."""
    return Entry(path, Kind.FILE, size, Digest.of(name or path.encode()))


def test_without_a_base_all_contents_stand_in_one_frame() -> None:
    """Each distinct one once, in the order of the paths, and nothing before it."""
    found = plan(None, image_of(tree(b=b"two", a=b"one", c=b"one")))
    assert found.wanted == tuple(Content(Digest.of(content), 3) for content in (b"one", b"two"))
    assert found.frames == (Frame(6),)


def test_the_same_image_needs_nothing() -> None:
    """Neither do renames, copies and changes of mode."""
    old = image_of(tree(a=b"one", b=b"two"))
    assert plan(old, old) == Plan((), ())
    assert plan(old, image_of(tree(x=b"one", y=b"two", z=b"two"))) == Plan((), ())


def test_an_empty_file_needs_no_frame() -> None:
    """It is wanted, and has no byte."""
    found = plan(image_of(tree(a=b"one")), image_of(tree(a=b"one", b=b"")))
    assert found == Plan((Content(Digest.of(b""), 0),), ())


def test_a_changed_file_stands_against_its_old_version() -> None:
    """And unchanged files are not in the prefix."""
    found = plan(image_of(tree(a=b"old", b=b"same")), image_of(tree(a=b"newer", b=b"same")))
    assert found.frames == (Frame(5, (Span(Digest.of(b"old"), 0, 3),)),)


def test_removed_files_stand_first_then_old_versions_in_the_order_of_the_new() -> None:
    """So that what repeats is found again at about the same distance."""
    old = tree(a=b"a1", gone=b"gone", z=b"z1")
    found = plan(image_of(old), image_of(tree(a=b"a2", z=b"z2", m=b"m")))
    assert prefix_of(found) == digests(b"gone", b"a1", b"z1")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("lib-1.2.dist/x", "lib-1.10.dist/x"),
        ("main.3fa9c1d0.js", "main.77aa01bc.js"),
        ("index-BkQz81sX.js", "index-Cc01_abQ.js"),
        ("old/place/x.py", "new/x.py"),
    ],
)
def test_a_renamed_file_stands_against_what_it_was(before: str, after: str) -> None:
    """New versions, new hashes and new folders are seen through; the partner stands last, where it is matched."""
    old = {before: file(b"was"), "0": file(b"gone1"), "zz/q": file(b"gone2")}
    found = plan(image_of(old), image_of({after: file(b"is")}))
    assert prefix_of(found)[-1] == Digest.of(b"was")
    assert sorted(prefix_of(found)) == sorted(digests(b"was", b"gone1", b"gone2"))


def test_a_file_that_became_a_folder_is_a_removed_one() -> None:
    """Its content helps as that of any removed file."""
    found = plan(image_of({"a": file(b"was")}), image_of({"a/b": file(b"is")}))
    assert prefix_of(found) == digests(b"was")


def test_a_change_over_the_bound_is_cut_into_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file stays with its own old version, and no group with its prefix is over the bound."""
    monkeypatch.setattr(planning, "FRAME_BYTES", 10)
    old = tree(a=b"a111", b=b"b111", c=b"c")
    found = plan(image_of(old), image_of(tree(a=b"a222", b=b"b222", c=b"d")))
    assert [frame.size for frame in found.frames] == [4, 5]
    assert [[span.digest for span in frame.prefix] for frame in found.frames] == [
        digests(b"a111"),
        digests(b"b111", b"c"),
    ]


def test_a_big_file_is_cut_into_pieces_against_the_old_bytes_around() -> None:
    """The memory of both sides stays bounded for a file of any size."""
    old, new = Image.of([big("f", 600 * MIB, b"old")]), Image.of([big("f", 500 * MIB, b"new")])
    frames = plan(old, new).frames
    assert [frame.size for frame in frames] == [40 * MIB] * 12 + [20 * MIB]
    assert {frame.prefix[0].digest for frame in frames} == {Digest.of(b"old")}
    assert all(frame.size + frame.prefix[0].size <= planning.FRAME_BYTES for frame in frames)
    middles = [span.start + span.size / 2 for frame in frames for span in frame.prefix]
    assert middles == sorted(middles)
    assert middles[6] == pytest.approx(6.5 / 12.5 * 600 * MIB, rel=0.01)


def test_a_huge_file_is_patched_piece_by_piece() -> None:
    """Each piece against the stretch around its place, which only ever moves forward."""
    old, new = Image.of([big("f", 2 * GIB, b"old")]), Image.of([big("f", 2 * GIB, b"new")])
    frames = plan(old, new).frames
    assert sum(frame.size for frame in frames) == 2 * GIB
    spans = [span for frame in frames for span in frame.prefix]
    assert len(spans) == len(frames) > 50
    assert all(frame.size + sum(span.size for span in frame.prefix) <= planning.FRAME_BYTES for frame in frames)
    assert [span.start for span in spans] == sorted(span.start for span in spans)


def test_the_window_spans_prefix_and_content() -> None:
    """Without a prefix it is smaller, for a full pack may be of any size."""
    assert Frame(1 * MIB, (Span(Digest.of(b""), 0, 1 * MIB),)).window_bits == 21
    assert Frame(10 * GIB).window_bits == 25


@given(successions(), st.sampled_from([planning.FRAME_BYTES, 5000, 50]))
def test_plans_hold_together(trees: tuple[Tree, Tree], bound: int) -> None:
    """The wanted contents are the new ones, frames cover them exactly, prefixes are old bytes within the bound."""
    old, new = map(image_of, trees)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "FRAME_BYTES", bound)
        found = plan(old, new)
        again = plan(Image.decode(old.encoded), Image.decode(new.encoded))
    assert found == again
    assert {content.digest for content in found.wanted} == new.contents.keys() - old.contents.keys()
    assert sum(frame.size for frame in found.frames) == sum(content.size for content in found.wanted)
    for frame in found.frames:
        assert frame.size > 0
        for span in frame.prefix:
            assert 0 <= span.start < span.start + span.size <= old.contents[span.digest]
        assert not frame.prefix or frame.size + sum(span.size for span in frame.prefix) <= bound

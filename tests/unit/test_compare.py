"""Two images side by side: every path that differs, once, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.compare import Change, Difference, Totals, compare
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.image import Entry, Image, Kind
from tests.support.strategies import images


def file(path: str, content: bytes = b"hello", kind: Kind = Kind.FILE) -> Entry:
    return Entry(path, kind, len(content), Digest.of(content))


FOLDER = Entry("x", Kind.DIRECTORY)
LINK = Entry("x", Kind.LINK, target="a")
PAIRS = st.tuples(images(), images()) | images().flatmap(lambda one: st.tuples(st.just(one), near(one)))


def near(image: Image) -> st.SearchStrategy[Image]:
    """An image that comes from ``image``: of its files some are gone, some are new ones, some may be executed."""
    ways = st.lists(st.sampled_from((0, 1, 2, 3)), min_size=len(image), max_size=len(image))
    return ways.map(lambda chosen: Image.of(filter(None, map(_changed, image, chosen))))


def _changed(entry: Entry, way: int) -> Entry | None:
    if entry.digest is None or way == 0:
        return entry
    if way == 1:
        return None
    return file(entry.path, b"another") if way == 2 else Entry(entry.path, Kind.EXECUTABLE, entry.size, entry.digest)


@given(images())
def test_an_image_does_not_differ_from_itself(image: Image) -> None:
    """Nor from another one that holds the same."""
    assert compare(image, image) == ()
    assert compare(image, Image.decode(image.encoded)) == ()


@given(PAIRS)
def test_there_is_a_difference_exactly_where_the_digests_differ(pair: tuple[Image, Image]) -> None:
    """So nothing that makes another image can go unseen."""
    before, after = pair
    assert (compare(before, after) == ()) == (before.digest == after.digest)


@given(PAIRS)
def test_seen_from_the_other_side_it_is_the_mirror_image(pair: tuple[Image, Image]) -> None:
    """What was added is what was removed, and what changed is the same."""
    before, after = pair
    forth, back = compare(before, after), compare(after, before)
    assert tuple(one.mirrored() for one in forth) == back
    swapped = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED}
    assert [[swapped.get(one, one) for one in each.changes] for each in forth] == [list(one.changes) for one in back]
    there, here = Totals.of(forth), Totals.of(back)
    assert (there.added, there.removed, there.changed) == (here.removed, here.added, here.changed)


@given(PAIRS)
def test_the_differences_lead_from_one_image_to_the_other(pair: tuple[Image, Image]) -> None:
    """Sorted by path, each path once, each with a change; applied to the old image they give the new one."""
    before, after = pair
    found = compare(before, after)
    paths = [one.path for one in found]
    assert paths == sorted(set(paths))
    assert all(one.changes for one in found)
    totals = Totals.of(found)
    assert totals.added + totals.removed + totals.changed == len(found)
    tree = dict(before.by_path)
    for one in found:
        tree.pop(one.path, None)
        if one.after is not None:
            tree[one.path] = one.after
    assert tree == after.by_path


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (None, file("x"), [Change.ADDED]),
        (FOLDER, None, [Change.REMOVED]),
        (file("x"), file("x", b"other"), [Change.CONTENT]),
        (file("x"), file("x", kind=Kind.EXECUTABLE), [Change.MODE]),
        (file("x"), file("x", b"other", Kind.EXECUTABLE), [Change.CONTENT, Change.MODE]),
        (LINK, Entry("x", Kind.LINK, target="b"), [Change.CONTENT]),
        (file("x"), LINK, [Change.KIND]),
        (FOLDER, file("x", kind=Kind.EXECUTABLE), [Change.KIND]),
    ],
)
def test_each_difference_has_its_name(before: Entry | None, after: Entry | None, changes: list[Change]) -> None:
    """A link's target is its content; whether a file may be executed is its mode."""
    trees = [Image.of([entry] if entry else []) for entry in (before, after)]
    (found,) = compare(*trees)
    assert list(found.changes) == changes
    assert (found.before, found.after) == (before, after)


@pytest.mark.parametrize("pair", [(None, None), (LINK, LINK), (LINK, file("y")), (None, file("y"))])
def test_what_is_no_difference_of_one_path_can_not_be_made(pair: tuple[Entry | None, Entry | None]) -> None:
    """The same on both sides, or something of another path."""
    with pytest.raises(InvalidValueError):
        Difference(path="x", before=pair[0], after=pair[1])

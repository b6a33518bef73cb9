"""Image indexes: one spelling for each tree, and no tree that leads out of its folder."""

import json
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from federation import limits
from federation.digest import Digest
from federation.errors import InvalidValueError, OversizedError, VUpdateError
from federation.image import Entry, Image, Kind, checked_path
from tests.support import strategies as values

SHA = Digest.of(b"hello")


def file(path: str, content: bytes = b"hello", kind: Kind = Kind.FILE) -> Entry:
    return Entry(path, kind, len(content), Digest.of(content))


def folder(path: str) -> Entry:
    return Entry(path, Kind.DIRECTORY)


def link(path: str, target: str) -> Entry:
    return Entry(path, Kind.LINK, target=target)


def index(*rows: object) -> bytes:
    return b"".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for row in rows)


HEADER = ["vupdate-image", 1]


def test_the_index_of_a_small_tree() -> None:
    """Exactly as the format is described: one array a line, sorted by path."""
    tree = Image.of(
        [
            link("lib/current", "a.py"),
            file("lib/a.py"),
            file("bin/run", b"#!/bin/sh\n", Kind.EXECUTABLE),
            folder("empty"),
        ]
    )
    assert tree.encoded == index(
        HEADER,
        ["bin", "d"],
        ["bin/run", "x", 10, Digest.of(b"#!/bin/sh\n")],
        ["empty", "d"],
        ["lib", "d"],
        ["lib/a.py", "f", 5, SHA],
        ["lib/current", "l", "a.py"],
    )
    assert tree.digest == Digest.of(tree.encoded)
    assert tree.size == 15
    assert tree.contents == {Digest.of(b"#!/bin/sh\n"): 10, SHA: 5}
    assert len(tree) == len(list(tree)) == len(tree.by_path) == 6


def test_the_empty_tree_has_an_index() -> None:
    """One line, the header."""
    assert Image().encoded == index(HEADER)
    assert Image.decode(index(HEADER)) == Image()


@given(values.images())
def test_a_tree_survives_its_index(tree: Image) -> None:
    """Decoding what is encoded gives the same tree and digest."""
    again = Image.decode(tree.encoded)
    assert again == tree
    assert (again.encoded, again.digest, again.size) == (tree.encoded, tree.digest, tree.size)


@given(values.images(), st.randoms(use_true_random=False))
def test_the_order_of_discovery_does_not_matter(tree: Image, random: Random) -> None:
    """Equal trees have equal digests."""
    shuffled = list(tree.entries)
    random.shuffle(shuffled)
    assert Image.of(shuffled).digest == tree.digest


@given(values.images(), values.images())
def test_different_trees_have_different_indexes(one: Image, two: Image) -> None:
    """So the digest names the tree."""
    assert (one.encoded == two.encoded) == (one == two)


@given(values.images(), st.data())
def test_another_spelling_of_a_tree_is_refused(tree: Image, data: st.DataObject) -> None:
    """A blank, another order, an escape, a missing end of line."""
    lines = tree.encoded.splitlines(keepends=True)
    place = data.draw(st.integers(0, len(lines) - 1))
    line = lines[place]
    spellings = [
        [*lines[:place], line[:1] + b" " + line[1:], *lines[place + 1 :]],
        [*lines[:place], line[:-1] + b" \n", *lines[place + 1 :]],
        [*lines[:place], line[:-1] + b"\r\n", *lines[place + 1 :]],
        [*lines[:place], line, line, *lines[place + 1 :]],
        [*lines[:place], b"\n", *lines[place:]],
        [*lines[:-1], lines[-1][:-1]],
        [*lines, b"\n"],
        [b"\xef\xbb\xbf", *lines],
        lines[::-1] if len(lines) > 1 else [],
    ]
    for other in spellings:
        with pytest.raises(InvalidValueError):
            Image.decode(b"".join(other))


@pytest.mark.parametrize(
    "row",
    [
        ["\u00e9", "d"],  # written as an escape below
        ["a", "f", 5.0, SHA],
        ["a", "f", True, SHA],
        ["a", "f", "5", SHA],
        ["a", "f", -1, SHA],
        ["a", "f", 5],
        ["a", "f", 5, SHA.upper()],
        ["a", "f", 5, SHA[:-1]],
        ["a", "f", 5, SHA, "extra"],
        ["a", "x", None, SHA],
        ["a", "d", 0],
        ["a", "l"],
        ["a", "l", ""],
        ["a", "l", 1],
        ["a", "p"],
        ["a", "F", 5, SHA],
        ["a"],
        [],
        {},
        None,
        "a",
        [1, "d"],
        [["a"], "d"],
    ],
)
def test_a_line_that_is_no_entry_is_refused(row: object) -> None:
    """Each kind has its own fields and no others."""
    content = index(HEADER) + json.dumps(row, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(InvalidValueError):
        Image.decode(content)


@pytest.mark.parametrize(
    "header",
    [["vupdate-image", 2], ["vupdate-image", True], ["vupdate-image", 1.0], ["vupdate-image"], "vupdate-image", None],
)
def test_an_unknown_header_is_refused(header: object) -> None:
    """A format of a later time is not half understood."""
    with pytest.raises(InvalidValueError):
        Image.decode(index(header))


OUTSIDE = [
    "",
    "/",
    "/etc/passwd",
    "..",
    ".",
    "../x",
    "a/../b",
    "a/..",
    "a/./b",
    "./a",
    "a//b",
    "a/",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\x85b",
    "a\\b",
    "\udc80",
    "x" * 256,
    "é" * 128,
    "/".join(["x" * 200] * 6),
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_is_not_plainly_inside_is_refused(path: str) -> None:
    """In an entry, and in an index from outside."""
    with pytest.raises(InvalidValueError):
        checked_path(path)
    with pytest.raises(InvalidValueError):
        Entry(path, Kind.DIRECTORY)
    with pytest.raises(InvalidValueError):
        Image.decode(index(HEADER) + json.dumps([path, "d"], separators=(",", ":")).encode() + b"\n")


@pytest.mark.parametrize(
    "path", ["a", "a/b", "...", "..a", "a..", ".hidden", "a b", "été/ж", "-", "x" * 255, "%2e%2e/x"]
)
def test_a_plain_path_is_accepted(path: str) -> None:
    """Dots inside a name are only dots."""
    assert checked_path(path) == path


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("a", "/etc/passwd"),
        ("a", ".."),
        ("a", "../x"),
        ("a", "x/../.."),
        ("a/b", "../.."),
        ("a/b", "../../etc/passwd"),
        ("a/b/c", "./../../.."),
        ("a", ""),
        ("a", "x\0"),
        ("a", "x\n"),
        ("a", "x" * 1025),
        ("a", "//x"),
    ],
)
def test_a_link_that_points_out_is_refused(path: str, target: str) -> None:
    """By itself."""
    with pytest.raises(InvalidValueError, match="link"):
        link(path, target)


@pytest.mark.parametrize(
    "links",
    [
        # `up` is the root, so `up/..` stands outside although it reads like a/b.
        {"a/b/up": "../..", "z": "a/b/up/.."},
        {"a/b/up": "../..", "z": "a/b/up/../../etc/passwd"},
        {"a/b/up": "../..", "a/b/two": "up", "z": "a/b/two/.."},
        # The one that leads out is sorted before those it goes by.
        {"0": "a/b/up/..", "a/b/up": "../.."},
        {"a/b/c/here": ".", "a/b/c/up": "here/../../..", "z": "a/b/c/up/.."},
    ],
)
def test_a_link_that_points_out_by_way_of_others_is_refused(links: dict[str, str]) -> None:
    """Each of them stays inside when read alone."""
    with pytest.raises(InvalidValueError, match="by way of others"):
        Image.of([link(path, target) for path, target in links.items()])


def test_links_that_stay_inside_are_accepted() -> None:
    """To files, to folders, through links, to the root, to nothing."""
    Image.of(
        [
            file("lib/v2/code.py"),
            link("lib/current", "v2"),
            link("bin", "lib/current/../current"),
            link("deep/er/root", "../.."),
            link("same", "deep/er/root/lib/current/code.py"),
            link("nowhere", "lib/v3/missing"),
        ]
    )


@pytest.mark.parametrize("links", [{"a": "a"}, {"a": "b", "b": "a"}, {"a/x": "../b", "b": "a/x/y"}])
def test_links_in_a_circle_are_refused(links: dict[str, str]) -> None:
    """They lead nowhere, and would let a reader spin."""
    with pytest.raises(InvalidValueError, match="leads"):
        Image.of([link(path, target) for path, target in links.items()])


def test_links_can_not_blow_up_the_check() -> None:
    """Each is followed once: a tower of doublings and a growing chain end at once."""
    doubling = [link(f"l{at:05}", f"l{at + 1:05}/l{at + 1:05}") for at in range(30)]
    growing = [link("l00000", "x" * 1000), *(link(f"l{at:05}", f"l{at - 1:05}/" + "x" * 1000) for at in range(1, 2000))]
    Image.of(doubling)
    with pytest.raises(InvalidValueError, match="longer than"):
        Image.of(growing)


def test_nothing_stands_below_a_file_or_a_link() -> None:
    """So writing a tree never goes through a link."""
    for above in (file("a"), link("a", "b")):
        with pytest.raises(InvalidValueError, match="no directory"):
            Image((above, file("a/x")))
        with pytest.raises(InvalidValueError, match="no directory"):
            Image.of([above, folder("b"), file("a/x")])


def test_a_parent_must_stand_in_the_index() -> None:
    """``Image.of`` adds it, an index from outside has it or is refused."""
    with pytest.raises(InvalidValueError, match="no directory"):
        Image((file("a/b"),))
    assert [entry.path for entry in Image.of([file("a/b/c")])] == ["a", "a/b", "a/b/c"]


@pytest.mark.parametrize("entries", [(file("a"), file("a")), (file("b"), file("a")), (folder("a"), file("a"))])
def test_a_path_twice_or_out_of_order_is_refused(entries: tuple[Entry, ...]) -> None:
    """Two entries of one path would mean what the reader likes."""
    with pytest.raises(InvalidValueError, match="out of order or twice"):
        Image(entries)


def test_one_digest_has_one_size() -> None:
    """Said at once, not when the size is used."""
    with pytest.raises(InvalidValueError, match="another size"):
        Image((Entry("a", Kind.FILE, 5, SHA), Entry("b", Kind.FILE, 6, SHA)))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": Kind.FILE},
        {"kind": Kind.FILE, "size": 5},
        {"kind": Kind.DIRECTORY, "size": 5},
        {"kind": Kind.DIRECTORY, "digest": SHA},
        {"kind": Kind.DIRECTORY, "target": "b"},
        {"kind": Kind.FILE, "size": 5, "digest": SHA, "target": "b"},
        {"kind": Kind.LINK, "target": "b", "digest": SHA},
        {"kind": Kind.LINK},
    ],
)
def test_an_entry_has_the_fields_of_its_kind(fields: dict[str, object]) -> None:
    """And can't be built with others."""
    with pytest.raises(InvalidValueError):
        Entry("a", **fields)  # type: ignore[arg-type]


def test_modes_are_those_of_the_kinds() -> None:
    """Nothing is writable by others, nothing is set-uid."""
    assert {kind: kind.mode for kind in Kind} == {
        Kind.FILE: 0o644,
        Kind.EXECUTABLE: 0o755,
        Kind.LINK: 0o755,
        Kind.DIRECTORY: 0o755,
    }


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries, bytes of a file, bytes of all, bytes of the index: each by its own bound."""
    with pytest.raises(OversizedError, match="file 'a'"):
        Entry("a", Kind.FILE, limits.IMAGE_FILE_BYTES + 1, SHA)
    whole = [Entry(f"{at}", Kind.FILE, limits.IMAGE_FILE_BYTES, Digest.of(bytes([at]))) for at in range(9)]
    with pytest.raises(OversizedError, match="over the bound"):
        Image.of(whole)
    monkeypatch.setattr(limits, "IMAGE_ENTRIES", 3)
    with pytest.raises(OversizedError, match="entries"):
        Image.of([file(name) for name in "abcd"])
    with pytest.raises(OversizedError, match="entries"):
        Image.decode(index(HEADER, *([name, "d"] for name in "abcd")))
    with pytest.raises(OversizedError, match="entries"):
        Image.decode(index(HEADER) + b"\n" * 10)
    monkeypatch.setattr(limits, "IMAGE_INDEX_BYTES", 10)
    with pytest.raises(OversizedError, match="index"):
        Image.decode(index(HEADER))


@given(st.binary(max_size=100) | st.binary(max_size=40).map(lambda tail: index(HEADER) + tail))
def test_any_bytes_give_an_image_or_an_error_of_ours(content: bytes) -> None:
    """Never another exception, never another spelling."""
    try:
        tree = Image.decode(content)
    except VUpdateError:
        return
    assert tree.encoded == content


@given(
    st.lists(values.json_values() | st.lists(values.json_values() | st.sampled_from(["a", "b", "f", "d", "l", 5, SHA])))
)
def test_any_lines_of_json_give_an_image_or_an_error_of_ours(rows: list[object]) -> None:
    """Also with lone surrogates and numbers beyond 64 bits."""
    content = index(HEADER) + b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)
    try:
        tree = Image.decode(content)
    except VUpdateError:
        return
    assert tree.encoded == content


@given(values.images(), st.data())
def test_a_changed_byte_never_gives_the_same_tree(tree: Image, data: st.DataObject) -> None:
    """It is refused, or it is another tree with another digest."""
    content = bytearray(tree.encoded)
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    assume(bytes(content) != tree.encoded)
    try:
        other = Image.decode(bytes(content))
    except VUpdateError:
        return
    assert other.digest != tree.digest

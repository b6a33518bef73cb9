"""Merges of dotenv files: the overlay's values win as they are spelled, the base's lines and comments stay."""

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from build.errors import OverlayError
from build.overlay import merge
from build.overlay.env import parse

PLAIN = st.text("abZ09 é=:;'\"\\{}#$", max_size=8).map(lambda text: f"x{text}".split(" #")[0].rstrip(" "))
QUOTED = st.builds(
    lambda quote, text: f"{quote}{text.replace(quote, chr(92) + quote)}{quote}",
    st.sampled_from("'\""),
    st.text("abé #=\n'\"$", max_size=8),
)
VALUES = st.one_of(st.just(""), PLAIN, QUOTED)
FILES = st.lists(
    st.tuples(
        st.sampled_from(["", "export ", "  "]), st.sampled_from("ABCDE"), VALUES, st.sampled_from(["", " # note"])
    ),
    max_size=5,
)
Line = tuple[str, str, str, str]


def merged(base: str, overlay: str) -> str:
    return merge("site/.env", base.encode(), overlay.encode()).decode()


def spelled(lines: list[Line]) -> str:
    return "# head\n\n" + "".join(f"{head}{key}={value}{comment}\n" for head, key, value, comment in lines)


def values(text: str) -> dict[str, str]:
    return {item.key: item.value for item in parse(text, "the text") if not isinstance(item, str)}


@given(base=FILES, overlay=FILES)
@example(base=[("", "A", '"x"', "#c")], overlay=[("", "A", "y", "")])
@example(base=[("", "A", "1", " # note")], overlay=[("", "A", "", "")])
def test_the_overlay_wins_and_the_base_stays(base: list[Line], overlay: list[Line]) -> None:
    """The values are those of both with the overlay's over the base's, the comments stay, and twice is once."""
    once = merged(spelled(base), spelled(overlay))
    assert values(once) == {line[1]: line[2] for line in base} | {line[1]: line[2] for line in overlay}
    assert once.startswith("# head\n")
    assert once.count("# note") >= sum(line[3] == " # note" for line in base)
    assert merged(once, spelled(overlay)) == once


@given(base=FILES)
def test_nothing_new_changes_nothing(base: list[Line]) -> None:
    """An overlay that says what the base says, or nothing, leaves its bytes alone; so does one of comments."""
    last = {line[1]: line for line in base}
    text = spelled(list(last.values()))
    assert merged(text, text) == merged(text, "") == merged(text, "# only\n\n") == text


GOLDEN = [
    (
        "# ports\nPORT=80  # of the site\n\nexport NAME='a b'\nLAST=1\n",
        '# ours\nNAME="c # d"\nPORT=8080\nNEW=1 # why\n',
        '# ports\nPORT=8080  # of the site\n\nexport NAME="c # d"\nLAST=1\nNEW=1 # why\n',
    ),
    ("A=1\n\n# end\n\n", "B=2\n", "A=1\n\n# end\nB=2\n\n"),
    ("A=1", "B=2", "A=1\nB=2"),
    ("", "A=1\n", "A=1\n"),
    ('KEY="-----\nabc\n-----"\nB=1\n', "B=2\n", 'KEY="-----\nabc\n-----"\nB=2\n'),
    ("KEY=none # say\nB=1\n", 'KEY="one\n# two\nthree"\n', 'KEY="one\n# two\nthree" # say\nB=1\n'),
    ("A=1\nB=2\nA=3\n", "A=4\nA=5\n", "A=1\nB=2\nA=5\n"),
    ("A=1\n", "export A=1\n", "export A=1\n"),
    ("A = 1\n", "A=2\n", "A=2\n"),
    ('A="1"#c\n', "A=2\n", "A=2 #c\n"),
    ("A=1#2\n", "A=#3\n", "A=#3\n"),
    ("A='\\'x' # it\n", "B=it's\n", "A='\\'x' # it\nB=it's\n"),
    ("URL=http://${HOST}/?a=b\n", "HOST=h\n", "URL=http://${HOST}/?a=b\nHOST=h\n"),
]


@pytest.mark.parametrize(("base", "overlay", "result"), GOLDEN)
def test_comments_order_and_spelling_stay(base: str, overlay: str, result: str) -> None:
    """What the overlay does not name stays as it was written; what it names is spelled as it has it."""
    assert merged(base, overlay) == result
    assert merged(result, overlay) == result


def test_line_ends_are_the_base_s() -> None:
    """A file from another system keeps its form, also within a value."""
    base = b'\xef\xbb\xbfA="x\r\ny"\r\nB=1\r\n'
    assert merge(".env", base, b"B=2\n") == b'\xef\xbb\xbfA="x\r\ny"\r\nB=2\r\n'


@pytest.mark.parametrize(
    ("base", "overlay", "message"),
    [
        ("A=1\nPORT 80\n", "", "the base, line 2: not of the form KEY=value"),
        ("", "\n\nA\n", "the overlay, line 3: not of the form KEY=value"),
        ("=1\n", "", "the base, line 1: not of the form"),
        ("A-B=1\n1A=2\n", "", "the base, line 2: not of the form"),
        ('A="x\ny"\nB\n', "", "the base, line 3: not of the form"),
        ("A=1\nB='x\nC=1\n", "", "the base, line 2: the quote that begins the value is not closed"),
        ('A="x\\"\n', "", "the base, line 1: the quote that begins the value is not closed"),
        ('A="x" y\n', "", "the base, line 1: text behind the quote"),
        ("A=1\nB=x\0y\n", "", "the base, line 2: a NUL byte or a carriage return"),
        ("", "A=1\rB=2\n", "the overlay, line 1: a NUL byte or a carriage return"),
    ],
)
def test_broken_lines_are_told(base: str, overlay: str, message: str) -> None:
    """A line of another form is an error that says which, and why."""
    with pytest.raises(OverlayError) as caught:
        merged(base, overlay)
    assert message in str(caught.value)


@given(st.text("AB='\"# \\\n\0\rexport"))
def test_any_text_is_read_whole_or_refused(text: str) -> None:
    """What is read is spelled as it was, to the last byte."""
    try:
        items = parse(text, "the text")
    except OverlayError:
        return
    assert "\n".join(item if isinstance(item, str) else item.text for item in items) == text


@pytest.mark.parametrize(
    "text",
    ['A="' + "x" * 1_000_000, "A=" + " " * 1_000_000 + "x", "A=" + " #" * 500_000, "A='" * 300_000, "A=1\n" * 250_000,
     "A" * 1_000_000, " " * 1_000_000 + "x", "export " * 140_000],
)  # fmt: skip
def test_a_hostile_text_takes_no_long_time(text: str) -> None:
    """Whatever is in it, the time grows with its length only."""
    began = time.monotonic()
    with contextlib.suppress(OverlayError):
        merged(text, "A=1\n")
    assert time.monotonic() - began < 5

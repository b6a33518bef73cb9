"""A command's output as log lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build import output
from build.output import LINE_CHARS, Output, plain_line


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"\x1b[1;32mgreen\x1b[0m\r\n", "green"),
        (b"10%\r50%\r100%", "100%"),
        (b"100%\r", "100%"),
        (b"a\tb\x07c", "a\tb�c"),
        (b"\x1b]0;title\x07text", "text"),
        (b"caf\xc3\xa9 \xff", "café �"),
    ],
)
def test_lines_are_plain(raw: bytes, line: str) -> None:
    """Colours, progress and control characters don't get into a log."""
    assert plain_line(raw) == line


def test_long_lines_are_cut() -> None:
    """A line has a bound, and says how much it lost."""
    assert plain_line(b"x" * (LINE_CHARS + 7)) == "x" * LINE_CHARS + "… (7 characters more)"


def test_an_endless_line_does_not_fill_the_memory() -> None:
    """What has no line break is not kept whole."""
    out = Output()
    for _ in range(100):
        assert out.feed(b"x" * 10_000) == []
    (line,) = out.finish()
    assert len(line) < LINE_CHARS + 100


def test_lines_are_bounded_in_number() -> None:
    """After so many lines the log says once that there is more; what follows is still looked at."""
    out = Output(lines=3)
    assert out.feed(b"1\n2\n") == ["1", "2"]
    assert out.feed(b"3\n4\n5\n") == ["3", "… further output of this command is left out of the log"]
    assert out.feed(b"6\nlast") == []
    assert out.finish() == []
    assert out.tail.endswith("6\nlast")


def test_the_notice_comes_also_when_the_bound_falls_between_pieces() -> None:
    """The bound is told where the first line over it comes."""
    out = Output(lines=2)
    assert out.feed(b"1\n2\n") == ["1", "2"]
    assert out.feed(b"3\n") == ["… further output of this command is left out of the log"]
    assert out.feed(b"4\n") == []


def test_the_tail_is_the_last_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long output only its end is kept."""
    monkeypatch.setattr(output, "TAIL_BYTES", 10)
    out = Output()
    out.feed(b"0123456789")
    out.feed(b"abcde")
    assert out.tail == "56789abcde"


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_pieces_don_t_matter(pieces: list[bytes]) -> None:
    """However the output is cut into pieces, the lines are the same."""
    whole, cut = Output(), Output()
    expected = whole.feed(b"".join(pieces)) + whole.finish()
    found = [line for piece in pieces for line in cut.feed(piece)] + cut.finish()
    assert found == expected

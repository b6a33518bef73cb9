"""Streams: nobody gets the end of a content that is not the right one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.digest import Digest
from federation.errors import TamperedError
from federation.transfer.streams import Row, stream_of, verified

PIECES = st.lists(st.binary(max_size=10), max_size=6)


def wrong() -> TamperedError:
    return TamperedError("wrong")


@given(PIECES)
def test_a_right_content_passes(pieces: list[bytes]) -> None:
    """Every byte of it, whatever the pieces."""
    content = b"".join(pieces)
    assert b"".join(verified(pieces, Digest.of(content), wrong)) == content


@given(PIECES, st.binary(max_size=10))
def test_a_wrong_content_is_never_given_out_whole(pieces: list[bytes], other: bytes) -> None:
    """The error comes before the last bytes."""
    content = b"".join(pieces)
    if content == other:
        return
    found: list[bytes] = []
    with pytest.raises(TamperedError):
        found.extend(verified(pieces, Digest.of(other), wrong))
    assert len(b"".join(found)) < max(1, len(content))


@given(PIECES, st.lists(st.integers(0, 30), max_size=6))
def test_a_row_is_taken_by_count(pieces: list[bytes], sizes: list[int]) -> None:
    """Each taker gets the next bytes, fewer only at the end."""
    content = b"".join(pieces)
    row = Row(piece for piece in pieces if piece)
    starts = itertools.accumulate(sizes, initial=0)
    for start, size in zip(starts, sizes, strict=False):
        assert b"".join(row.take(size)) == content[start : start + size]


@given(PIECES, st.integers(1, 12))
def test_a_stream_gives_its_pieces(pieces: list[bytes], count: int) -> None:
    """In reads of any size."""
    with stream_of(iter(pieces)) as stream:
        assert b"".join(iter(lambda: stream.read(count), b"")) == b"".join(pieces)


def test_a_stream_raises_what_its_pieces_raise() -> None:
    """At the read that meets it."""
    with stream_of(verified([b"abc", b"d"], Digest.of(b"x"), wrong)) as stream, pytest.raises(TamperedError):
        stream.read()

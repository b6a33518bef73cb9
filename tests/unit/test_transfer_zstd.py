"""Frames: what their reader refuses, and that it never holds more than is due."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.limits import MIB
from federation.transfer import zstd
from tests.support.trees import noise


def packed(content: bytes, *, prefix: bytes = b"", bits: int = 20, level: int = 3) -> bytes:
    pieces = zstd.compressed([content], size=len(content), bits=bits, level=level, prefix=prefix)
    return b"".join(pieces)


def reader(content: bytes) -> zstd.FrameReader:
    stream = io.BytesIO(content)
    return zstd.FrameReader(lambda: stream.read(97))


def read(content: bytes, size: int, *, prefix: bytes = b"", bits: int = 20) -> bytes:
    return b"".join(reader(content).exact_frame(size=size, bits=bits, prefix=prefix))


@given(st.binary(max_size=300), st.binary(max_size=300), st.sampled_from([1, 3, 12]))
def test_a_frame_comes_back_with_its_prefix(content: bytes, prefix: bytes, level: int) -> None:
    """For any content and prefix, empty and very short ones too."""
    assert read(packed(content, prefix=prefix, level=level), len(content), prefix=prefix) == content


def test_what_stands_in_the_prefix_costs_almost_nothing() -> None:
    """Also far back, where the tables of the low levels do not reach."""
    old = noise(4 * MIB)
    for place in (0, 2 * MIB, 4 * MIB - 50_000):
        new = old[place : place + 50_000]
        assert len(packed(new, prefix=old, bits=23)) < 100
    assert len(packed(old[::-1], prefix=old, bits=23)) > 4 * MIB - 1


@given(st.lists(st.binary(max_size=200), max_size=5), st.binary(max_size=3))
def test_frames_follow_one_another(contents: list[bytes], rest: bytes) -> None:
    """Each is read by its size; what follows the last is noticed."""
    frames = reader(b"".join(map(packed, contents)) + rest)
    assert [b"".join(frames.exact_frame(size=len(content), bits=20)) for content in contents] == contents
    assert frames.at_end() == (not rest)


@pytest.mark.parametrize("due", [0, 1, 999, 1001, 5000])
def test_a_frame_of_another_size_is_refused(due: int) -> None:
    """Neither more nor less than is due."""
    with pytest.raises(zstd.DamagedFrameError):
        read(packed(noise(1000)), due)


@given(st.integers(0, len(packed(noise(1000))) - 1))
def test_a_frame_cut_short_is_refused(kept: int) -> None:
    """Wherever it is cut."""
    with pytest.raises(zstd.DamagedFrameError):
        read(packed(noise(1000))[:kept], 1000)


def test_a_bomb_is_stopped_at_what_is_due() -> None:
    """A small frame that would unpack to 64 MiB is given up after the due bytes, most of it never decoded."""
    bomb = packed(bytes(64 * MIB), bits=27)
    assert len(bomb) < 10_000
    given_out: list[bytes] = []
    with pytest.raises(zstd.DamagedFrameError):
        given_out.extend(reader(bomb).exact_frame(size=1000, bits=27))
    assert len(b"".join(given_out)) <= 1000


def test_a_frame_that_wants_more_memory_than_due_is_refused() -> None:
    """A window is memory of the reader: a frame may not ask for more than the plan gives it."""
    big = b"".join(zstd.compressed([noise(3 * MIB)], size=3 * MIB, bits=24, level=3))
    assert read(big, 3 * MIB, bits=24) == noise(3 * MIB)
    with pytest.raises(zstd.DamagedFrameError):
        read(big, 3 * MIB, bits=20)


def test_another_prefix_gives_other_bytes_or_an_error() -> None:
    """A frame read against the wrong prefix is never taken for the right content."""
    old = noise(5000)
    frame = packed(old, prefix=old)
    try:
        found = read(frame, 5000, prefix=noise(5000, 1))
    except zstd.DamagedFrameError:
        return
    assert found != old


@pytest.mark.parametrize(("size", "bits"), [(0, 10), (1, 10), (1024, 10), (1025, 11), (1 << 27, 27), (1 << 40, 27)])
def test_the_window_spans_what_it_must(size: int, bits: int) -> None:
    """The smallest power of two that does, within the bounds."""
    assert zstd.window_bits(size) == bits

"""Old bytes for frames: any stretches in any order are what they name, and a big file is not read anew for each."""

import io
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.digest import Digest
from federation.errors import CorruptError
from federation.transfer.plan import Span
from federation.transfer.prefixes import Prefixes
from tests.support.blobs import MemoryBlobs
from tests.support.trees import noise

CONTENTS = [noise(3000, 1), noise(500, 2), b""]
DIGESTS = [Digest.of(content) for content in CONTENTS]


class Counting(MemoryBlobs):
    """Counts opened contents, and those not closed."""

    opened = 0
    open_now = 0

    def open(self, digest: Digest) -> BinaryIO:
        counting = self
        counting.opened += 1
        counting.open_now += 1

        class Stream(io.BytesIO):
            def close(self) -> None:
                counting.open_now -= 0 if self.closed else 1
                super().close()

        return Stream(super().open(digest).read())


@st.composite
def spans(draw: st.DrawFn) -> Span:
    which = draw(st.integers(0, 2))
    start = draw(st.integers(0, len(CONTENTS[which])))
    return Span(DIGESTS[which], start, draw(st.integers(0, len(CONTENTS[which]) - start)))


@given(st.lists(st.lists(spans(), max_size=3), max_size=8))
def test_any_stretches_are_what_they_name(frames: list[list[Span]]) -> None:
    """Overlapping, going back, of several contents in one frame or one after the other."""
    source = Counting(CONTENTS)
    prefixes = Prefixes(source)
    for frame in frames:
        due = b"".join(CONTENTS[DIGESTS.index(one.digest)][one.start : one.start + one.size] for one in frame)
        assert prefixes.read(tuple(frame)) == due
    prefixes.close()
    assert source.open_now == 0


@pytest.mark.parametrize(("size", "step"), [(400, 100), (100, 100), (100, 130)])
def test_stretches_of_a_big_file_are_read_in_one_pass(size: int, step: int) -> None:
    """Once to check it, once to read it, however many pieces it has: overlapping, adjoining or apart."""
    source = Counting(CONTENTS)
    prefixes = Prefixes(source)
    for start in range(0, 3000 - size, step):
        assert prefixes.read((Span(DIGESTS[0], start, size),)) == CONTENTS[0][start : start + size]
    assert source.opened == 2


def test_a_stretch_beyond_the_end_is_an_error() -> None:
    """The index said more than there is."""
    for start, size in ((2990, 20), (4000, 1), (0, 3001)):
        with pytest.raises(CorruptError, match="shorter"):
            Prefixes(MemoryBlobs(CONTENTS)).read((Span(DIGESTS[0], start, size),))

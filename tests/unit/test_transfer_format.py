"""The header of a pack: one spelling, and no other is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.digest import Digest
from federation.errors import TamperedError
from federation.transfer.format import HEADER_BYTES, Header
from tests.support.strategies import digests

SIZES = st.integers(0, 2**63)
HEADERS = st.builds(
    Header,
    base=st.none() | digests(),
    image=digests(),
    index_bytes=st.integers(0, limits.IMAGE_INDEX_BYTES),
    index_section_bytes=SIZES,
    contents_section_bytes=SIZES,
)


@given(HEADERS)
def test_a_header_comes_back(header: Header) -> None:
    """As it was, and always as long."""
    content = header.to_bytes()
    assert len(content) == HEADER_BYTES
    assert Header.from_bytes(content) == header
    assert header.pack_bytes == HEADER_BYTES + header.index_section_bytes + header.contents_section_bytes


@given(HEADERS, st.integers(0, HEADER_BYTES - 1))
def test_a_header_cut_short_is_refused(header: Header, kept: int) -> None:
    """At any place."""
    with pytest.raises(TamperedError):
        Header.from_bytes(header.to_bytes()[:kept])


@given(HEADERS, st.integers(0, 11), st.integers(1, 255))
def test_another_format_is_refused(header: Header, place: int, flip: int) -> None:
    """Another magic or version is not read as this one."""
    content = bytearray(header.to_bytes())
    content[place] ^= flip
    with pytest.raises(TamperedError):
        Header.from_bytes(bytes(content))


def test_an_index_over_the_bound_is_refused_by_its_header() -> None:
    """Before anything of it is read."""
    most = limits.IMAGE_INDEX_BYTES
    digest = Digest.of(b"")
    header = Header(base=None, image=digest, index_bytes=most + 1, index_section_bytes=9, contents_section_bytes=0)
    with pytest.raises(TamperedError, match="index of"):
        Header.from_bytes(header.to_bytes())

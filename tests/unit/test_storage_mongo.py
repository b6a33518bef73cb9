"""What MongoDB's adapter adds to the contract: texts that sort as values do, and errors that tell no secrets."""

import asyncio
import socket
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import InvalidValueError, UnreachableError
from node.storage.fields import rank
from node.storage.mongo import MongoStorage
from node.storage.mongo_query import ordered_text, place
from node.storage.port import Collection, Query

scalars = st.one_of(
    st.none(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)


@given(scalars, scalars)
def test_texts_sort_as_the_values_do(left: str | float | None, right: str | float | None) -> None:
    """Whatever the kinds, by bytes of UTF-8 as by code points."""
    a, b = ordered_text(left), ordered_text(right)
    assert (a < b, a == b) == (rank(left) < rank(right), rank(left) == rank(right))
    assert (a.encode() < b.encode()) == (a < b)


def test_a_number_beyond_all_bounds_has_a_place() -> None:
    """It sorts at the end of its side."""
    assert ordered_text(-(10**400)) < ordered_text(-1e308) < ordered_text(1e308) < ordered_text(10**400)


def test_no_two_fields_share_a_place() -> None:
    """A dotted path, one with underscores, and the key are kept apart."""
    assert len({place(field) for field in ("a.b", "a_b", "a.b_c", "a_b.c", "key", "")}) == 6


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_server_that_is_away_is_told_in_bounded_time(closed_port: int) -> None:
    """Each call says so, without the password, in text or trace."""
    storage = MongoStorage(f"mongodb://anna:swordfish@127.0.0.1:{closed_port}/db", answer_seconds=0.3)
    things: Collection = storage.collection("things", ("state",))
    async with asyncio.timeout(20):
        for call in (things.insert("k", {}), things.find(Query())):
            with pytest.raises(UnreachableError, match="does not answer") as caught:
                await call
            assert "swordfish" not in "".join(traceback.format_exception(caught.value))
    await storage.close()


@pytest.mark.parametrize(
    "address",
    [
        "mongodb://anna:sword@fish@127.0.0.1/db",
        "mongodb://anna:sword/fish@127.0.0.1/db",
        "mongodb://anna:swordfish@/db",
        "mongodb://anna:swordfish@h:99999/",
        "http://anna:swordfish@h/db",
        "mongodb://",
        "",
    ],
)
def test_an_address_that_can_not_be_read_is_refused(address: str) -> None:
    """With the form it should have, and nothing of the address itself, in text or trace."""
    with pytest.raises(InvalidValueError, match="mongodb://user:password@host") as caught:
        MongoStorage(address)
    frames_left_out = "".join(traceback.format_exception_only(caught.value))
    assert "anna" not in frames_left_out
    assert "fish" not in frames_left_out
    assert caught.value.__suppress_context__

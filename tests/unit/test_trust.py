"""What is believed: pinned origin keys, and the order of offers."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import StaleError, TamperedError
from federation.keys import PrivateKey
from federation.names import NodeName
from federation.trust import OriginKeyChangedError, check_offer_order, check_origin_key
from tests.unit.test_offer import made, offered

ACME = NodeName("acme")
FIRST = PrivateKey(b"1" * 32).public
SECOND = PrivateKey(b"2" * 32).public


def test_the_first_key_of_an_origin_is_accepted() -> None:
    """There is nothing yet to compare it with."""
    check_origin_key(ACME, None, FIRST)


def test_the_pinned_key_is_accepted_again() -> None:
    """As often as it comes."""
    check_origin_key(ACME, FIRST, FIRST)


def test_another_key_stops_the_update() -> None:
    """With both keys and what to do, under its own code."""
    with pytest.raises(OriginKeyChangedError, match="ask the operator of acme") as caught:
        check_origin_key(ACME, FIRST, SECOND)
    assert isinstance(caught.value, TamperedError)
    assert caught.value.code == "origin-key-changed"
    assert FIRST.id.short in caught.value.message
    assert SECOND.id.short in caught.value.message


@given(st.integers(0, 20), st.integers(0, 20))
def test_offers_never_go_back(before: int, after: int) -> None:
    """A smaller serial is refused, the same and a greater one are not."""
    seen, new = made(serial=before), made(serial=after)
    if after < before:
        with pytest.raises(StaleError, match=f"offer {after} is older"):
            check_offer_order(seen, new)
    else:
        check_offer_order(seen, new)


def test_the_first_offer_is_accepted() -> None:
    """Whatever its serial."""
    check_offer_order(None, made(serial=10_000))


def test_one_serial_means_one_list() -> None:
    """A provider that shows two lists under one serial is refused; a fresh signature over the same list is not."""
    seen = made()
    check_offer_order(seen, replace(seen, issued=seen.issued + timedelta(hours=1)))
    with pytest.raises(StaleError, match="with other versions"):
        check_offer_order(seen, replace(seen, versions=(offered("guestbook"),)))


def test_a_rollback_under_a_new_serial_is_followed() -> None:
    """A provider may go back to an older version; only its serial never goes back."""
    seen = made(versions=(offered("guestbook", "acme-1.0.1"),))
    check_offer_order(seen, made(serial=8, versions=(offered("guestbook", "acme-1.0.0"),)))

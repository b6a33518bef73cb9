"""What is believed: the pinned key of an origin."""

import pytest

from federation.errors import TamperedError
from federation.keys import PrivateKey
from federation.names import NodeName
from federation.trust import OriginKeyChangedError, check_origin_key

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

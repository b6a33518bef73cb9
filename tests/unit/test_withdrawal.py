"""Withdrawals: whose word is believed, and what form it has."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.digest import Digest
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.keys import PrivateKey, PublicKey
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion
from federation.withdrawal import SignedWithdrawal, Withdrawal, accepted_from

ACME, GLOBEX = NodeName("acme"), NodeName("globex")
ORIGIN, PROVIDER, OTHER = (PrivateKey(bytes([number]) * 32) for number in (1, 2, 3))
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def made(by: NodeName = ACME, key: PrivateKey = ORIGIN, reason: str = "loses data") -> SignedWithdrawal:
    withdrawal = Withdrawal(
        by=by,
        key=key.public,
        service=ServiceName("shop"),
        version=DeveloperVersion("acme-1.0.1"),
        manifest=Digest.of(b"manifest"),
        reason=reason,
        at=NOW,
    )
    return SignedWithdrawal.read(withdrawal.sign(key))


def believed(signed: SignedWithdrawal, origin: PublicKey | None = ORIGIN.public) -> bool:
    try:
        accepted_from(signed, origin=origin, provider=GLOBEX, provider_key=PROVIDER.public)
    except TamperedError:
        return False
    return True


def test_the_origin_and_the_provider_that_lists_it_are_believed() -> None:
    """Each under its own name and by its own key."""
    assert believed(made())
    assert believed(made(by=GLOBEX, key=PROVIDER))
    assert believed(made(by=GLOBEX, key=PROVIDER), origin=None)


@pytest.mark.parametrize(
    ("by", "key"), [(ACME, OTHER), (GLOBEX, OTHER), (NodeName("evil"), OTHER), (ACME, PROVIDER), (GLOBEX, ORIGIN)]
)
def test_nobody_else_is_believed(by: NodeName, key: PrivateKey) -> None:
    """Neither a stranger under either name, nor one of the two under the other's name."""
    assert not believed(made(by=by, key=key))


def test_an_origin_whose_key_is_not_known_is_not_believed() -> None:
    """Its name alone proves nothing."""
    assert not believed(made(), origin=None)


def test_a_key_given_up_withdraws_nothing_unless_the_newest_signed_too() -> None:
    """As with manifests."""
    old, new = OTHER, ORIGIN
    signed = made(key=old)
    assert not believed(signed, origin=new.public)
    assert believed(replace(signed, envelope=signed.envelope.with_signature(new)), origin=new.public)


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_no_altered_byte_passes(at: int, flip: int) -> None:
    """What is read is what was signed."""
    whole = made()
    content = bytearray(whole.envelope.to_bytes())
    content[at % len(content)] ^= flip
    try:
        read = SignedWithdrawal.read(bytes(content))
    except (TamperedError, OversizedError):
        return
    assert read.withdrawal == whole.withdrawal


@pytest.mark.parametrize("reason", ["", "   ", "a\x1b[2Jb", "a\u202eb", "a\x00"])
def test_a_reason_is_plain_text(reason: str) -> None:
    """It is shown to people: nothing in it may steer a terminal or turn the text around."""
    with pytest.raises(InvalidValueError):
        made(reason=reason)


def test_a_reason_may_have_lines_but_not_without_end() -> None:
    """Within its bound."""
    assert made(reason="loses data\nsee 1.0.2").withdrawal.reason.count("\n") == 1
    with pytest.raises(OversizedError):
        made(reason="x" * (limits.WITHDRAWAL_REASON_CHARS + 1))
    with pytest.raises(OversizedError):
        SignedWithdrawal.read(b" " * (limits.WITHDRAWAL_BYTES + 1))


def test_it_is_signed_by_the_key_that_it_names() -> None:
    """The digest is that of what was signed, however many sign."""
    signed = made()
    assert replace(signed, envelope=signed.envelope.with_signature(OTHER)).digest == signed.digest
    with pytest.raises(ValueError, match="the key that it names"):
        signed.withdrawal.sign(OTHER)

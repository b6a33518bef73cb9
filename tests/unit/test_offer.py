"""Offers: for one reader, for a limited time, never an older one again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import assignment, codec, limits, offer, statement
from federation.digest import Digest
from federation.errors import InvalidValueError, OversizedError, StaleError, TamperedError, VUpdateError
from federation.keys import PrivateKey
from federation.names import ProfileName, ServiceName
from federation.offer import Offer, Offered
from federation.versions import DeveloperVersion
from tests.support import strategies as values

PROVIDER = PrivateKey(b"p" * 32)
READER = PrivateKey(b"r" * 32)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def offered(service: str, version: str = "acme-1.0.0") -> Offered:
    return Offered(
        service=ServiceName(service), version=DeveloperVersion(version), image=Digest.of(b"i"), manifest=Digest.of(b"m")
    )


def made(**changes: Any) -> Offer:
    return replace(
        Offer(
            audience=READER.id,
            profile=ProfileName("public-services"),
            serial=7,
            issued=NOW,
            expires=NOW + timedelta(hours=24),
            versions=(offered("guestbook"), offered("shop")),
        ),
        **changes,
    )


def read(content: bytes, now: datetime = NOW) -> Offer:
    return Offer.read(content, provider=PROVIDER.public, reader=READER.id, now=now)


def test_an_offer_is_read_by_the_one_it_was_made_for() -> None:
    """Whole, as it was."""
    assert read(made().sign(PROVIDER)) == made()


def test_an_offer_for_another_node_is_refused() -> None:
    """A consumer can't pass its own on as somebody else's."""
    with pytest.raises(TamperedError, match="another node"):
        read(made(audience=PROVIDER.id).sign(PROVIDER))


def test_an_offer_of_another_signer_is_refused() -> None:
    """Also of the reader itself."""
    with pytest.raises(TamperedError, match="0 valid signatures"):
        read(made().sign(READER))


def test_a_statement_of_another_type_is_no_offer() -> None:
    """What was signed as an assignment is not read as an offer, whatever it says."""
    with pytest.raises(TamperedError, match="where"):
        read(statement.sign(assignment.PAYLOAD_TYPE, made(), PROVIDER))


@given(st.timedeltas(timedelta(days=-3), timedelta(days=3)))
def test_an_offer_is_valid_from_five_minutes_before_its_issue_until_it_expires(away: timedelta) -> None:
    """Not a moment longer: who withholds newer ones can't show an old one for ever."""
    content = made().sign(PROVIDER)
    if timedelta(minutes=-5) <= away < timedelta(hours=24):
        assert read(content, NOW + away) == made()
    else:
        with pytest.raises(StaleError, match="clock is wrong"):
            read(content, NOW + away)


def test_the_borders_of_validity() -> None:
    """The moment of expiry is already too late."""
    content = made().sign(PROVIDER)
    read(content, NOW + timedelta(hours=24) - timedelta(microseconds=1))
    with pytest.raises(StaleError, match="expired"):
        read(content, NOW + timedelta(hours=24))
    read(content, NOW - timedelta(minutes=5))
    with pytest.raises(StaleError, match="future"):
        read(content, NOW - timedelta(minutes=5, microseconds=1))


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": -1},
        {"serial": 2**70},
        {"expires": NOW},
        {"expires": NOW - timedelta(seconds=1)},
        {"versions": (offered("shop"), offered("guestbook"))},
        {"versions": (offered("shop"), offered("shop", "acme-2.0.0"))},
    ],
)
def test_an_offer_can_not_be_built_wrong(changes: dict[str, Any]) -> None:
    """Each service once, in order; a serial; a time to live."""
    with pytest.raises(InvalidValueError):
        made(**changes)


def test_an_offer_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """On its number of versions."""
    monkeypatch.setattr(limits, "OFFER_VERSIONS", 1)
    with pytest.raises(OversizedError):
        made()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serial", "7"),
        ("serial", 1.5),
        ("serial", None),
        ("issued", "2026-03-01T12:00:00"),
        ("expires", "tomorrow"),
        ("expires", 1_800_000_000),
        ("audience", "acme"),
        ("profile", "../x"),
        ("versions", {}),
        ("versions", [{"service": "../x"}]),
    ],
)
def test_a_well_signed_offer_with_a_bad_field_is_refused(field: str, value: object) -> None:
    """And the sentence names the signer and the field."""
    document = codec.to_document(made())
    document[field] = value
    with pytest.raises(TamperedError, match=f"signed by {PROVIDER.id.short}.*{field}"):
        read(statement.sign(offer.PAYLOAD_TYPE, document, PROVIDER))


@given(st.binary(max_size=60) | values.json_values())
def test_anything_signed_or_not_gives_an_error_of_ours(value: Any) -> None:
    """Never another exception."""
    with pytest.raises(VUpdateError):
        read(value if isinstance(value, bytes) else statement.sign(offer.PAYLOAD_TYPE, value, PROVIDER))

"""The codec: what is read is checked field by field, so it can't be read wrong."""

import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec
from federation.codec import Moment
from federation.digest import Digest
from federation.errors import InvalidValueError, VUpdateError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.names import InstanceName, NodeName, ProfileName, RoleName, ServiceKey, ServiceName
from federation.profile import Profile
from federation.service import Command, Health, Install, Run, Service
from federation.state import InstanceState, Moved, Phase, ServiceState
from federation.versions import ClientVersion, DeveloperVersion
from node.model.account import LoginLink, Person, Role
from tests.support import strategies as values

KEY = PrivateKey(b"k" * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """One field of each kind that values have."""

    client: ClientVersion
    developer: DeveloperVersion
    digest: Digest
    instance: InstanceName
    node_id: NodeId
    node: NodeName
    profile: ProfileName
    key: PublicKey
    role: RoleName
    service_key: ServiceKey
    service: ServiceName
    at: Moment
    phase: Phase
    maybe: ClientVersion | None = None
    many: tuple[ServiceName, ...] = ()
    bag: frozenset[ServiceName] = frozenset()
    by_name: dict[ServiceName, DeveloperVersion] = field(default_factory=dict)
    raw: bytes = b""
    number: float = 0.0


WHOLE = Everything(
    client=ClientVersion("acme-1.0_1"),
    developer=DeveloperVersion("acme-1.0"),
    digest=Digest.of(b"x"),
    instance=InstanceName("web-1"),
    node_id=KEY.id,
    node=NodeName("acme"),
    profile=ProfileName("public"),
    key=KEY.public,
    role=RoleName("worker"),
    service_key=ServiceKey("shop:worker"),
    service=ServiceName("shop"),
    at=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    phase=Phase.PUTTING_BACK,
    maybe=ClientVersion("acme-2.0"),
    many=(ServiceName("a"), ServiceName("b")),
    bag=frozenset({ServiceName("c")}),
    by_name={ServiceName("d"): DeveloperVersion("acme-3.0")},
    raw=b"\x00\xff",
    number=0.1,
)
TEXT_FIELDS = (
    "client developer digest instance node_id node profile key role service_key service".split()  # noqa: SIM905 a list of words
)


def test_every_kind_of_field_survives() -> None:
    """As bytes and as a document, with its very type."""
    for again in (
        codec.decode(codec.encode(WHOLE), Everything),
        codec.from_document(codec.to_document(WHOLE), Everything),
        codec.from_document(json.loads(json.dumps(codec.to_document(WHOLE))), Everything),
    ):
        assert again == WHOLE
        for name in TEXT_FIELDS:
            assert type(getattr(again, name)) is type(getattr(WHOLE, name))
        assert [type(one) for one in (*again.many, *again.bag, *again.by_name, again.maybe)] == [
            ServiceName,
            ServiceName,
            ServiceName,
            ServiceName,
            ClientVersion,
        ]
        assert again.client.number == 1


def test_a_document_is_of_plain_types_only() -> None:
    """Any store can take it."""

    def plain(value: object) -> bool:
        if isinstance(value, dict):
            return all(type(key) is str and plain(item) for key, item in value.items())
        if isinstance(value, list | tuple):
            return all(plain(item) for item in value)
        return type(value) in (str, int, float, bool, type(None))

    assert plain(codec.to_document(WHOLE))


@given(values.moments(), st.integers(-23, 23))
def test_a_moment_survives_in_any_zone(moment: datetime, hours: int) -> None:
    """It is the same moment, and aware."""
    zoned = moment.astimezone(timezone(timedelta(hours=hours)))
    link = LoginLink(secret=Digest.of(b"s"), person=Person(name="ada", role=Role.VIEWER), expires=zoned)
    again = codec.decode(codec.encode(link), LoginLink).expires
    assert again == moment
    assert again.utcoffset() is not None


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00", "2026-03-01", "12:00", "", "now", 1_800_000_000, None])
def test_a_time_without_an_offset_is_refused(text: object) -> None:
    """Local time is never read as UTC."""
    document = codec.to_document(WHOLE)
    document["at"] = text
    with pytest.raises(InvalidValueError, match="at"):
        codec.from_document(document, Everything)
    with pytest.raises(InvalidValueError, match="at"):
        codec.decode(json.dumps(document).encode(), Everything)


@pytest.mark.parametrize("name", TEXT_FIELDS)
@pytest.mark.parametrize("text", ["../x", "", "a/b", "a\0", "A B", 1, None, ["a"], {"a": 1}, True])
def test_a_bad_name_inside_a_document_is_refused(name: str, text: object) -> None:
    """Wherever a value's type stands, its rule holds, and the message names the field."""
    document = codec.to_document(WHOLE)
    document[name] = text
    with pytest.raises(InvalidValueError, match=name):
        codec.decode(json.dumps(document).encode(), Everything)
    with pytest.raises(InvalidValueError, match=name):
        codec.from_document(document, Everything)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("many", ["ok", "../x"]),
        ("bag", ["../x"]),
        ("by_name", {"../x": "acme-1.0"}),
        ("by_name", {"ok": "acme"}),
        ("maybe", "acme"),
        ("phase", "flying"),
        ("raw", "*"),
        ("number", "1"),
    ],
)
def test_a_bad_value_deep_inside_is_refused(name: str, value: object) -> None:
    """In lists, sets, keys and values."""
    document = codec.to_document(WHOLE)
    document[name] = value
    with pytest.raises(InvalidValueError, match=name):
        codec.decode(json.dumps(document).encode(), Everything)


def test_a_missing_field_is_refused_by_name() -> None:
    """Unless it has a default."""
    document = codec.to_document(WHOLE)
    del document["service"], document["maybe"]
    with pytest.raises(InvalidValueError, match="service"):
        codec.from_document(document, Everything)
    document["service"] = "shop"
    assert codec.from_document(document, Everything).maybe is None


def test_a_field_of_a_later_version_is_passed_over() -> None:
    """So that a newer peer may say more."""
    assert codec.from_document({**codec.to_document(WHOLE), "later": 1}, Everything) == WHOLE


def test_what_has_no_stored_form_is_our_mistake() -> None:
    """It fails loudly where it is written, not where it is read."""
    with pytest.raises(TypeError, match="no stored form"):
        codec.encode(object())
    with pytest.raises(TypeError, match="not stored as an object"):
        codec.to_document("text")


def test_the_values_of_the_domain_survive() -> None:
    """A service with its run part, a state with what moved, a profile."""
    service = Service(
        name=ServiceName("shop"),
        run=Run(command=("./shop",), env={"A": "1"}, health=Health(http="http://127.0.0.1:1/h")),
        install=Install(before_stop=(Command(run=("true",), output_match="done"),)),
        expand=("config/*.toml",),
    )
    now = datetime(2026, 3, 1, tzinfo=UTC)
    version = ClientVersion("acme-1.0_1")
    moved = Moved(version=version, base=None, moved_bytes=1, full_bytes=2, seconds=0.5)
    state = ServiceState(key=ServiceKey("shop"), phase=Phase.RUNNING, since=now, running=version, moved=moved)
    profile = Profile(name=ProfileName("public"), services=frozenset({ServiceName("shop"), ServiceName("book")}))
    for value in (service, InstanceState(at=now, revision=1, services=(state,)), profile):
        assert codec.decode(codec.encode(value), type(value)) == value
        assert codec.from_document(codec.to_document(value), type(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_give_an_error_of_ours(content: bytes) -> None:
    """Never another exception."""
    with pytest.raises(VUpdateError):
        codec.decode(content, Everything)


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"a":' * 100_000, b"\xff", b'{"client":"\xe8"}', b'"\\ud800"', b"1e999999", b"-", b"\0"],
)
def test_hostile_bytes_give_an_error_of_ours(content: bytes) -> None:
    """Deep nesting, broken letters, numbers that are none."""
    with pytest.raises(VUpdateError):
        codec.decode(content, Everything)


@given(st.sampled_from(sorted(codec.to_document(WHOLE))), values.json_values())
def test_any_value_in_any_field_gives_a_value_or_an_error_of_ours(name: str, value: Any) -> None:
    """Read from bytes and from a store."""
    document = {**codec.to_document(WHOLE), name: value}
    with contextlib.suppress(VUpdateError):
        codec.decode(json.dumps(document).encode(), Everything)
    with contextlib.suppress(VUpdateError):
        codec.from_document(document, Everything)


ZONES = st.sampled_from([UTC, timezone(timedelta(hours=2))])


@given(st.lists(st.datetimes(min_value=datetime(1, 1, 3), timezones=ZONES), min_size=2, max_size=6))  # noqa: DTZ001
def test_stored_moments_sort_as_texts_in_the_order_of_time(moments: list[datetime]) -> None:
    """Also where one has no fraction of a second, or was given with another offset."""
    whole = [moment.replace(microsecond=0) for moment in moments]
    stored = sorted((codec.to_document({"at": [moment]})["at"][0], moment) for moment in [*moments, *whole])
    assert [moment for _, moment in stored] == sorted(moment for _, moment in stored)


def test_a_moment_at_the_edge_of_the_calendar_is_stored_as_it_came() -> None:
    """A peer may send the first day of year 1 with an offset; storing it must not fail."""
    edge = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert codec.to_document({"at": edge}) == {"at": "0001-01-01T00:00:00.000000+02:00"}

"""What a node tells the local network of itself, and the table of those heard."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.discovery import FORGET_SECONDS, OLDEST_SECONDS, RENEW_SECONDS, Announcement, Announcer, Heard, Nearby
from federation.errors import InvalidValueError, TamperedError, VUpdateError
from federation.identity import NodeId
from federation.keys import PrivateKey
from federation.names import NodeName
from tests.support.strategies import node_names, private_keys

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ACME = PrivateKey(b"a" * 32)
GLOBEX = PrivateKey(b"g" * 32)
OWN = PrivateKey(b"o" * 32).id


def announcement(key: PrivateKey = ACME, **more: Any) -> Announcement:
    given: dict[str, Any] = {
        "name": NodeName("acme"),
        "url": "https://acme.example:7420",
        "addresses": ["192.0.2.7"],
        "port": 7420,
        "tls": True,
        "now": NOW,
    }
    return Announcement.of(key=key.public, **given | more)


def heard(key: PrivateKey = ACME, instance: str = "acme._vupdate._tcp.local.", **more: Any) -> Heard:
    return Heard(instance=instance, txt=announcement(key, **more).to_txt(key))


def table(**more: Any) -> Nearby:
    return Nearby(own=OWN, **more)


def strings(txt: bytes) -> list[bytes]:
    found, start = [], 0
    while start < len(txt):
        found.append(txt[start + 1 : start + 1 + txt[start]])
        start += 1 + txt[start]
    return found


def joined(parts: Sequence[bytes]) -> bytes:
    return b"".join(bytes([len(part)]) + part for part in parts)


addresses = st.ip_addresses().filter(lambda one: not one.is_unspecified).map(str)


@given(private_keys(), node_names(), st.lists(addresses, min_size=1, max_size=4, unique=True), st.integers(1, 65535))
def test_what_is_announced_is_read_again(key: PrivateKey, name: NodeName, at: list[str], port: int) -> None:
    """Byte by byte through the TXT record."""
    made = announcement(key, name=name, addresses=at, port=port)
    assert Announcement.from_txt(made.to_txt(key)) == made


def test_an_announcement_says_no_more_than_who_and_where() -> None:
    """No service, no profile, no link and no version of vUpdate is told to the network."""
    keys = [one.partition(b"=")[0] for one in strings(announcement().to_txt(ACME))]
    assert keys == [b"v", b"id", b"key", b"name", b"url", b"at", b"made", b"sig"]


def test_the_longest_announcement_fits_its_bound() -> None:
    """Eight IPv6 addresses, a long name and a long URL."""
    url = "https://" + "a" * 230 + ":7420"
    at = [f"fd00:1111:2222:{number}::1" for number in range(8)]
    longest = announcement(name=NodeName("n" * limits.NODE_NAME_CHARS), url=url, addresses=at)
    assert len(longest.to_txt(ACME)) <= limits.ANNOUNCEMENT_BYTES


def test_a_url_too_long_for_a_record_is_refused_when_it_is_announced() -> None:
    """And not cut off silently."""
    with pytest.raises(InvalidValueError, match="255 bytes"):
        announcement(url="https://" + "a" * 260)


@pytest.mark.parametrize("url", ["https://0.0.0.0:7420", "https://[::]:7420", "https://localhost:7420"])
def test_an_address_that_only_this_machine_understands_is_replaced(url: str) -> None:
    """What a node listening on all interfaces calls itself would lead every hearer to itself."""
    assert announcement(url=url).urls == ("https://192.0.2.7:7420",)


def test_behind_a_proxy_that_does_tls_only_its_address_is_announced() -> None:
    """The node's own port speaks another scheme than the one in its URL."""
    assert announcement(tls=False).urls == ("https://acme.example:7420",)


def test_the_nodes_own_word_comes_before_its_local_addresses() -> None:
    """It is the one that its operator chose."""
    assert announcement(addresses=["192.0.2.7", "fd00::7"]).urls == (
        "https://acme.example:7420",
        "https://192.0.2.7:7420",
        "https://[fd00::7]:7420",
    )


@given(st.data())
def test_no_part_of_an_announcement_can_be_changed(data: st.DataObject) -> None:
    """Any byte of it is covered by the signature, or by the form."""
    content = bytearray(announcement().to_txt(ACME))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises((InvalidValueError, TamperedError)):
        Announcement.from_txt(bytes(content))


@given(st.binary(max_size=1400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Nothing from the network raises anything but our own errors."""
    with pytest.raises(VUpdateError):
        Announcement.from_txt(content)


@given(
    st.lists(st.tuples(st.sampled_from(["v", "id", "key", "name", "url", "at", "made", "sig"]), st.text()), max_size=9)
)
def test_any_keys_and_values_are_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    """Also those that look like ours."""
    parts = [f"{key}={value}".encode()[:255] for key, value in pairs]
    with pytest.raises(VUpdateError):
        Announcement.from_txt(joined(parts))


def test_an_announcement_has_one_spelling() -> None:
    """Base64 and numbers could be written otherwise with the same meaning; such a record is not taken for another."""
    parts = dict(one.split(b"=", 1) for one in strings(announcement().to_txt(ACME)))
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    # The last letter before the padding has four bits that mean nothing.
    twin = alphabet.index(parts[b"sig"][-3]) ^ 1
    twisted = parts[b"sig"][:-3] + alphabet[twin : twin + 1] + b"=="
    for change in ({b"sig": twisted}, {b"made": b"0" + parts[b"made"]}):
        with pytest.raises(InvalidValueError):
            Announcement.from_txt(joined([key + b"=" + value for key, value in (parts | change).items()]))


def test_another_nodes_id_can_not_be_announced() -> None:
    """Neither by naming it beside one's own key, nor by naming its key."""
    own = strings(announcement(GLOBEX).to_txt(GLOBEX))
    parts = dict(one.split(b"=", 1) for one in own)
    for change in ({b"id": str(ACME.id).encode()}, {b"id": str(ACME.id).encode(), b"key": ACME.public.encode()}):
        forged = joined([key + b"=" + value for key, value in (parts | change).items()])
        with pytest.raises(TamperedError):
            Announcement.from_txt(forged)


def test_an_announcer_signs_anew_only_when_there_is_a_reason() -> None:
    """The record stays the same until the addresses change or half an hour has passed."""
    announcer = Announcer(key=ACME, name=NodeName("acme"), url="http://0.0.0.0:1", port=7420, tls=False)
    first = announcer.txt(("192.0.2.7",), NOW)
    assert announcer.txt(("192.0.2.7",), NOW + timedelta(seconds=RENEW_SECONDS - 1)) == first
    assert announcer.txt(("192.0.2.8",), NOW) != first
    assert announcer.txt(("192.0.2.8",), NOW + timedelta(seconds=RENEW_SECONDS)) != announcer.txt(("192.0.2.8",), NOW)


def test_a_node_is_shown_once_heard_and_forgotten_when_silent() -> None:
    """A record heard again keeps it; after two and a half minutes without one it is gone."""
    nearby = table()
    assert nearby.hear(heard(), NOW, 0.0)
    later = NOW + timedelta(seconds=FORGET_SECONDS)
    assert not nearby.hear(heard(), later, 1.0)
    assert not nearby.prune(later + timedelta(seconds=FORGET_SECONDS))
    (found,) = nearby.nodes()
    assert (found.id, found.since, found.heard) == (ACME.id, NOW, later)
    assert nearby.prune(later + timedelta(seconds=FORGET_SECONDS + 1))
    assert nearby.nodes() == []


def test_a_goodbye_is_heeded_under_the_name_it_was_heard_under() -> None:
    """One for another name changes nothing."""
    nearby = table()
    nearby.hear(heard(), NOW, 0.0)
    assert not nearby.hear(Heard(instance="globex._vupdate._tcp.local.", gone=True), NOW, 0.0)
    assert nearby.get(ACME.id) is not None
    assert nearby.hear(Heard(instance="acme._vupdate._tcp.local.", gone=True), NOW, 0.0)
    assert nearby.nodes() == []


def test_a_node_does_not_see_itself() -> None:
    """Multicast comes back to its sender."""
    own = PrivateKey(b"o" * 32)
    nearby = table()
    assert not nearby.hear(heard(own), NOW, 0.0)
    assert nearby.nodes() == []


def test_a_node_that_moves_is_followed_by_its_id() -> None:
    """Its newer word replaces the older one, and a recording of the older one does not come back."""
    nearby = table()
    old = heard()
    nearby.hear(old, NOW, 0.0)
    moved = heard(addresses=["192.0.2.99"], now=NOW + timedelta(seconds=5))
    assert nearby.hear(moved, NOW + timedelta(seconds=5), 0.0)
    assert not nearby.hear(old, NOW + timedelta(seconds=6), 0.0)
    (found,) = nearby.nodes()
    assert found.announcement.urls[1] == "https://192.0.2.99:7420"
    assert found.since == NOW


def test_two_records_of_one_node_are_one_entry() -> None:
    """Whatever mDNS names they come under: after a change of name both are heard for a while."""
    nearby = table()
    nearby.hear(heard(), NOW, 0.0)
    assert not nearby.hear(heard(instance="acme-2._vupdate._tcp.local."), NOW, 0.0)
    (found,) = nearby.nodes()
    assert found.instance == "acme-2._vupdate._tcp.local."


@pytest.mark.parametrize("age", [-66.0, OLDEST_SECONDS + 1])
def test_a_recording_and_a_wrong_clock_are_ignored(age: float) -> None:
    """An announcement is good for an hour from its signing."""
    nearby = table()
    with pytest.raises(InvalidValueError, match="recording"):
        nearby.hear(heard(), NOW + timedelta(seconds=age), 0.0)
    assert nearby.nodes() == []


def test_a_recording_does_not_keep_a_node_that_left() -> None:
    """Even one that is known byte for byte is measured again each time."""
    nearby = table()
    nearby.hear(heard(), NOW, 0.0)
    with pytest.raises(InvalidValueError):
        nearby.hear(heard(), NOW + timedelta(seconds=OLDEST_SECONDS + 1), 0.0)


@pytest.mark.parametrize("url", ["http://127.0.0.1:6379", "http://localhost", "http://[::1]:80", "http://224.0.0.251"])
def test_an_announcement_can_not_lead_to_the_hearers_own_machine(url: str) -> None:
    """A stranger must not make this node ask a port of its own machine."""
    forged = replace(announcement(), url=url, at=())
    nearby = table()
    with pytest.raises(InvalidValueError, match="own machine"):
        nearby.hear(Heard(instance="x", txt=forged.to_txt(ACME)), NOW, 0.0)
    assert nearby.nodes() == []
    assert table(on_loopback=True).hear(Heard(instance="x", txt=forged.to_txt(ACME)), NOW, 0.0)


def crowd(count: int) -> list[PrivateKey]:
    return [PrivateKey(number.to_bytes(32, "big")) for number in range(1, count + 1)]


def test_the_table_has_a_bound_and_linked_nodes_find_room_in_it() -> None:
    """A crowd of strangers fills it, and can't keep out a provider."""
    nearby = table()
    for number, key in enumerate(crowd(limits.NEARBY_NODES)):
        nearby.hear(heard(key, instance=f"n{number}"), NOW, 1000.0 * number)
    assert nearby.full
    with pytest.raises(InvalidValueError, match="more than"):
        nearby.hear(heard(GLOBEX), NOW, 1e6)
    assert nearby.hear(heard(GLOBEX), NOW, 2e6, known=frozenset({GLOBEX.id}))
    assert nearby.get(GLOBEX.id) is not None
    assert len(nearby.nodes()) == limits.NEARBY_NODES


def test_linked_nodes_are_not_pushed_out() -> None:
    """Not even by one more of them."""
    keys = crowd(limits.NEARBY_NODES)
    known: frozenset[NodeId] = frozenset(key.id for key in keys) | {GLOBEX.id}
    nearby = table()
    for number, key in enumerate(keys):
        nearby.hear(heard(key, instance=f"n{number}"), NOW, 1000.0 * number)
    with pytest.raises(InvalidValueError, match="more than"):
        nearby.hear(heard(GLOBEX), NOW, 1e6, known=known)


def test_a_flood_costs_a_bounded_number_of_signature_checks() -> None:
    """What is known already is recognised without one."""
    nearby = table()
    nearby.hear(heard(), NOW, 0.0)
    refused = 0
    for number, key in enumerate(crowd(300)):
        try:
            nearby.hear(heard(key, instance=f"n{number}"), NOW, 0.0)
        except InvalidValueError:
            refused += 1
    assert refused == 300 - 99
    assert not nearby.hear(heard(), NOW, 0.0)

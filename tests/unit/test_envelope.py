"""DSSE envelopes: what is signed is what is read."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import envelope as module
from federation import limits
from federation.envelope import Envelope, Signature
from federation.errors import OversizedError, TamperedError, VUpdateError
from federation.keys import PrivateKey
from tests.support import strategies as values

TYPE = "application/vnd.vupdate.test+json"
KEY = PrivateKey(b"k" * 32)
OTHER = PrivateKey(b"o" * 32)
THIRD = PrivateKey(b"t" * 32)


def test_the_pre_authentication_encoding_of_the_specification() -> None:
    """The example of DSSE's protocol.md."""
    encoded = module._pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_are_of_bytes() -> None:
    """A type of other letters counts its UTF-8 bytes, an empty payload counts zero."""
    assert module._pre_authentication_encoding("ж", b"") == b"DSSEv1 2 \xd0\xb6 0 "


def test_a_vector_that_stays() -> None:
    """Ed25519 is deterministic: this envelope may never come out otherwise."""
    wire = json.loads(Envelope.signed("http://example.com/HelloWorld", b"hello world", KEY).to_bytes())
    message = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert wire == {
        "payload": "aGVsbG8gd29ybGQ=",
        "payloadType": "http://example.com/HelloWorld",
        "signatures": [{"sig": base64.b64encode(KEY.sign(message)).decode(), "keyid": str(KEY.id)}],
    }


@given(st.text(max_size=30), st.binary(max_size=200))
def test_an_envelope_survives_its_bytes(payload_type: str, payload: bytes) -> None:
    """And gives its payload to who knows the key."""
    signed = Envelope.signed(payload_type, payload, KEY)
    again = Envelope.from_bytes(signed.to_bytes())
    assert again == signed
    assert again.verified_payload(payload_type, [KEY.public]) == payload


@given(st.binary(min_size=1, max_size=50), st.data())
def test_every_changed_byte_is_refused(payload: bytes, data: st.DataObject) -> None:
    """Of the payload, of its type, of the signature."""
    signed = Envelope.signed(TYPE, payload, KEY)
    place = data.draw(st.integers(0, len(payload) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = bytearray(payload)
    changed[place] ^= bit
    value = bytearray(signed.signatures[0].value)
    value[data.draw(st.integers(0, 63))] ^= bit
    forged = [
        Envelope(payload_type=TYPE, payload=bytes(changed), signatures=signed.signatures),
        Envelope(payload_type=TYPE, payload=payload + b"x", signatures=signed.signatures),
        Envelope(payload_type=TYPE, payload=payload[:-1], signatures=signed.signatures),
        Envelope(payload_type=TYPE, payload=payload, signatures=(Signature(str(KEY.id), bytes(value)),)),
        Envelope(payload_type=TYPE, payload=payload, signatures=()),
    ]
    for one in forged:
        with pytest.raises(TamperedError):
            one.verified_payload(TYPE, [KEY.public])


@given(st.data())
def test_every_changed_byte_of_the_wire_form_is_refused_or_means_the_same(data: st.DataObject) -> None:
    """Nobody in the middle changes the payload; the unsigned hint ``keyid`` decides nothing."""
    payload = b'{"serial": 7}'
    content = Envelope.signed(TYPE, payload, KEY).to_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = content[:place] + data.draw(st.binary(min_size=1, max_size=1)) + content[place + 1 :]
    try:
        read = Envelope.from_bytes(changed).verified_payload(TYPE, [KEY.public])
    except VUpdateError:
        return
    assert read == payload


def test_a_signature_for_one_type_does_not_serve_another() -> None:
    """The type is under the signature: an offer can't be passed off as an assignment."""
    signed = Envelope.signed("application/vnd.vupdate.offer+json", b"{}", KEY)
    moved = Envelope(payload_type=TYPE, payload=signed.payload, signatures=signed.signatures)
    with pytest.raises(TamperedError, match="0 valid signatures"):
        moved.verified_payload(TYPE, [KEY.public])
    with pytest.raises(TamperedError, match="where"):
        signed.verified_payload(TYPE, [KEY.public])


def test_the_border_between_type_and_payload_can_not_be_moved() -> None:
    """Lengths stand before both, so no other pair has the same encoding."""
    signed = Envelope.signed("a", b"b c", KEY)
    moved = Envelope(payload_type="a b", payload=b"c", signatures=signed.signatures)
    assert not moved.signers([KEY.public])


def test_a_claimed_key_id_is_only_a_hint() -> None:
    """A stranger's signature under a known id is refused; a known key's under a strange id counts."""
    strange = Envelope.signed(TYPE, b"x", OTHER)
    lying = Envelope(payload_type=TYPE, payload=b"x", signatures=(Signature(str(KEY.id), strange.signatures[0].value),))
    with pytest.raises(TamperedError):
        lying.verified_payload(TYPE, [KEY.public])
    mine = Envelope.signed(TYPE, b"x", KEY)
    renamed = Envelope(payload_type=TYPE, payload=b"x", signatures=(Signature("whatever", mine.signatures[0].value),))
    assert renamed.verified_payload(TYPE, [KEY.public]) == b"x"


def test_a_threshold_counts_keys_not_signatures() -> None:
    """The same signature five times, or the same key given twice, is one."""
    one = Envelope.signed(TYPE, b"x", KEY)
    five = Envelope(payload_type=TYPE, payload=b"x", signatures=one.signatures * 5)
    with pytest.raises(TamperedError, match="1 valid signatures of known keys where 2 are due"):
        five.verified_payload(TYPE, [KEY.public, KEY.public, OTHER.public], threshold=2)
    two = one.with_signature(OTHER)
    assert two.verified_payload(TYPE, [KEY.public, OTHER.public, THIRD.public], threshold=2) == b"x"
    assert two.signers([KEY.public, OTHER.public, THIRD.public]) == {KEY.id, OTHER.id}
    with pytest.raises(TamperedError):
        two.verified_payload(TYPE, [KEY.public, OTHER.public, THIRD.public], threshold=3)


def test_a_threshold_below_one_is_a_mistake_of_ours() -> None:
    """It would accept an unsigned envelope."""
    with pytest.raises(ValueError, match="unsigned"):
        Envelope.signed(TYPE, b"x", KEY).verified_payload(TYPE, [KEY.public], threshold=0)


def test_signing_again_replaces() -> None:
    """One signature a key, the others stay."""
    twice = Envelope.signed(TYPE, b"x", KEY).with_signature(OTHER).with_signature(KEY)
    assert [one.key_id for one in twice.signatures] == [OTHER.id, KEY.id]


def test_the_url_safe_alphabet_is_read_too() -> None:
    """DSSE lets writers choose."""
    payload = b"\xff\xfe\xfb" * 5
    wire = json.loads(Envelope.signed(TYPE, payload, KEY).to_bytes())
    wire["payload"] = base64.urlsafe_b64encode(payload).decode()
    wire["signatures"][0]["sig"] = wire["signatures"][0]["sig"].replace("+", "-").replace("/", "_")
    assert Envelope.from_bytes(json.dumps(wire).encode()).verified_payload(TYPE, [KEY.public]) == payload


def test_too_much_is_refused_unread() -> None:
    """Too many bytes, too many signatures."""
    with pytest.raises(OversizedError):
        Envelope.from_bytes(b" " * (limits.ENVELOPE_BYTES + 1))
    many = {"payload": "", "payloadType": TYPE, "signatures": [{"sig": ""}] * (limits.ENVELOPE_SIGNATURES + 1)}
    with pytest.raises(OversizedError):
        Envelope.from_bytes(json.dumps(many).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"payload":"","payloadType":"x"}',
        b'{"payload":"*","payloadType":"x","signatures":[]}',
        b'{"payload":"YQ","payloadType":"x","signatures":[]}',
        '{"payload":"é","payloadType":"x","signatures":[]}'.encode(),
        b'{"payload":1,"payloadType":"x","signatures":[]}',
        b'{"payload":"","payloadType":"x","signatures":[{"keyid":"a"}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_envelope_is_refused(content: bytes) -> None:
    """As tampered, whatever it is."""
    with pytest.raises(TamperedError, match="not a DSSE envelope"):
        Envelope.from_bytes(content)


def _read_all(content: bytes) -> None:
    envelope = Envelope.from_bytes(content)
    envelope.signers([KEY.public])
    envelope.verified_payload(TYPE, [KEY.public])


@given(st.binary(max_size=200))
def test_any_bytes_give_an_error_of_ours(content: bytes) -> None:
    """Never another exception."""
    with pytest.raises(VUpdateError):
        _read_all(content)


almost = st.fixed_dictionaries(
    {},
    optional={
        "payload": st.text("AQIDabc=+/-_", max_size=12) | values.json_values(),
        "payloadType": st.just(TYPE) | st.text(st.characters(), max_size=6) | values.json_values(),
        "signatures": st.lists(
            st.fixed_dictionaries({}, optional={"sig": st.text(max_size=8), "keyid": values.json_values()}), max_size=3
        )
        | values.json_values(),
        "other": values.json_values(),
    },
)


@given(almost)
def test_almost_envelopes_give_an_error_of_ours(wire: dict[str, Any]) -> None:
    """Each field missing, odd, or of another kind; also with lone surrogates."""
    with pytest.raises(VUpdateError):
        _read_all(json.dumps(wire).encode())

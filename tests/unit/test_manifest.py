"""Version manifests: signed once by their maker, passed on unchanged, refused when anything is off."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits, manifest
from federation.digest import Digest
from federation.envelope import Envelope
from federation.errors import InvalidValueError, OversizedError, TamperedError, VUpdateError
from federation.keys import PrivateKey
from federation.manifest import Maker, Manifest, SignedManifest, Source
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from tests.support import strategies as values

KEY = PrivateKey(b"k" * 32)
OTHER = PrivateKey(b"o" * 32)
MAKER = Maker(node=NodeName("acme"), key=KEY.public)


def made(**changes: Any) -> Manifest:
    return replace(
        Manifest(
            service=ServiceName("guestbook"),
            version=DeveloperVersion("acme-1.4.2"),
            image=Digest.of(b"image"),
            size_bytes=1234,
            entries=5,
            recipe=Digest.of(b"recipe"),
            sources=(Source(name="main", url="https://example.com/guestbook.git", commit="0" * 40),),
            maker=MAKER,
            created=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
            comment="first",
        ),
        **changes,
    )


@st.composite
def manifests(draw: Any) -> tuple[Manifest, PrivateKey]:
    key: PrivateKey = draw(values.private_keys())
    node: NodeName = draw(values.node_names())
    base = draw(values.developer_versions(st.just(node)))
    client: bool = draw(st.booleans())
    text = st.text(st.characters(codec="utf-8"), max_size=12)
    sources = st.lists(st.builds(Source, name=text, url=text, commit=text), max_size=3).map(tuple)
    return Manifest(
        service=draw(values.service_names()),
        version=ClientVersion.of(base, draw(st.integers(0, 9))) if client else base,
        image=draw(values.digests()),
        size_bytes=draw(st.integers(0, limits.IMAGE_BYTES)),
        entries=draw(st.integers(0, limits.IMAGE_ENTRIES)),
        recipe=draw(values.digests()),
        sources=draw(sources),
        maker=Maker(node=draw(values.node_names()) if client else node, key=key.public),
        created=draw(values.moments()),
        comment=draw(text),
        base=draw(values.digests()) if client else None,
        overlay=draw(values.digests()) if client else None,
    ), key


@given(manifests())
def test_a_manifest_survives_its_bytes(made_by: tuple[Manifest, PrivateKey]) -> None:
    """Developer or client version, every field, with the type of its version."""
    value, key = made_by
    signed = SignedManifest.make(value, key)
    again = SignedManifest.from_bytes(signed.envelope.to_bytes())
    assert again == signed
    assert type(again.manifest.version) is type(value.version)
    assert again.digest == signed.digest == Digest.of(signed.envelope.payload)


def test_the_statement_is_what_in_toto_says() -> None:
    """Stock tools find type, subject and predicate where they look for them."""
    statement = json.loads(SignedManifest.make(made(), KEY).envelope.payload)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"] == [
        {"name": "guestbook/acme-1.4.2", "digest": {"sha256": str(Digest.of(b"image"))}},
    ]
    assert statement["predicateType"] == manifest.PREDICATE_TYPE
    assert statement["predicate"]["sources"] == [
        {"name": "main", "url": "https://example.com/guestbook.git", "commit": "0" * 40},
    ]
    assert statement["predicate"]["created"] == "2026-03-01T12:00:00Z"
    assert set(statement) == {"_type", "subject", "predicateType", "predicate"}


def test_it_is_passed_on_as_received() -> None:
    """What a later version added to the statement stays under the signature, though it is not understood here."""
    statement = json.loads(SignedManifest.make(made(), KEY).envelope.payload)
    statement["predicate"]["added_later"] = {"x": 1}
    payload = json.dumps(statement, indent=1).encode()
    received = Envelope.signed(manifest.PAYLOAD_TYPE, payload, KEY).to_bytes()
    read = SignedManifest.from_bytes(received)
    assert read.manifest == made()
    assert read.envelope.payload == payload
    assert read.envelope.to_bytes() == received


@given(st.data())
def test_every_changed_byte_is_refused(data: st.DataObject) -> None:
    """Of the statement, whatever it still says."""
    signed = SignedManifest.make(made(), KEY).envelope
    payload = bytearray(signed.payload)
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(TamperedError):
        SignedManifest.from_bytes(replace(signed, payload=bytes(payload)).to_bytes())


def test_a_manifest_signed_by_another_is_refused() -> None:
    """The signature is checked by the key that the statement names as its maker's."""
    payload = SignedManifest.make(made(), KEY).envelope.payload
    with pytest.raises(TamperedError, match="0 valid signatures"):
        SignedManifest.from_bytes(Envelope.signed(manifest.PAYLOAD_TYPE, payload, OTHER).to_bytes())


def test_a_manifest_is_only_made_with_its_makers_key() -> None:
    """Anything else is a mistake of ours."""
    with pytest.raises(ValueError, match="maker"):
        SignedManifest.make(made(), OTHER)


def test_more_signatures_may_be_added() -> None:
    """An independent rebuild over the same statement; the digest stays."""
    signed = SignedManifest.make(made(), KEY)
    both = SignedManifest.from_bytes(signed.envelope.with_signature(OTHER).to_bytes())
    assert both.digest == signed.digest
    assert both.envelope.signers([KEY.public, OTHER.public]) == {KEY.id, OTHER.id}


def test_a_node_makes_developer_versions_of_its_own_name_only() -> None:
    """globex can't make acme-1.4.2, not even with a good signature of its own."""
    globex = Maker(node=NodeName("globex"), key=OTHER.public)
    with pytest.raises(InvalidValueError, match="can't be made by node globex"):
        made(maker=globex)
    statement = json.loads(SignedManifest.make(made(), KEY).envelope.payload)
    statement["predicate"]["maker"] = {"node": "globex", "key": str(OTHER.public)}
    forged = Envelope.signed(manifest.PAYLOAD_TYPE, json.dumps(statement).encode(), OTHER).to_bytes()
    with pytest.raises(TamperedError, match="can't be made by"):
        SignedManifest.from_bytes(forged)


def test_a_client_version_may_be_made_by_another_node() -> None:
    """That is what client versions are for: acme's version, adapted by globex."""
    globex = Maker(node=NodeName("globex"), key=OTHER.public)
    adapted = made(
        version=ClientVersion("acme-1.4.2_1"), maker=globex, base=Digest.of(b"base"), overlay=Digest.of(b"overlay")
    )
    assert adapted.developer_version == DeveloperVersion("acme-1.4.2")
    assert SignedManifest.from_bytes(SignedManifest.make(adapted, OTHER).envelope.to_bytes()).manifest == adapted


@pytest.mark.parametrize(
    "changes",
    [
        {"version": ClientVersion("acme-1.4.2_1")},
        {"version": ClientVersion("acme-1.4.2_1"), "base": Digest.of(b"b")},
        {"version": ClientVersion("acme-1.4.2_1"), "overlay": Digest.of(b"o")},
        {"base": Digest.of(b"b")},
        {"base": Digest.of(b"b"), "overlay": Digest.of(b"o")},
        {"size_bytes": -1},
        {"entries": -1},
        {"size_bytes": limits.IMAGE_BYTES + 1},
        {"entries": limits.IMAGE_ENTRIES + 1},
    ],
)
def test_a_manifest_can_not_be_built_wrong(changes: dict[str, Any]) -> None:
    """Client versions name their base and overlay, developer versions none."""
    with pytest.raises(InvalidValueError):
        made(**changes)


def test_a_comment_has_a_bound() -> None:
    """Here and in what comes from outside."""
    with pytest.raises(OversizedError):
        made(comment="x" * (limits.COMMENT_CHARS + 1))
    statement = json.loads(SignedManifest.make(made(), KEY).envelope.payload)
    statement["predicate"]["comment"] = "x" * (limits.COMMENT_CHARS + 1)
    with pytest.raises(VUpdateError):
        SignedManifest.from_bytes(
            Envelope.signed(manifest.PAYLOAD_TYPE, json.dumps(statement).encode(), KEY).to_bytes()
        )


def test_a_manifest_over_the_bound_is_refused_unread() -> None:
    """However it is signed."""
    big = Envelope.signed(manifest.PAYLOAD_TYPE, b" " * limits.ENVELOPE_BYTES, KEY).to_bytes()
    with pytest.raises(OversizedError):
        SignedManifest.from_bytes(big)


PATHS: list[tuple[str, ...]] = [
    ("_type",),
    ("predicateType",),
    ("subject",),
    ("subject", "0", "digest"),
    ("subject", "0", "digest", "sha256"),
    ("predicate",),
    ("predicate", "kind"),
    ("predicate", "service"),
    ("predicate", "version"),
    ("predicate", "size_bytes"),
    ("predicate", "entries"),
    ("predicate", "recipe"),
    ("predicate", "sources"),
    ("predicate", "maker"),
    ("predicate", "maker", "node"),
    ("predicate", "maker", "key"),
    ("predicate", "created"),
    ("predicate", "base"),
]
BAD = [
    "../etc",
    "acme-1.0/../..",
    "2026-03-01T12:00:00",
    -1,
    2**70,
    1.5,
    None,
    [],
    {},
    True,
    "\ud800",
]


def _changed(path: tuple[str, ...], value: object) -> bytes:
    statement = json.loads(SignedManifest.make(made(), KEY).envelope.payload)
    place: Any = statement
    for step in path[:-1]:
        place = place[int(step) if step.isdigit() else step]
    place[path[-1]] = value
    return Envelope.signed(manifest.PAYLOAD_TYPE, json.dumps(statement).encode(), KEY).to_bytes()


@pytest.mark.parametrize("path", PATHS, ids=".".join)
@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_well_signed_statement_with_a_bad_field_is_refused(path: tuple[str, ...], value: object) -> None:
    """The maker himself may be hostile: names, digests, times and numbers are checked after the signature too."""
    if path in (("predicate", "base"), ("predicate", "sources")) and value in (None, []):
        return  # these may be empty
    with pytest.raises(TamperedError):
        SignedManifest.from_bytes(_changed(path, value))


@pytest.mark.parametrize("path", [path for path in PATHS if path[-1] != "base"], ids=".".join)
def test_a_missing_field_is_refused(path: tuple[str, ...]) -> None:
    """Whichever it is."""
    statement = json.loads(SignedManifest.make(made(), KEY).envelope.payload)
    place: Any = statement
    for step in path[:-1]:
        place = place[int(step) if step.isdigit() else step]
    del place[path[-1]]
    with pytest.raises(TamperedError):
        SignedManifest.from_bytes(
            Envelope.signed(manifest.PAYLOAD_TYPE, json.dumps(statement).encode(), KEY).to_bytes()
        )


def test_two_subjects_are_refused() -> None:
    """A statement about two images would let the reader choose."""
    statement = json.loads(SignedManifest.make(made(), KEY).envelope.payload)
    statement["subject"] *= 2
    with pytest.raises(TamperedError, match="not about one"):
        SignedManifest.from_bytes(
            Envelope.signed(manifest.PAYLOAD_TYPE, json.dumps(statement).encode(), KEY).to_bytes()
        )


@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda one: Envelope.signed("x", one, KEY).to_bytes()))
def test_any_bytes_give_an_error_of_ours(content: bytes) -> None:
    """Never another exception."""
    with pytest.raises(VUpdateError):
        SignedManifest.from_bytes(content)


@given(st.sampled_from(PATHS), values.json_values())
def test_any_value_anywhere_gives_a_manifest_or_an_error_of_ours(path: tuple[str, ...], value: object) -> None:
    """Never another exception; lone surrogates and huge numbers included."""
    try:
        read = SignedManifest.from_bytes(_changed(path, value))
    except VUpdateError:
        return
    assert read.manifest.maker == MAKER


@given(values.json_values())
def test_any_payload_signed_or_not_gives_an_error_of_ours(value: object) -> None:
    """An envelope around anything."""
    payload = base64.b64encode(json.dumps(value).encode()).decode()
    wire = {"payload": payload, "payloadType": manifest.PAYLOAD_TYPE, "signatures": [{"sig": "", "keyid": ""}]}
    with pytest.raises(VUpdateError):
        SignedManifest.from_bytes(msgspec.json.encode(wire))

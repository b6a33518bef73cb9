"""Provenances: signed once by their builder, readable by stock tools, refused when anything is off."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.digest import Digest
from federation.envelope import Envelope
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.keys import PrivateKey
from federation.manifest import PAYLOAD_TYPE, Maker
from federation.names import NodeName, ServiceName
from federation.provenance import BuiltSource, Provenance, SignedProvenance
from federation.versions import DeveloperVersion
from tests.support import strategies as values

KEY, OTHER = PrivateKey(b"k" * 32), PrivateKey(b"o" * 32)
MADE = Provenance(
    service=ServiceName("shop"),
    version=DeveloperVersion("acme-1.0.0"),
    image=Digest.of(b"image"),
    recipe=Digest.of(b"recipe"),
    sources=(
        BuiltSource(name="shop", url="https://example.com/shop.git", commit="0" * 40, ref="main"),
        BuiltSource(name="lib", url="https://example.com/lib.git", commit="a" * 40, directory="c"),
    ),
    builder=Maker(node=NodeName("acme"), key=KEY.public),
    walls="sandbox",
    network=False,
    invocation="7",
    started=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
    finished=datetime(2026, 3, 1, 12, 5, tzinfo=UTC),
    program="0.1.0",
)


def statement(signed: SignedProvenance) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(signed.envelope.payload)
    return found


@st.composite
def made(draw: Any) -> Provenance:
    """Any provenance by ``KEY``."""
    text, commits = st.text(max_size=9), st.text("0123456789abcdef", min_size=40, max_size=40)
    sources = st.lists(
        st.builds(BuiltSource, name=text, url=text, commit=commits, ref=text, directory=text),
        min_size=1,
        max_size=4,
        unique_by=lambda one: one.name,
    )
    started = draw(values.moments())
    return replace(
        MADE,
        service=draw(values.service_names()),
        image=draw(values.digests()),
        recipe=draw(values.digests()),
        walls=draw(st.sampled_from(["sandbox", "process"])),
        network=draw(st.booleans()),
        sources=tuple(draw(sources)),
        started=started,
        finished=started + timedelta(seconds=draw(st.integers(0, 10**6))),
    )


@given(made())
def test_what_is_signed_is_read_again(one: Provenance) -> None:
    """Any provenance comes back from its bytes as it was."""
    assert SignedProvenance.from_bytes(SignedProvenance.make(one, KEY).to_bytes()).provenance == one


def test_it_is_slsa_provenance_to_stock_tools() -> None:
    """The fields that SLSA v1 names stand where it says, in an in-toto statement about the image's digest."""
    told = statement(SignedProvenance.make(MADE, KEY))
    assert (told["_type"], told["predicateType"]) == (
        "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
    )  # fmt: skip
    assert told["subject"] == [{"name": "shop/acme-1.0.0", "digest": {"sha256": Digest.of(b"image")}}]
    definition, run = told["predicate"]["buildDefinition"], told["predicate"]["runDetails"]
    assert set(definition) == {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"}
    assert definition["resolvedDependencies"][0] == {
        "name": "shop", "uri": "git+https://example.com/shop.git", "digest": {"gitCommit": "0" * 40}
    }  # fmt: skip
    assert run["builder"]["id"].startswith("https://vupdate.dev/node/")
    assert run["metadata"] == {
        "invocationId": "7", "startedOn": "2026-03-01T12:00:00Z", "finishedOn": "2026-03-01T12:05:00Z"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1"),
        (("predicateType",), "https://slsa.dev/provenance/v0.2"),
        (("subject",), []),
        (("subject", 0, "digest"), {"sha512": "0"}),
        (("predicate", "buildDefinition", "buildType"), "https://example.com/other"),
        (("predicate", "buildDefinition", "resolvedDependencies"), []),
        (("predicate", "buildDefinition", "resolvedDependencies", 0, "digest"), {"gitCommit": "HEAD"}),
        (("predicate", "buildDefinition", "externalParameters", "version"), "one"),
        (("predicate", "buildDefinition", "internalParameters", "walls"), "none"),
        (("predicate", "runDetails", "builder", "id"), "https://vupdate.dev/node/OTHER"),
        (("predicate", "runDetails", "metadata", "finishedOn"), "2025-01-01T00:00:00Z"),
    ],
)
def test_a_statement_that_says_something_else_is_refused(path: tuple[str | int, ...], value: object) -> None:
    """Signed or not: a provenance of another form, type or builder is none."""
    document: Any = statement(SignedProvenance.make(MADE, KEY))
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    envelope = Envelope.signed(PAYLOAD_TYPE, json.dumps(document).encode(), KEY)
    with pytest.raises(TamperedError):
        SignedProvenance.from_bytes(envelope.to_bytes())


def test_a_signature_by_somebody_else_is_refused() -> None:
    """The builder that is named must be the one that signed."""
    payload = SignedProvenance.make(MADE, KEY).envelope.payload
    with pytest.raises(TamperedError):
        SignedProvenance.from_bytes(Envelope.signed(PAYLOAD_TYPE, payload, OTHER).to_bytes())
    with pytest.raises(ValueError, match="signed by the builder"):
        SignedProvenance.make(MADE, OTHER)


def test_a_changed_payload_is_refused() -> None:
    """Not one byte can be altered under the signature."""
    wire = json.loads(SignedProvenance.make(MADE, KEY).to_bytes())
    payload = base64.b64decode(wire["payload"]).replace(b"sandbox", b"process")
    wire["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(TamperedError):
        SignedProvenance.from_bytes(json.dumps(wire).encode())


def test_what_a_builder_may_say_is_bounded() -> None:
    """Too many sources, endless words and an end before the begin are refused."""
    with pytest.raises(InvalidValueError):
        replace(MADE, sources=())
    with pytest.raises(InvalidValueError):
        replace(MADE, sources=MADE.sources * 30)
    with pytest.raises(OversizedError):
        replace(MADE, invocation="x" * 3000)
    with pytest.raises(InvalidValueError):
        replace(MADE, finished=MADE.started - timedelta(seconds=1))

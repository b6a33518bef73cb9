"""Signed requests between peers."""

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import DeniedError, InvalidValueError
from federation.keys import PrivateKey
from federation.link.signature import HttpRequest, RequestVerifier, signed_headers
from tests.support.clock import FakeClock

CONSUMER = PrivateKey(b"c" * 32)
PROVIDER = PrivateKey(b"p" * 32)


def signed(request: HttpRequest, clock: FakeClock) -> HttpRequest:
    headers = signed_headers(request, key=CONSUMER, audience=PROVIDER.id, now=clock.now())
    return HttpRequest(
        method=request.method, path=request.path, query=request.query, headers=headers, body=request.body
    )


@given(
    st.sampled_from(["GET", "POST", "DELETE"]),
    st.from_regex(r"(/[A-Za-z0-9._~:@-]{0,9}){1,4}", fullmatch=True),
    st.from_regex(r"([a-z]{1,4}=([A-Za-z0-9+]|%2F){0,9}(&[a-z]=[0-9])?)?", fullmatch=True),
    st.binary(max_size=200),
)
def test_any_signed_request_is_believed_once(method: str, path: str, query: str, body: bytes) -> None:
    """Whatever is asked, the signature of the right key over it is believed, and names its signer."""
    clock = FakeClock()
    verifier = RequestVerifier(PROVIDER.id, clock)
    request = signed(HttpRequest(method=method, path=path, query=query, body=body), clock)
    assert verifier.claimed_signer(request) == CONSUMER.id
    verifier.verify(request, CONSUMER.public)


def test_the_signature_is_the_one_of_the_specification() -> None:
    """The bytes signed are those that RFC 9421 §2.5 prescribes, built here by hand, so that other stacks agree."""
    clock = FakeClock()
    body = b'{"x":1}'
    request = signed(HttpRequest(method="POST", path="/federation/v1/faults", query="a=b%20c", body=body), clock)
    parameters = request.headers["signature-input"].removeprefix("vupdate=")
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    base = (
        '"@method": POST\n'
        '"@path": /federation/v1/faults\n'
        '"@query": ?a=b%20c\n'
        f'"content-digest": {digest}\n'
        f'"vupdate-audience": {PROVIDER.id}\n'
        f'"@signature-params": {parameters}'
    )
    value = re.fullmatch(r"vupdate=:(.*):", request.headers["signature"])
    assert value is not None
    assert CONSUMER.public.verifies(base64.b64decode(value[1]), base.encode())
    assert request.headers["content-digest"] == digest
    assert f'keyid="{CONSUMER.id}"' in parameters
    assert f"created={int(clock.now().timestamp())}" in parameters


def test_an_empty_body_has_a_digest_too() -> None:
    """A body can't be slipped into a request that was signed without one."""
    request = signed(HttpRequest(method="GET", path="/"), FakeClock())
    empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    assert request.headers["content-digest"] == f"sha-256=:{empty}:"


def test_two_signatures_of_one_request_differ() -> None:
    """Each signature has its own nonce, so that the same question can be asked twice within a second."""
    clock = FakeClock()
    verifier = RequestVerifier(PROVIDER.id, clock)
    request = HttpRequest(method="GET", path="/federation/v1/offer")
    verifier.verify(signed(request, clock), CONSUMER.public)
    verifier.verify(signed(request, clock), CONSUMER.public)


@pytest.mark.parametrize("drift", [-64.0, 64.0])
def test_clocks_may_differ_by_a_minute(drift: float) -> None:
    """A peer whose clock is a minute ahead or behind is still believed."""
    clock, theirs = FakeClock(), FakeClock()
    verifier = RequestVerifier(PROVIDER.id, clock)
    clock.advance(3600)
    theirs.advance(3600 + drift)
    verifier.verify(signed(HttpRequest(method="GET", path="/"), theirs), CONSUMER.public)


def test_a_request_of_the_second_of_the_start_is_believed() -> None:
    """``created`` has whole seconds: a request sent just after the start is not taken for one sent before it."""
    clock = FakeClock()
    clock.advance(0.7)
    verifier = RequestVerifier(PROVIDER.id, clock)
    clock.advance(0.1)
    verifier.verify(signed(HttpRequest(method="GET", path="/"), clock), CONSUMER.public)


def test_header_names_are_read_in_any_case() -> None:
    """Servers hand headers over in the case that they came in."""
    clock = FakeClock()
    request = signed(HttpRequest(method="GET", path="/"), clock)
    lines = [(name.title(), value) for name, value in request.headers.items()]
    received = HttpRequest.received(method="GET", path="/", query=b"", headers=lines, body=b"")
    RequestVerifier(PROVIDER.id, clock).verify(received, CONSUMER.public)


HEADER_TEXT = st.one_of(
    st.text(max_size=80),
    st.from_regex(
        r'[a-z]{1,3}=(\(("@?[a-z-]{1,9}"(;[a-z]{1,3})? ?){0,7}\)|:[A-Za-z0-9+/]{0,90}={0,2}:|-?[0-9.]{1,20})'
        r'(;(created|keyid|alg|nonce|tag|x)(=("[ -!#-\[\]-~]{0,64}"|-?[0-9]{1,16}|[a-z]{1,8}))?){0,6}',
        fullmatch=True,
    ),
)


@given(HEADER_TEXT, HEADER_TEXT, HEADER_TEXT)
def test_any_headers_end_in_a_refusal(first: str, second: str, digest: str) -> None:
    """Whatever stands in the headers, the verifier refuses in its own words and never breaks."""
    headers = {
        "Signature-Input": first,
        "Signature": second,
        "Content-Digest": digest,
        "Vupdate-Audience": str(PROVIDER.id),
    }
    verifier = RequestVerifier(PROVIDER.id, FakeClock())
    with pytest.raises(DeniedError):
        verifier.verify(HttpRequest(method="GET", path="/", headers=headers), CONSUMER.public)


@given(st.data())
def test_a_genuine_signature_with_one_character_changed_is_refused(data: st.DataObject) -> None:
    """Any single change in the headers that the signature rests on is found, or changes nothing of what was signed."""
    clock = FakeClock()
    request = signed(HttpRequest(method="GET", path="/x", query="a=1"), clock)
    name = data.draw(st.sampled_from(sorted(request.headers)))
    value = request.headers[name]
    at = data.draw(st.integers(0, len(value) - 1))
    char = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda char: char != value[at]))
    headers = {**request.headers, name: value[:at] + char + value[at + 1 :]}
    verifier = RequestVerifier(PROVIDER.id, clock)
    altered = HttpRequest(method="GET", path="/x", query="a=1", headers=headers)
    if _says_the_same(request.headers[name], headers[name]):
        return
    with pytest.raises(DeniedError):
        verifier.verify(altered, CONSUMER.public)


def _says_the_same(before: str, after: str) -> bool:
    """The last letter of base64 has bits that carry nothing; padding bits are not part of the signature."""
    first, second = (re.fullmatch(r"[a-z0-9-]+=:([A-Za-z0-9+/=]*):", text) for text in (before, after))
    if first is None or second is None:
        return False
    try:
        return base64.b64decode(first[1]) == base64.b64decode(second[1])
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("get", "/", ""),
        ("GET ", "/", ""),
        ("GET\n", "/", ""),
        ("GET", "", ""),
        ("GET", "offer", ""),
        ("GET", "/a b", ""),
        ("GET", "/a%2Fb", ""),
        ("GET", "/a?b", ""),
        ("GET", "/a#b", ""),
        ("GET", "/a\r\nx: y", ""),
        ("GET", "/é", ""),
        ("GET", "/", "a b"),
        ("GET", "/", "a#b"),
        ("GET", "/", "%zz"),
        ("GET", "/", "a\nb"),
        ("GET", "/" + "x" * 5000, ""),
    ],
)
def test_a_request_line_with_two_readings_can_not_be_made(method: str, path: str, query: str) -> None:
    """What two servers could decode differently is refused before any signature is looked at."""
    with pytest.raises(InvalidValueError):
        HttpRequest(method=method, path=path, query=query)

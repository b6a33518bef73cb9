"""Attacks on signed requests: each is refused by its own rule, and what the node holds stays as it was."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from http_message_signatures import HTTPMessageSigner
from http_message_signatures.algorithms import ED25519

from federation.errors import VUpdateError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.link.nonces import NonceMemory
from federation.link.refusals import (
    BadSignatureError,
    BodyDigestError,
    BusyError,
    ExpiredSignatureError,
    FutureSignatureError,
    MalformedSignatureError,
    ReplayedRequestError,
    SeveralSignaturesError,
    SignatureCoverageError,
    UnknownSignerError,
    UnsignedRequestError,
    WrongAudienceError,
)
from federation.link.signature import AUDIENCE_HEADER, COMPONENTS, HttpRequest, RequestVerifier, signed_headers
from tests.support.clock import FakeClock

CONSUMER = PrivateKey(b"c" * 32)
OTHER_CONSUMER = PrivateKey(b"d" * 32)
PROVIDER = PrivateKey(b"p" * 32)
STRANGER = PrivateKey(b"s" * 32)
FAULT = HttpRequest(method="POST", path="/federation/v1/faults", query="from=a", body=b'{"id":"1"}')


@dataclass
class Node:
    """A node as far as requests go: it knows two consumers and keeps what they send."""

    clock: FakeClock = field(default_factory=FakeClock)
    nonces: NonceMemory | None = None
    kept: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known: dict[NodeId, PublicKey] = {key.id: key.public for key in (CONSUMER, OTHER_CONSUMER)}
        self.verifier = RequestVerifier(PROVIDER.id, self.clock, self.nonces)

    def receive(self, request: HttpRequest) -> None:
        signer = self.verifier.claimed_signer(request)
        if signer not in self.known:
            raise UnknownSignerError("no node with this id is linked here")
        self.verifier.verify(request, self.known[signer])
        self.kept.append(request.body)


@pytest.fixture
def node() -> Node:
    """A node that has run for an hour and has kept one report."""
    found = Node()
    found.clock.advance(3600)
    found.receive(signed(now=found.clock.now()))
    return found


def signed(
    request: HttpRequest = FAULT,
    *,
    key: PrivateKey = CONSUMER,
    audience: PrivateKey = PROVIDER,
    now: datetime,
) -> HttpRequest:
    return replace(request, headers=signed_headers(request, key=key, audience=audience.id, now=now))


def refuses(node: Node, request: HttpRequest, kind: type[VUpdateError]) -> None:
    """The request is refused as ``kind``, nothing is kept of it, and an honest one still passes."""
    before = list(node.kept)
    with pytest.raises(kind) as caught:
        node.receive(request)
    assert type(caught.value) is kind
    assert caught.value.code == kind.code
    assert node.kept == before
    node.receive(signed(now=node.clock.now()))
    assert len(node.kept) == len(before) + 1


def self_made(
    now: datetime,
    *,
    components: tuple[str, ...] = COMPONENTS,
    change: Callable[[dict[str, object]], None] = lambda _: None,
    label: str = "vupdate",
    key: PrivateKey = CONSUMER,
) -> HttpRequest:
    """A request signed by the consumer's own key, but not in the way that peers sign."""

    class Message:
        method = FAULT.method
        url = f"http://peer{FAULT.target}"
        headers = {AUDIENCE_HEADER: str(PROVIDER.id)}  # noqa: RUF012 - a message of one signature

    message = Message()
    message.headers = dict(Message.headers)
    options: dict[str, object] = {
        "key_id": str(key.id),
        "created": now,
        "nonce": "n" * 22,
        "tag": "vupdate",
        "include_alg": True,
    }
    change(options)
    signer = HTTPMessageSigner(signature_algorithm=ED25519)
    body = FAULT.body if "content-digest" in components else None
    prepared = signer.prepare(
        message,
        label=label,
        covered_component_ids=components,
        body=body,
        **options,  # type: ignore[arg-type]
    )
    signer.apply(message, prepared, key.sign(prepared.signature_base))
    return replace(FAULT, headers=message.headers)


def test_a_replayed_request(node: Node) -> None:
    """A request that was listened to on the way is sent again: at once, and up to the last moment of its validity."""
    request = signed(now=node.clock.now() + timedelta(seconds=60))
    node.receive(request)
    for _ in range(8):
        refuses(node, request, ReplayedRequestError)
        node.clock.advance(15)


def test_a_request_replayed_after_a_restart() -> None:
    """A restarted node has forgotten the nonces, so it believes nothing that was signed before its start."""
    clock = FakeClock()
    first = Node(clock)
    clock.advance(100)
    request = signed(now=clock.now())
    first.receive(request)
    clock.advance(3)
    refuses(Node(clock), request, ExpiredSignatureError)


def test_an_unsigned_request(node: Node) -> None:
    """A request without a signature, with half of one, or with empty headers."""
    headers = signed(now=node.clock.now()).headers
    for kept in ([], ["signature"], ["signature-input"]):
        partial = {name: headers[name] for name in kept}
        refuses(node, replace(FAULT, headers=partial), UnsignedRequestError)
    refuses(node, replace(FAULT, headers={**headers, "signature": "", "signature-input": ""}), UnsignedRequestError)


@pytest.mark.parametrize(
    ("altered", "kind"),
    [
        ({"body": b'{"id":"2"}'}, BodyDigestError),
        ({"body": b""}, BodyDigestError),
        ({"path": "/federation/v1/links"}, BadSignatureError),
        ({"path": "/federation/v1/faults/"}, BadSignatureError),
        ({"query": "from=b"}, BadSignatureError),
        ({"query": ""}, BadSignatureError),
        ({"method": "PUT"}, BadSignatureError),
    ],
)
def test_a_request_altered_on_the_way(node: Node, altered: dict[str, str], kind: type[VUpdateError]) -> None:
    """Someone in the middle changes one part of a signed request."""
    request = signed(now=node.clock.now())
    refuses(node, replace(request, **altered), kind)  # type: ignore[arg-type]


def test_a_body_altered_together_with_its_digest(node: Node) -> None:
    """The digest that fits the new body is not the one that was signed."""
    request = signed(now=node.clock.now())
    other = signed(replace(FAULT, body=b"other"), key=STRANGER, now=node.clock.now())
    headers = {**request.headers, "content-digest": other.headers["content-digest"]}
    refuses(node, replace(request, body=b"other", headers=headers), BadSignatureError)


def test_a_digest_by_a_weak_algorithm(node: Node) -> None:
    """A digest of an algorithm that is not known here proves nothing."""
    headers = {**signed(now=node.clock.now()).headers, "content-digest": "md5=:AAAA:"}
    refuses(node, replace(FAULT, headers=headers), BodyDigestError)


def test_a_request_for_another_node(node: Node) -> None:
    """A provider passes on what a consumer signed for it to another provider of the same consumer."""
    request = signed(audience=OTHER_CONSUMER, now=node.clock.now())
    refuses(node, request, WrongAudienceError)
    forged = {**request.headers, AUDIENCE_HEADER: str(PROVIDER.id)}
    refuses(node, replace(request, headers=forged), BadSignatureError)


@pytest.mark.parametrize("age", [67, 3600, 10**7])
def test_an_expired_request(node: Node, age: int) -> None:
    """A request that was held back for longer than a minute."""
    refuses(node, signed(now=node.clock.now() - timedelta(seconds=age)), ExpiredSignatureError)


@pytest.mark.parametrize("ahead", [67, 3600, 10**9])
def test_a_request_from_the_future(node: Node, ahead: int) -> None:
    """A signature made to be good for long."""
    refuses(node, signed(now=node.clock.now() + timedelta(seconds=ahead)), FutureSignatureError)


@pytest.mark.parametrize("left_out", COMPONENTS)
def test_a_signature_that_covers_less(node: Node, left_out: str) -> None:
    """A signature that leaves a part open, which anyone could then change."""
    components = tuple(name for name in COMPONENTS if name != left_out)
    refuses(node, self_made(node.clock.now(), components=components), SignatureCoverageError)


def test_a_signature_that_covers_only_a_member_of_the_digest(node: Node) -> None:
    """A component with parameters is not the whole of it."""
    components = (*(name for name in COMPONENTS if name != "content-digest"), '"content-digest";key="sha-256"')
    request = self_made(node.clock.now())
    narrowed = re.sub(
        r"\([^)]*\)",
        "(" + " ".join(c if c[0] == '"' else f'"{c}"' for c in components) + ")",
        request.headers["signature-input"],
    )
    refuses(node, replace(request, headers={**request.headers, "signature-input": narrowed}), SignatureCoverageError)


def test_two_signatures(node: Node) -> None:
    """A second signature beside the genuine one, in one header, in a second header line, or of the same label."""
    now = node.clock.now()
    genuine, second = signed(now=now), self_made(now, label="other", key=STRANGER)
    names = ("signature-input", "signature")
    both = {**genuine.headers, **{name: f"{genuine.headers[name]}, {second.headers[name]}" for name in names}}
    refuses(node, replace(genuine, headers=both), SeveralSignaturesError)
    lines = [*genuine.headers.items(), *((name, second.headers[name]) for name in names)]
    received = HttpRequest.received(
        method=FAULT.method, path=FAULT.path, query=FAULT.query, headers=lines, body=FAULT.body
    )
    refuses(node, received, SeveralSignaturesError)
    same = self_made(now, key=STRANGER)
    twice = {**genuine.headers, **{name: f"{genuine.headers[name]}, {same.headers[name]}" for name in names}}
    refuses(node, replace(genuine, headers=twice), SeveralSignaturesError)
    half = {**genuine.headers, "signature": both["signature"]}
    refuses(node, replace(genuine, headers=half), SeveralSignaturesError)


def test_an_unknown_key(node: Node) -> None:
    """A stranger signs by his own key."""
    refuses(node, signed(key=STRANGER, now=node.clock.now()), UnknownSignerError)


def test_a_stranger_in_the_name_of_a_consumer(node: Node) -> None:
    """A stranger signs by his own key and names a consumer as the signer."""
    request = signed(key=STRANGER, now=node.clock.now())
    claimed = request.headers["signature-input"].replace(str(STRANGER.id), str(CONSUMER.id))
    refuses(node, replace(request, headers={**request.headers, "signature-input": claimed}), BadSignatureError)


def test_a_key_that_is_not_the_claimed_signers(node: Node) -> None:
    """Whoever hands the verifier another key than the one that the request names is refused as well."""
    request = signed(now=node.clock.now())
    with pytest.raises(BadSignatureError):
        node.verifier.verify(request, OTHER_CONSUMER.public)


def test_a_newcomer_in_the_name_of_a_consumer(node: Node) -> None:
    """A newcomer, whose key comes with his request, signs by it in due form but names a consumer as the signer."""
    request = self_made(node.clock.now(), change=lambda options: options.update(key_id=str(CONSUMER.id)), key=STRANGER)
    with pytest.raises(BadSignatureError):
        node.verifier.verify(request, STRANGER.public)


@pytest.mark.parametrize(
    "change",
    [
        {"tag": "other"},
        {"tag": None},
        {"nonce": None},
        {"nonce": "short"},
        {"nonce": "n" * 65},
        {"include_alg": False},
        {"key_id": "acme"},
        {"expires": datetime.fromisoformat("2099-01-01T00:00:00+00:00")},
    ],
    ids=str,
)
def test_a_signature_of_another_form(node: Node, change: dict[str, object]) -> None:
    """A signature made for another purpose, without its nonce, or with a say of its own on how long it is good."""
    request = self_made(node.clock.now(), change=lambda options: options.update(change))
    refuses(node, request, MalformedSignatureError)


def test_headers_that_are_too_long(node: Node) -> None:
    """Long headers are refused before they are parsed."""
    headers = dict(signed(now=node.clock.now()).headers)
    headers["signature-input"] = "vupdate=(" + '"a" ' * 5000 + ")"
    refuses(node, replace(FAULT, headers=headers), MalformedSignatureError)
    padded = signed(now=node.clock.now())
    spaces = {**padded.headers, "signature-input": padded.headers["signature-input"] + " " * 3000}
    refuses(node, replace(padded, headers=spaces), MalformedSignatureError)


def test_another_algorithm_named(node: Node) -> None:
    """The signer can't choose how his signature is to be read."""
    request = signed(now=node.clock.now())
    claimed = request.headers["signature-input"].replace('"ed25519"', '"hmac-sha256"')
    refuses(node, replace(request, headers={**request.headers, "signature-input": claimed}), MalformedSignatureError)


def test_a_signature_of_no_value(node: Node) -> None:
    """An all-zero or cut signature is none."""
    request = signed(now=node.clock.now())
    for size in (0, 1, 63, 64, 65):
        value = f"vupdate=:{base64.b64encode(bytes(size)).decode()}:"
        refuses(node, replace(request, headers={**request.headers, "signature": value}), BadSignatureError)


def test_a_flood_of_requests_makes_no_replay_possible() -> None:
    """A peer floods the node to make it forget a nonce: it refuses new requests instead, and remembers."""
    node = Node(nonces=NonceMemory(kept_seconds=131, most=5, most_per_signer=5))
    victim = signed(now=node.clock.now())
    node.receive(victim)
    for _ in range(4):
        node.receive(signed(key=OTHER_CONSUMER, now=node.clock.now()))
    kept = list(node.kept)
    with pytest.raises(BusyError):
        node.receive(signed(key=OTHER_CONSUMER, now=node.clock.now()))
    with pytest.raises(ReplayedRequestError):
        node.receive(victim)
    assert node.kept == kept
    node.clock.advance(200)
    node.receive(signed(now=node.clock.now()))


def test_forged_requests_use_up_no_memory(node: Node) -> None:
    """Only verified nonces are remembered: who has no key can't fill the memory."""
    memory = NonceMemory(kept_seconds=131)
    watched = Node(node.clock, memory)
    request = signed(key=STRANGER, now=node.clock.now())
    claimed = request.headers["signature-input"].replace(str(STRANGER.id), str(CONSUMER.id))
    refuses(watched, replace(request, headers={**request.headers, "signature-input": claimed}), BadSignatureError)
    assert len(memory) == 1  # the honest one that ``refuses`` ends with

"""Signed requests between peers: HTTP Message Signatures (RFC 9421) with Content-Digest (RFC 9530) and Ed25519.

Each request is signed over its method, path, query, the digest of its body and the header ``vupdate-audience``, which
names the node it is for; parameters: ``created``, ``keyid`` (the signer's node id), ``alg``, ``nonce``, ``tag``.
Here is decided whether a request was made by the holder of a key, for this node, now, and for the first time. Whose
key that is and what he may do is the caller's to decide.

The library builds the signature base, verifies and compares the digest. The form of the two headers is checked here
first, because the library reports each refusal by the same error, and time is checked here because it reads the
machine's clock itself.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519

from federation import limits
from federation.clock import Clock
from federation.errors import InvalidValueError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.link.nonces import NonceMemory
from federation.link.refusals import (
    BadSignatureError,
    BodyDigestError,
    ExpiredSignatureError,
    FutureSignatureError,
    MalformedSignatureError,
    SeveralSignaturesError,
    SignatureCoverageError,
    UnsignedRequestError,
    WrongAudienceError,
)
from federation.link.request import HttpRequest

__all__ = ["AUDIENCE_HEADER", "COMPONENTS", "TAG", "HttpRequest", "RequestVerifier", "signed_headers"]

AUDIENCE_HEADER: Final = "vupdate-audience"
COMPONENTS: Final = ("@method", "@path", "@query", "content-digest", AUDIENCE_HEADER)
TAG: Final = "vupdate"
SKEW_SECONDS: Final = 5
HEADER_CHARS: Final = 2048
NONCE_CHARS: Final = range(16, 65)

_ALGORITHM: Final = "ed25519"
_PARAMETERS: Final = frozenset({"created", "keyid", "alg", "nonce", "tag"})
_MOST_COMPONENTS: Final = 16


@dataclass(slots=True)
class _Message:
    """What the library reads; ``url`` needs a host, which is not signed: the audience says who is meant."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class _TimelessVerifier(HTTPMessageVerifier):
    """The library's verifier without its look at the machine's clock: ``RequestVerifier`` checks the time."""

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        """Leave the time to ``RequestVerifier``."""


def signed_headers(request: HttpRequest, *, key: PrivateKey, audience: NodeId, now: datetime) -> dict[str, str]:
    """The headers to add to ``request`` so that ``audience`` believes that it comes from the holder of ``key``."""
    message = _Message(request.method, f"http://peer{request.target}", {AUDIENCE_HEADER: str(audience)})
    signer = HTTPMessageSigner(signature_algorithm=ED25519)
    prepared = signer.prepare(
        message,
        key_id=str(key.id),
        created=now,
        nonce=secrets.token_urlsafe(16),
        label=TAG,
        tag=TAG,
        covered_component_ids=COMPONENTS,
        body=request.body,
    )
    signer.apply(message, prepared, key.sign(prepared.signature_base))
    return message.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What the one signature of a request says of itself, in due form but not yet verified."""

    signer: NodeId
    created: datetime
    nonce: str
    components: frozenset[str]


def _reject_duplicate(_key: str, context: str) -> None:
    if context == "dictionary":
        raise SeveralSignaturesError("the request bears two signatures of one label: one is due")


def _only_member(request: HttpRequest, name: str) -> Any:
    """The value of the one member of the dictionary field ``name`` (RFC 9651 §3.2)."""
    text = request.headers.get(name)
    if text is None:
        raise UnsignedRequestError("the request is not signed: only linked peers with their key may ask this")
    if len(text) > HEADER_CHARS:
        raise MalformedSignatureError(f"the header {name} is longer than {HEADER_CHARS} characters")
    try:
        members = http_sf.parse(text.encode("ascii"), tltype="dictionary", on_duplicate_key=_reject_duplicate)
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedSignatureError(f"the header {name} is not a structured field: see RFC 9421") from error
    if not isinstance(members, dict) or not members:
        raise UnsignedRequestError("the request is not signed: its signature headers are empty")
    if len(members) != 1:
        raise SeveralSignaturesError(f"the request bears {len(members)} signatures: exactly one is due")
    return next(iter(members.values()))


def _plain_components(items: object) -> frozenset[str]:
    """The covered components that stand without parameters: one with parameters may cover less than the whole."""
    if not isinstance(items, list) or len(items) > _MOST_COMPONENTS:
        raise MalformedSignatureError("the header signature-input lists no covered components, or too many")
    return frozenset(name for name, parameters in items if isinstance(name, str) and not parameters)


def _check_parameters(parameters: Mapping[str, object]) -> None:
    kinds = {name: type(value) for name, value in parameters.items()}
    if kinds != {name: int if name == "created" else str for name in _PARAMETERS}:
        raise MalformedSignatureError(f"a signature has exactly these parameters: {', '.join(sorted(_PARAMETERS))}")
    if parameters["alg"] != _ALGORITHM or parameters["tag"] != TAG:
        raise MalformedSignatureError(f"a signature has alg {_ALGORITHM!r} and tag {TAG!r}")
    if len(str(parameters["nonce"])) not in NONCE_CHARS:
        raise MalformedSignatureError("a signature's nonce has 16 to 64 characters")


def _claim(request: HttpRequest) -> _Claim:
    items, parameters = _only_member(request, "signature-input")
    _only_member(request, "signature")
    components = _plain_components(items)
    _check_parameters(parameters)
    try:
        signer = NodeId(parameters["keyid"])
        created = datetime.fromtimestamp(parameters["created"], UTC)
    except (InvalidValueError, OverflowError, OSError, ValueError) as error:
        raise MalformedSignatureError("the signature's keyid is not a node id, or created is no time") from error
    return _Claim(signer=signer, created=created, nonce=parameters["nonce"], components=components)


def _check_coverage(claim: _Claim) -> None:
    missing = [name for name in COMPONENTS if name not in claim.components]
    if missing:
        raise SignatureCoverageError(f"the signature does not cover {', '.join(missing)}: it must")


def _check_body(request: HttpRequest) -> None:
    try:
        ContentDigest.verify(request.headers.get("content-digest", ""), request.body)
    except HTTPMessageSignaturesException as error:
        raise BodyDigestError("the body does not match its signed digest: it was changed on the way") from error


def _check_signature(request: HttpRequest, signer: NodeId, key: PublicKey) -> None:
    resolver = MappingKeyResolver(
        public_keys={str(signer): Ed25519PublicKey.from_public_bytes(key.raw)}, private_keys={}
    )
    verifier = _TimelessVerifier(signature_algorithm=ED25519, key_resolver=resolver)
    message = _Message(request.method, f"http://peer{request.target}", dict(request.headers))
    try:
        verifier.verify(message, max_age=None)
    except (InvalidSignature, HTTPMessageSignaturesException, ValueError) as error:
        raise BadSignatureError(f"the signature was not made over this request by {signer.short}…") from error


class RequestVerifier:
    """Believes a signed request once. Pure but for its memory of nonces.

    Where the key comes with the request itself (redeem, enrol), use another instance than for known peers: strangers
    can then never fill the memory that peers need.
    """

    def __init__(
        self,
        own_id: NodeId,
        clock: Clock,
        nonces: NonceMemory | None = None,
        *,
        former: Collection[NodeId] = (),
    ) -> None:
        """For the node ``own_id``; ``nonces`` is handed in only to bound it otherwise.

        ``former``: ids that the node had before it changed its key; who has not heard of that addresses them still.
        """
        self._own_id = own_id
        self._audiences = frozenset({str(own_id), *map(str, former)})
        self._clock = clock
        self._most_seconds = limits.SIGNATURE_AGE_SECONDS + SKEW_SECONDS
        # A signature can be as far in the future when it comes as it may be in the past when it is refused.
        self._nonces = NonceMemory(kept_seconds=2 * self._most_seconds + 1) if nonces is None else nonces
        self._started = clock.monotonic()

    def claimed_signer(self, request: HttpRequest) -> NodeId:
        """The id that the signature names, to look up its key by; nothing is verified yet.

        Raises:
            UnsignedRequestError, SeveralSignaturesError, MalformedSignatureError: all ``DeniedError``.
        """
        return _claim(request).signer

    def verify(self, request: HttpRequest, key: PublicKey) -> None:
        """Return once ``request`` is seen to be made by the holder of ``key``, for this node, now, and not before.

        Raises:
            DeniedError: one of ``federation.link.refusals``.
            BusyError: too many requests to remember.
        """
        claim = _claim(request)
        _check_coverage(claim)
        if request.headers.get(AUDIENCE_HEADER) not in self._audiences:
            raise WrongAudienceError(
                f"the request was signed for another node than {self._own_id.short}…: the link leads to a wrong address"
            )
        self._check_time(claim)
        _check_body(request)
        if claim.signer != key.id:
            raise BadSignatureError(f"the signature names another signer than {key.id.short}…")
        _check_signature(request, claim.signer, key)
        self._nonces.remember(claim.signer, claim.nonce, self._clock.monotonic())

    def _check_time(self, claim: _Claim) -> None:
        age = (self._clock.now() - claim.created).total_seconds()
        if age < -self._most_seconds:
            raise FutureSignatureError(
                f"the request was signed {-age:.0f} s in the future: set the clocks of both machines"
            )
        # What was signed before the start may have been seen by the process before this one, whose memory is gone.
        # ``created`` has whole seconds.
        uptime = self._clock.monotonic() - self._started
        if age > self._most_seconds or age > uptime + 1:
            raise ExpiredSignatureError(
                f"the request was signed {age:.0f} s ago, too long or before this node started: "
                "sign it again, and set the clocks of both machines if this stays"
            )

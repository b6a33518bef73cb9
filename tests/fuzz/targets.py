"""All decoders of foreign bytes. A decoder that is missing here fails ``test_every_decoder_is_fuzzed``."""

from functools import cache

from build import overlay
from build.earlier import convert
from federation import codec
from federation.assignment import PAYLOAD_TYPE as ASSIGNMENT_TYPE
from federation.assignment import Assignment
from federation.catalog.listing import Listing
from federation.envelope import Envelope
from federation.fault import FaultReport
from federation.identity import NodeId
from federation.image import Image
from federation.link import messages
from federation.link.address import check_url
from federation.link.answers import error_of_answer
from federation.link.events import EventParser
from federation.link.invitation import Enrolment, Invitation
from federation.link.messages import Enrol, Enrolled, ErrorBody, FaultTaken, LogsTaken, Redeem
from federation.link.request import HttpRequest
from federation.link.signature import RequestVerifier, signed_headers
from federation.log import LogBatch
from federation.manifest import PAYLOAD_TYPE as MANIFEST_TYPE
from federation.manifest import SignedManifest
from federation.run import RunHistory
from federation.servicefile import read_service
from federation.state import InstanceState
from federation.versions import ClientVersion
from tests.fuzz import values
from tests.fuzz.identity import identity_targets
from tests.fuzz.keys import key_targets
from tests.fuzz.links import link_targets
from tests.fuzz.orders import hand_over_targets, order_target, work_targets
from tests.fuzz.packs import pack_target
from tests.fuzz.provenance import provenance_targets
from tests.fuzz.target import Target, signed, value
from tests.fuzz.values import KEY, OTHER, SHOP
from tests.support.clock import FakeClock
from tests.support.packs import NEW_TREE
from tests.support.trees import image_of

_SERVICE_FILE = b"""[services.shop]
expand = ["config.toml"]
[services.shop.install]
before_stop = [ { run = ["./migrate", "--check"], timeout = "10m", exit = 0, output_match = "done" } ]
[services.shop.run]
command = ["./shop", "--port", "8080", "--role", "%%role%%"]
env = { LOG_LEVEL = "info" }
stop = { signal = "TERM", grace = "10s" }
restart = { policy = "always", backoff = "1s..5m", reset_after = "10m" }
limits = { memory = "512MB", cpu = "150%/30s", core_dump = true }
health = { http = "http://127.0.0.1:8080/health", interval = "5s", timeout = "2s", healthy_for = "20s" }
logs = { format = "auto", upload = true, max_file = "10MB", files = 10 }
data = ["data", "uploads"]
"""
_OLD_RECIPE = b"""{"update": [{"service": "shop", "build": {
    "buildCommands": [{"command": "make", "args": ["%%version%%"], "env": {"CI": "1"}, "outputMatch": "(?s).*done"}],
    "copyFiles": [{"sourceFile": "a", "destinationFile": "b/c", "except": ["x"], "settings": {"port": "8080"}}]},
    "install": {"installCommands": [{"command": "./migrate", "directory": "db", "exitCode": 0}], "runService": {
        "command": "./shop", "writeLogs": {"directory": "l", "filePrefix": "s", "maxFileSizeMB": 1, "maxFilesCount": 2},
        "uploadLogs": true, "faultFilesMatch": "core|.*hprof", "restartOnFault": false, "restartConditions": {
            "maxMemoryMB": 5, "maxCpu": {"percents": 150, "durationSec": 9}, "makeCore": true, "checkTimeoutMs": 1}}}}]}
"""
_EVENTS = b': hello\n\nid: 7\nevent: catalog\ndata: {"serial":7}\n\nretry: 10\r\ndata: two\r\ndata: lines\r\n\r\n'


def _text(name: str, read: object, decoder: str, *seeds: str) -> Target:
    def decode(content: bytes) -> object:
        return read(content.decode("utf-8", "replace"))  # type: ignore[operator]

    return Target(name, decode, tuple(seed.encode() for seed in seeds), (decoder,))


def _request_target() -> Target:
    """The two signature headers of a request, as ``Signature-Input: … CR LF Signature: …``."""
    clock = FakeClock()
    request = HttpRequest(method="GET", path="/federation/v1/link", query="a=b")
    good = {name.lower(): text for name, text in _headers(request, clock).items()}

    def decode(content: bytes) -> object:
        first, _, second = content.decode("latin-1").partition("\r\n")
        headers = {**good, "signature-input": first, "signature": second}
        received = HttpRequest(method="GET", path=request.path, query=request.query, headers=headers)
        RequestVerifier(OTHER.id, clock).verify(received, KEY.public)
        return received

    seed = f"{good['signature-input']}\r\n{good['signature']}".encode("latin-1")
    return Target("signature headers", decode, (seed,), ("federation.link.signature:RequestVerifier.verify",))


def _headers(request: HttpRequest, clock: FakeClock) -> dict[str, str]:
    return signed_headers(request, key=KEY, audience=OTHER.id, now=clock.now())


def _received(line: str) -> object:
    path, _, query = line.partition("?")
    return HttpRequest.received(method="GET", path=path, query=query, headers=[], body=b"")


def _plain() -> tuple[Target, ...]:
    return (
        Target("envelope", Envelope.from_bytes, (_manifest(),), ("federation.envelope:Envelope.from_bytes",)),
        Target("image index", Image.decode, (image_of(NEW_TREE).encoded,), ("federation.image:Image.decode",)),
        Target(
            "service file",
            lambda content: read_service(content, SHOP),
            (_SERVICE_FILE,),
            ("federation.servicefile:read_service",),
        ),
        Target("old recipe", convert, (_OLD_RECIPE,), ("build.earlier:convert",)),
        Target(
            "event stream",
            lambda content: EventParser().feed(content),
            (_EVENTS,),
            ("federation.link.events:EventParser.feed",),
        ),
        Target(
            "error answer",
            lambda content: error_of_answer("https://acme.example", 409, content),
            (codec.encode(ErrorBody(code="conflict", message="another change came first")),),
            ("federation.link.answers:error_of_answer",),
        ),
        Target("listing", Listing.decode, (values.LISTING.encode(),), ("federation.catalog.listing:Listing.decode",)),
        _text("node id", NodeId.typed, "federation.identity:NodeId.typed", str(KEY.id)),
        _text("version", ClientVersion, "federation.versions:ClientVersion", "acme-1.4.2_1"),
        _text("address", check_url, "federation.link.address:check_url", "https://[::1]:7420", "http://a.example/"),
        _text(
            "request line", _received, "federation.link.request:HttpRequest.received", "/federation/v1/packs/ab?from=cd"
        ),
        _text(
            "invitation",
            Invitation.from_text,
            "federation.link.invitation:Handover.from_text",
            values.INVITATION.text,
        ),
        _text("enrolment", Enrolment.from_text, "federation.link.invitation:Handover.from_text", values.ENROLMENT.text),
    )


def _manifest() -> bytes:
    return values.SIGNED_MANIFEST.envelope.to_bytes()


def _bodies() -> tuple[Target, ...]:
    return (
        value(Redeem, Redeem(secret=values.SECRET, node=values.ACME, key=KEY.public)),
        value(Enrol, Enrol(secret=values.SECRET, key=KEY.public)),
        value(InstanceState, values.STATE),
        value(LogBatch, values.LOG_BATCH),
        value(FaultReport, values.FAULT),
        value(RunHistory, values.RUNS),
        value(LogsTaken, LogsTaken(through=4)),
        value(FaultTaken, FaultTaken(id=values.FAULT.id)),
    )


def _overlay(name: str, *seeds: bytes) -> Target:
    """A file of a base image, which may be another's, with a site's settings to lay over it."""
    return Target(
        f"overlay of {name}", lambda content: overlay.merge(name, content, seeds[0]), seeds, ("build.overlay:merge",)
    )


def _overlays() -> tuple[Target, ...]:
    return (
        _overlay(
            "a.conf",
            b"listen.port = 8080\n",
            b'{ include "x"\n  listen { port = 80, host = ${?HOST} } # ours\n  a.b += """c""" }\n',
        ),
        _overlay("a.env", b"PORT=8080\n", b"# head\nexport PORT=80 # ours\nKEY=\"a\nb\"\nNAME='x'\n"),
    )


def _statements() -> tuple[Target, ...]:
    return (
        *signed(
            "manifest",
            MANIFEST_TYPE,
            KEY,
            SignedManifest.from_bytes,
            "federation.manifest:SignedManifest.from_bytes",
            values.SIGNED_MANIFEST.envelope.payload,
        ),
        *signed(
            "assignment",
            ASSIGNMENT_TYPE,
            KEY,
            lambda content: Assignment.read(content, node=KEY.public, reader=OTHER.id),
            "federation.assignment:Assignment.read",
            values.ASSIGNMENT,
        ),
        *signed(
            "enrolled",
            messages.ENROLLED,
            KEY,
            lambda content: Enrolled.read(content, node=KEY.public, reader=OTHER.id),
            "federation.link.messages:Enrolled.read",
            Enrolled(node=values.ACME, instance=values.HOST, agent=OTHER.id),
        ),
    )


@cache
def targets() -> tuple[Target, ...]:
    """All of them; each takes at least one of its seeds."""
    return (
        *_plain(),
        *_bodies(),
        *_overlays(),
        *_statements(),
        *key_targets(),
        *identity_targets(),
        *provenance_targets(),
        order_target(),
        *hand_over_targets(),
        *work_targets(),
        *link_targets(),
        _request_target(),
        pack_target(),
    )

"""Good examples of what travels, to be spoilt."""

from datetime import UTC, datetime, timedelta
from typing import Final

from federation.assignment import Assigned, Assignment
from federation.catalog.listing import Entry, Listing, Tested, marker
from federation.digest import Digest
from federation.fault import FaultReport, Hop
from federation.keys import PrivateKey
from federation.link.invitation import Enrolment, Invitation
from federation.log import Level, LogBatch, LogRecord
from federation.manifest import Maker, Manifest, SignedManifest, Source
from federation.names import InstanceName, NodeName, ProfileName, ServiceKey, ServiceName
from federation.run import RunHistory, RunSummary
from federation.state import InstanceState, Moved, Phase, ServiceState
from federation.versions import ClientVersion, DeveloperVersion

KEY: Final = PrivateKey(b"p" * 32)
OTHER: Final = PrivateKey(b"c" * 32)
NOW: Final = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ACME: Final = NodeName("acme")
SHOP: Final = ServiceName("shop")
HOST: Final = InstanceName("host-1")
PUBLIC: Final = ProfileName("public")
VERSION: Final = DeveloperVersion("acme-1.4.2")
CLIENT: Final = ClientVersion("acme-1.4.2_1")
DIGEST: Final = Digest.of(b"image")
SECRET: Final = "A" * 43

MANIFEST: Final = Manifest(
    service=SHOP,
    version=VERSION,
    image=DIGEST,
    size_bytes=1234,
    entries=5,
    recipe=Digest.of(b"recipe"),
    sources=(Source(name="shop", url="https://git.example/shop.git", commit="a" * 40),),
    maker=Maker(node=ACME, key=KEY.public),
    created=NOW,
    comment="a first try",
)
SIGNED_MANIFEST: Final = SignedManifest.make(MANIFEST, KEY)

ASSIGNMENT: Final = Assignment(
    agent=OTHER.id,
    revision=7,
    services=(Assigned(key=ServiceKey("shop:web"), version=CLIENT, image=DIGEST, manifest=DIGEST),),
)

INVITATION: Final = Invitation(
    url="https://acme.example:7420",
    node=ACME,
    key=KEY.public,
    profile=PUBLIC,
    secret=SECRET,
    expires=NOW + timedelta(days=1),
)
ENROLMENT: Final = Enrolment(
    url="http://127.0.0.1:7420", node=ACME, key=KEY.public, instance=HOST, secret=SECRET, expires=NOW
)

FAULT: Final = FaultReport(
    id="7b5c3f0e-8d5b-4b7e-9a43-0f2f7d3f7b11",
    service=ServiceKey("shop:web"),
    version=CLIENT,
    instance=HOST,
    occurred=NOW,
    reason="signalled",
    signal="SEGV",
    message="it fell",
    log=("one line", "another"),
    path=(Hop(node=ACME, id=OTHER.id, received=NOW),),
)

STATE: Final = InstanceState(
    at=NOW,
    revision=7,
    services=(
        ServiceState(
            key=ServiceKey("shop"),
            phase=Phase.RUNNING,
            since=NOW,
            desired=CLIENT,
            running=CLIENT,
            committed=CLIENT,
            moved=Moved(version=CLIENT, base=None, moved_bytes=10, full_bytes=100, seconds=0.5),
        ),
    ),
    fixed=(ServiceKey("shop"),),
)
RUNS: Final = RunHistory(
    service=ServiceKey("shop:worker"),
    runs=(
        RunSummary(run="1-a", version=CLIENT, started=NOW, ended=NOW, status=3, lost_lines=7),
        RunSummary(run="2-b", version=CLIENT, started=NOW, ended=NOW, signal="SEGV", stopped=True, error="none"),
        RunSummary(run="3-c", version=CLIENT, started=NOW, alive=True),
    ),
)
LOG_BATCH: Final = LogBatch(
    service=ServiceKey("shop"),
    run="00000001-abcd",
    records=(LogRecord(sequence=1, time=NOW, level=Level.INFO, message="hello", unit="app"),),
)

LISTING: Final = Listing(
    node=ACME,
    profile=PUBLIC,
    serial=7,
    entries=(Entry(service=SHOP, version=VERSION, image=DIGEST, manifest=DIGEST, trail=(marker(KEY.id, SHOP),)),),
    withdrawals=(DIGEST,),
    tested=(Tested(tester=NodeName("initech"), service=SHOP, version=VERSION, at=NOW),),
    key_changes=(ACME,),
)

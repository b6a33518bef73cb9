"""A small node's values, with real keys and signatures."""

from datetime import UTC, datetime, timedelta
from typing import Any

from federation.catalog.listing import Entry, Listing, marker
from federation.circumstances import EarlierFault, HostFacts
from federation.digest import Digest
from federation.fault import FaultReport, Hop
from federation.keys import PrivateKey
from federation.manifest import Maker, Manifest, SignedManifest, Source
from federation.names import InstanceName, NodeName, ProfileName, ServiceKey, ServiceName
from federation.state import InstanceState, Moved, Phase, ServiceState
from federation.versions import ClientVersion, DeveloperVersion
from node.model.alarm import Alarm
from node.model.desired import Delta, ListKind, Revision
from node.model.following import Action, Choice, Chosen, Followed, Reason, Verdict
from node.model.instance import Instance, StoredFault
from node.model.peer import CatalogSeen, Consumer, Pin, Provider
from node.model.task import Task, TaskKind, TaskState
from node.model.version import StoredVersion, Transfer
from node.usecases.adaptation import ClientBuildState
from node.usecases.explaining import Explanation, Running, Unheard

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEY = PrivateKey(bytes(range(32)))
PEER_KEY = PrivateKey(bytes(range(1, 33)))
GUESTBOOK = ServiceName("guestbook")
ACME = NodeName("acme")


def digest(text: str) -> Digest:
    return Digest.of(text.encode())


def alarm() -> Alarm:
    """The alarm of a key that changed."""
    return Alarm(
        kind="origin-key-changed", subject="acme", message="ask acme \x1b[2J", first_seen=NOW, last_seen=NOW, count=3
    )


def pin() -> Pin:
    """acme's key, which it came to by one change."""
    return Pin(node=ACME, key=KEY.public, seen=NOW, through=NodeName("globex"), changes=(b"change",))


def stored_version(
    text: str = "acme-1.0.0",
    *,
    service: ServiceName = GUESTBOOK,
    received_from: NodeName | None = None,
    minutes: int = 0,
) -> StoredVersion:
    """A developer version signed by acme."""
    manifest = Manifest(
        service=service,
        version=DeveloperVersion(text),
        image=digest(text),
        size_bytes=5_000_000_000,
        entries=12,
        recipe=digest("recipe"),
        sources=(Source(name="guestbook", url="file:///srv/guestbook", commit="a" * 40),),
        maker=Maker(node=ACME, key=KEY.public),
        created=NOW,
        comment="first",
    )
    signed = SignedManifest.make(manifest, KEY)
    return StoredVersion(
        kind=ListKind.DEVELOPER,
        service=service,
        version=text,
        image=manifest.image,
        manifest=signed.digest,
        envelope=signed.envelope.to_bytes(),
        stored=NOW,
        received_from=received_from,
    )


def task(
    state: TaskState = TaskState.RUNNING,
    *,
    task_id: str = "t1",
    service: ServiceName | None = GUESTBOOK,
    **changes: Any,
) -> Task:
    return Task(
        id=task_id,
        kind=TaskKind.BUILD,
        title="Build guestbook",
        who="ann",
        created=NOW,
        service=service,
        state=state,
        **changes,
    )


def revision(kind: ListKind = ListKind.DEVELOPER, number: int = 1, **versions: str) -> Revision:
    return Revision(
        kind=kind,
        number=number,
        versions={ServiceName(name): text for name, text in versions.items()},
        deltas=tuple(Delta(service=ServiceName(name), version=text) for name, text in versions.items()),
        who="ann",
        why="test",
        at=NOW,
    )


def service_state(phase: Phase = Phase.RUNNING, *, key: str = "guestbook", **changes: Any) -> ServiceState:
    return ServiceState(key=ServiceKey(key), phase=phase, since=NOW, **changes)


def instance(name: str = "web-1", *states: ServiceState, revoked: bool = False) -> Instance:
    return Instance(
        name=InstanceName(name),
        key=PEER_KEY.public,
        enrolled=NOW,
        state=InstanceState(at=NOW, revision=1, services=states) if states else None,
        revoked=revoked,
    )


def listing(offers: dict[str, str]) -> Listing:
    """What acme's catalogue lists: these versions, its own choice."""
    return Listing(
        node=ACME,
        profile=ProfileName("public-services"),
        serial=3,
        entries=tuple(
            Entry(
                service=ServiceName(service),
                version=DeveloperVersion(text),
                image=digest(text),
                manifest=digest(f"manifest {text}"),
                trail=(marker(PEER_KEY.id, ServiceName(service)),),
            )
            for service, text in sorted(offers.items())
        ),
    )


def provider(name: str = "acme", *, offers: dict[str, str] | None = None) -> Provider:
    seen = None
    if offers is not None:
        expires = NOW + timedelta(days=1)
        seen = CatalogSeen(listing=listing(offers), root_version=1, targets_version=1, expires=expires, read=NOW)
    return Provider(
        name=NodeName(name),
        key=PEER_KEY.public,
        url="http://127.0.0.1:7420",
        profile=ProfileName("public-services"),
        linked=NOW,
        catalog=seen,
        checked=NOW,
    )


def explanation() -> Explanation:
    """acme wants 1.0.1 run, which globex has not tested yet; evil can't be read."""
    entry = listing({"guestbook": "acme-1.0.1"}).entries[0]
    verdict = Verdict(
        service=GUESTBOOK,
        provider=ACME,
        version=entry.version,
        action=Action.HOLD,
        reason=Reason.UNTESTED,
        why="held until globex marks acme-1.0.1 as tested",
        entry=entry,
    )
    choice = Choice(provider=ACME, version=DeveloperVersion("acme-1.0.0"), manifest=digest("m"), trail=entry.trail)
    return Explanation(
        service=GUESTBOOK,
        verdicts=(verdict,),
        unheard=(Unheard(provider=NodeName("evil"), error="refused \x1b[2J", checked=NOW, known=False),),
        followed=Followed(service=GUESTBOOK, choice=choice, at=NOW),
        desired="acme-1.0.0",
        chosen=Chosen(who="auto-update from acme", at=NOW),
        client="acme-1.0.0_1",
        build=ClientBuildState(failed=2, error="no such overlay", at=NOW),
        running=(
            Running(
                instance=InstanceName("web-1"),
                state=service_state(Phase.RUNNING, running=ClientVersion("acme-1.0.0"), error="exit 3"),
            ),
        ),
    )


def consumer() -> Consumer:
    return Consumer(name=NodeName("globex"), key=PEER_KEY.public, profile=ProfileName("public-services"), linked=NOW)


def transfer(version: str = "acme-1.0.1", *, service: ServiceName = GUESTBOOK) -> Transfer:
    return Transfer(
        provider=ACME,
        service=service,
        version=version,
        base="acme-1.0.0",
        moved_bytes=1_234,
        full_bytes=6_000_000_000,
        seconds=0.25,
        at=NOW,
    )


def moved() -> Moved:
    return Moved(
        version=ClientVersion("acme-1.0.1"),
        base=ClientVersion("acme-1.0.0"),
        moved_bytes=10,
        full_bytes=1000,
        seconds=0.1,
    )


def fault() -> StoredFault:
    report = FaultReport(
        id="6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa",
        service=ServiceKey("guestbook"),
        version=ClientVersion("acme-1.0.1"),
        instance=InstanceName("web-1"),
        occurred=NOW,
        reason="exited",
        exit_status=3,
        message="exited with status 3",
        in_probation=True,
        put_back=ClientVersion("acme-1.0.0"),
        uptime_seconds=0.5,
        log=("starting", "boom"),
        damaged=("app.py",),
        files=("core.7",),
        left=("heap.bin",),
        trace=("Traceback (most recent call last):", "ValueError: boom"),
        host=HostFacts(memory_bytes=8_000_000_000, memory_free_bytes=1_000_000, oom_kills=1, load=1500, processors=2),
        earlier=(
            EarlierFault(
                id="6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0ab",
                occurred=NOW,
                version=ClientVersion("acme-1.0.0"),
                message="boom",
            ),
        ),
        alike=4,
        path=(Hop(node=NodeName("globex"), id=PEER_KEY.id, received=NOW),),
    )
    return StoredFault(report=report, service=report.service.service, received=NOW, forward_to=ACME)

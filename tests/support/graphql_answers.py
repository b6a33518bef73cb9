"""A node that knows a little of everything, as answers of its use cases."""

import random
from dataclasses import replace
from typing import Any, NamedTuple

from federation.catalog.ceremony import Ceremony, KeyInfo
from federation.catalog.roles import Role as CatalogRole
from federation.digest import Digest
from federation.image import Entry, Image, Kind
from federation.keys import PrivateKey
from federation.log import Level, LogRecord
from federation.names import InstanceName, LabelName, NodeName, PrivateFileName, ProfileName, ServiceKey, ServiceName
from federation.outbox import Checkpoint, Load
from federation.profile import Profile
from federation.run import RunSummary
from federation.state import Phase
from federation.tally import Tally
from federation.versions import ClientVersion, DeveloperVersion
from node.model.credential import CredentialKind, GitCredential
from node.model.desired import Delta, ListKind, Revision
from node.model.instance import Instance
from node.model.labels import Placement, Placing
from node.model.peer import Provider
from node.model.penalty import after_lie
from node.model.placement import Awaited
from node.model.private import PrivateFile
from node.model.report import OwnMark
from node.model.settings import SettingsLook, Watch
from node.model.task import TaskState
from node.model.version import DevelopedService, GitSource, SiteSettings, StoredVersion
from node.model.withdrawal import KeptWithdrawal
from node.storage.logs import FoundRecord, StreamKey
from node.usecases.catalog_keys import CatalogState, RoleState
from node.usecases.delivery import Withheld
from node.usecases.transfers import SavedBytes
from tests.support import pairing_values
from tests.support.graphql_upward import outbox_entry, received_counts, received_mark, received_states, sent_letter
from tests.support.graphql_values import (
    NOW,
    alarm,
    consumer,
    explanation,
    fault,
    instance,
    moved,
    pin,
    provider,
    revision,
    service_state,
    stored_version,
    task,
    transfer,
)
from tests.support.provenance_values import BUILDERS, ENTRUSTED, POLICY, stored_provenance

WITHDRAWN = KeptWithdrawal(
    service=ServiceName("guestbook"),
    version=DeveloperVersion("acme-1.0.0"),
    manifest=Digest.of(b"manifest"),
    by=NodeName("acme"),
    reason="loses entries",
    at=NOW,
    digest=Digest.of(b"withdrawal"),
    passed_on=b"{}",
)
CATALOG = CatalogState(
    profile=ProfileName("public"),
    public=True,
    serial=7,
    root=Digest.of(b"root"),
    roles=tuple(
        RoleState(
            role=role,
            version=3,
            expires=NOW,
            threshold=1,
            keys=(KeyInfo(role=role, key=PrivateKey(b"k" * 32).public, here=True),),
        )
        for role in CatalogRole
    ),
    online=True,
    prepared=4,
    warnings=("have root 4 signed",),
)
CEREMONY = Ceremony(root_version=4, done=("signed root 4",), left=("nothing",))
PROFILE = Profile(name=ProfileName("public"), services=frozenset({ServiceName("guestbook")}))
SECRETS = tuple(
    PrivateFile(
        service=ServiceName("guestbook"),
        name=PrivateFileName(name),
        into=into,
        size=1704,
        at=NOW,
        by="ann",
        fingerprint="0f" * 16,
    )
    for name, into in (("tls.key", None), ("db/password", "conf/db.password"))
)
CREDENTIALS = tuple(
    GitCredential(prefix=prefix, kind=kind, user=user, known_hosts=False, at=NOW, by="ann", fingerprint="0f" * 16)
    for prefix, kind, user in (
        ("https://git.example/shop/", CredentialKind.PASSWORD, "builder"),
        ("ssh://git@git.example/", CredentialKind.KEY, ""),
    )
)
SITE = SiteSettings(
    service=ServiceName("guestbook"),
    overlays=(GitSource(name="site", url="/srv/site", ref="main", directory="gb"),),
    macros={"title": "Hello"},
    watch=Watch.ON,
)


class OneTime(NamedTuple):
    """What the use cases hand out once."""

    text: str = "vui1:SECRET"
    profile: str = "public"
    instance: str = "web-1"
    expires: Any = NOW


def log_record(sequence: int, message: str, level: Level = Level.INFO) -> LogRecord:
    return LogRecord(sequence=sequence, time=NOW, level=level, message=message)


LOG = [log_record(1, "fetching"), log_record(2, "building"), log_record(3, "no rule", Level.ERROR)]


def task_log(task_id: str, after: int, first: int) -> list[LogRecord]:
    return [record for record in LOG if record.sequence > after][:first]


DEVELOPED = DevelopedService(name=ServiceName("guestbook"), sources=(GitSource(name="guestbook", url="/srv/g"),))
PLACEMENT = Placement(key=ServiceKey("shop:worker"), labels=(LabelName("gpu"),))
HOST = instance(
    "web-1",
    service_state(
        Phase.RUNNING,
        running=ClientVersion("acme-1.0.0"),
        failed=ClientVersion("acme-1.0.1"),
        error="exit 3",
        moved=moved(),
    ),
    service_state(Phase.STARTING, key="guestbook:worker"),
)


def changed(kind: ListKind, deltas: tuple[Delta, ...], *, seen: int, who: str, why: str) -> Revision:
    return revision(kind, seen + 1, **{delta.service: delta.version or "gone" for delta in deltas})


def versions(kind: ListKind, service: ServiceName | None, first: int) -> list[StoredVersion]:
    return [stored_version()] if kind is ListKind.DEVELOPER else []


def kept(value: object, *, who: str) -> object:
    """What was to be kept."""
    return value


def moving(key: ServiceKey, *, source: InstanceName, target: InstanceName, at_once: bool, who: str) -> Instance:
    awaits = () if at_once else (Awaited(key=key, source=source),)
    return replace(HOST, name=target, services=(ServiceKey("guestbook"), key), awaits=awaits)


def assigned(name: InstanceName, services: tuple[ServiceKey, ...] | None, *, who: str) -> Instance:
    return replace(HOST, services=services)


def windowed(name: NodeName, text: str, *, who: str) -> Provider:
    return replace(provider(), window=text)


def tested_first(name: NodeName, tester: NodeName | None, *, who: str) -> Provider:
    return replace(provider(), tested_by=tester)


RUNS = (
    RunSummary(run="4-d", version=ClientVersion("acme-1.0.1"), started=NOW, alive=True),
    RunSummary(run="3-c", version=ClientVersion("acme-1.0.0"), started=NOW),
    RunSummary(run="2-b", version=ClientVersion("acme-1.0.0"), started=NOW, ended=NOW, signal="SEGV", lost_lines=7),
    RunSummary(run="1-a", version=ClientVersion("acme-1.0.0"), started=NOW, ended=NOW, status=0, stopped=True),
    RunSummary(run="0-z", version=ClientVersion("acme-1.0.0"), started=NOW, ended=NOW, error="no such\x1b[2J program"),
)


def _file(path: str, size: int, kind: Kind = Kind.FILE) -> Entry:
    return Entry(path, kind, size, Digest.of(b"%d" % size))


def any_version(kind: ListKind, service: ServiceName, version: str) -> StoredVersion:
    return stored_version(version, service=service)


IMAGES = {
    stored_version(version).image: Image.of(entries)
    for version, entries in {
        "acme-1.0.0": (_file("app.py", 1200), _file("run", 90), _file("old.txt", 7)),
        "acme-1.0.1": (_file("app.py", 1300), _file("run", 90, Kind.EXECUTABLE), Entry("now", Kind.LINK, target="run")),
    }.items()
}

LOOK = SettingsLook(
    url=SITE.overlays[0].url,
    ref=SITE.overlays[0].ref,
    commit="c" * 40,
    tried=NOW,
    seen=NOW,
)


def answers() -> dict[str, Any]:
    """A node that knows a little of everything."""
    found = StreamKey(service=ServiceName("guestbook"), instance=InstanceName("web-1"), run="r1")
    done = task(TaskState.SUCCEEDED, result="acme-1.0.1", ended=NOW)
    return {
        "desired.current": lambda kind: revision(kind, 4, guestbook="acme-1.0.0"),
        "desired.history": [revision(number=4, guestbook="acme-1.0.0")],
        "desired.change": changed,
        "desired.rollback": revision(number=5, guestbook="acme-1.0.0"),
        "versions.find": versions,
        "versions.get": any_version,
        "images.load": lambda digest: IMAGES[digest],
        "withdrawals.in_force": [WITHDRAWN],
        "withdrawals.yank": WITHDRAWN,
        "withdrawals.unyank": None,
        "catalog_keys.all": [CATALOG],
        "catalog_keys.get": CATALOG,
        "catalog_keys.rotate": CEREMONY,
        "catalog_keys.prepare": replace(CEREMONY, document=b"{}"),
        "catalog_keys.publish_root": CEREMONY,
        "services.developed": [DEVELOPED],
        "services.sites": [SITE],
        "services.add": kept,
        "services.remove": None,
        "services.set_site": kept,
        "services.watch_site": SITE,
        "settings_watch.known": {(SITE.overlays[0].url, SITE.overlays[0].ref): LOOK},
        "builds.start": done,
        "client_builds.start": done,
        "adaptation.begin_all": [done, replace(done, id="t3")],
        "tasks.find": [task(), done],
        "tasks.get": done,
        "tasks.log": task_log,
        "resuming.resume": replace(done, id="t2", resumed_from="t1"),
        "tasks.cancel": replace(done, state=TaskState.CANCELLED, error="cancelled before it was done"),
        "credentials.all": list(CREDENTIALS),
        "credentials.put": CREDENTIALS[1],
        "credentials.remove": None,
        "private_files.find": list(SECRETS),
        "private_files.put": SECRETS[1],
        "private_files.remove": None,
        "profiles.all": [PROFILE],
        "profiles.find": PROFILE,
        "profiles.set": kept,
        "profiles.remove": None,
        "links.invite": OneTime(),
        "links.accept": provider(offers={"guestbook": "acme-1.0.0"}),
        "links.providers": [provider(offers={"guestbook": "acme-1.0.0"})],
        "links.consumers": [consumer()],
        "links.consumer": consumer(),
        "links.set_rights": consumer(),
        "links.set_profile": consumer(),
        "links.set_tester": replace(consumer(), tester=True),
        "links.set_redaction": provider(),
        "links.connected": True,
        "received.states_of": received_states(),
        "received.counts_of": received_counts(),
        "received.marks_of": [received_mark()],
        "marks.give": [OwnMark(provider=NodeName("acme"), who="ann", report=received_mark().report)],
        "outbox.entries": [outbox_entry()],
        "outbox.checkpoint": Checkpoint(receiver=NodeName("acme")).lost("acme is away", NOW, random.Random(1)),
        "outbox.load": Load(entries=1, size_bytes=1000),
        "outbox.tally": Tally(receiver=NodeName("acme"), counts=received_counts().report.counts),
        "outbox.retry": outbox_entry(),
        "outbox.drop": None,
        "delivery.shown": sent_letter(),
        "delivery.preview": [
            ("acme/states/states", sent_letter()),
            ("acme/fault/f", Withheld(why="no", counted=False)),
        ],
        "links.remove_provider": None,
        "links.remove_consumer": None,
        "links.set_auto_update": provider(),
        "addresses.move": provider(),
        "nearby.look": pairing_values.NEARBY,
        "pairing.find": [pairing_values.pairing(), pairing_values.rejected()],
        "pairing.start": pairing_values.pairing(),
        "pairing.confirm": pairing_values.linked(),
        "pairing.reject": pairing_values.rejected(),
        "updates.check": provider(offers={"guestbook": "acme-1.0.1"}),
        "updates.update": done,
        "transfers.newest": [transfer()],
        "transfers.saved": SavedBytes(moved=1000, full=4000, transfers=2),
        "penalties.all": [after_lie(None, NodeName("acme"), "the pack is not genuine", NOW)],
        "explanations.explain": explanation(),
        "following.verdicts": explanation().verdicts,
        "following.set_window": windowed,
        "following.require_tested": tested_first,
        "instances.all": [HOST],
        "instances.connected": True,
        "instances.enrolment": OneTime(text="vua1:SECRET"),
        "instances.assign": assigned,
        "instances.move": moving,
        "instances.label": replace(HOST, labels=(LabelName("gpu"), LabelName("site=berlin"))),
        "instances.placing": Placing([ServiceName("guestbook")], []),
        "fault_files.read": b"packed",
        "delegation.builders": BUILDERS,
        "handing_over.all": [ENTRUSTED],
        "handing_over.names": {ENTRUSTED.builders[0]: NodeName("acme")},
        "handing_over.entrust": ENTRUSTED,
        "handing_over.withdraw": None,
        "rebuilds.start": done,
        "tasks.waits_for": lambda task: "waits for its place" if task.state is TaskState.QUEUED else "",
        "provenances.of": [stored_provenance()],
        "provenances.policies": [POLICY],
        "provenances.require": POLICY,
        "provenances.free": None,
        "placements.all": [PLACEMENT],
        "placements.place": PLACEMENT,
        "placements.forget": None,
        "instances.revoke": replace(HOST, revoked=True),
        "runs.of": RUNS,
        "logs.search": [FoundRecord(stream=found, record=log_record(7, "hello\x1b[2J"))],
        "faults.find": [fault()],
        "faults.counts": lambda services: dict.fromkeys(services, 1),
        "faults.get": fault(),
        "pins.all": [pin()],
        "pins.reset": lambda _node, key, **_who: replace(pin(), awaited=key),
        "alarms.all": [alarm()],
        "alarms.open": [alarm()],
        "alarms.dismiss": alarm().hidden("ann", NOW),
        "accounts.login_link": ("http://127.0.0.1:7420/#/login/SECRET", NOW),
    }

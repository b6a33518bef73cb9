"""The values that the node of ``graphql_answers`` knows, and its answers that depend on what is asked."""

from dataclasses import replace
from typing import Any, NamedTuple

from federation.catalog.ceremony import Ceremony, KeyInfo
from federation.catalog.roles import Role as CatalogRole
from federation.digest import Digest
from federation.image import Entry, Image, Kind
from federation.keys import PrivateKey
from federation.log import Level, LogRecord
from federation.names import InstanceName, LabelName, NodeName, PrivateFileName, ProfileName, ServiceKey, ServiceName
from federation.profile import Profile
from federation.run import RunSummary
from federation.state import Phase
from federation.versions import ClientVersion, DeveloperVersion
from node.model.credential import CredentialKind, GitCredential
from node.model.desired import Delta, ListKind, Revision
from node.model.instance import Instance
from node.model.labels import Placement
from node.model.peer import Provider
from node.model.placement import Awaited
from node.model.private import PrivateFile
from node.model.settings import SettingsLook, Watch
from node.model.version import DevelopedService, GitSource, SiteSettings, StoredVersion
from node.model.withdrawal import KeptWithdrawal
from node.usecases.catalog_keys import CatalogState, RoleState
from tests.support.graphql_values import (
    NOW,
    instance,
    moved,
    provider,
    revision,
    service_state,
    stored_version,
)

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

"""A node that knows a little of everything, as answers of its use cases."""

from dataclasses import replace
from typing import Any, NamedTuple

from federation.log import Level, LogRecord
from federation.names import InstanceName, ProfileName, ServiceKey, ServiceName
from federation.profile import Profile
from federation.state import Phase
from federation.versions import ClientVersion
from node.model.desired import Delta, ListKind, Revision
from node.model.instance import Instance
from node.model.task import TaskState
from node.model.version import DevelopedService, GitSource, SiteSettings, StoredVersion
from node.storage.logs import FoundRecord, StreamKey
from tests.support.graphql_values import (
    NOW,
    consumer,
    fault,
    instance,
    moved,
    provider,
    revision,
    service_state,
    stored_version,
    task,
    transfer,
)

PROFILE = Profile(name=ProfileName("public"), services=frozenset({ServiceName("guestbook")}))
SITE = SiteSettings(
    service=ServiceName("guestbook"),
    overlays=(GitSource(name="site", url="/srv/site", ref="main", directory="gb"),),
    macros={"title": "Hello"},
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


def assigned(name: InstanceName, services: tuple[ServiceKey, ...] | None, *, who: str) -> Instance:
    return replace(HOST, services=services)


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
        "services.developed": [DEVELOPED],
        "services.sites": [SITE],
        "services.add": kept,
        "services.remove": None,
        "services.set_site": kept,
        "builds.start": done,
        "client_builds.start": done,
        "tasks.find": [task(), done],
        "tasks.get": done,
        "tasks.log": task_log,
        "tasks.cancel": replace(done, state=TaskState.CANCELLED, error="cancelled before it was done"),
        "profiles.all": [PROFILE],
        "profiles.set": kept,
        "profiles.remove": None,
        "links.invite": OneTime(),
        "links.accept": provider(offers={"guestbook": "acme-1.0.0"}),
        "links.providers": [provider(offers={"guestbook": "acme-1.0.0"})],
        "links.consumers": [consumer()],
        "links.connected": True,
        "links.remove_provider": None,
        "links.remove_consumer": None,
        "links.set_auto_update": provider(),
        "updates.check": provider(offers={"guestbook": "acme-1.0.1"}),
        "updates.update": done,
        "updates.transfers": [transfer()],
        "instances.all": [HOST],
        "instances.connected": True,
        "instances.enrolment": OneTime(text="vua1:SECRET"),
        "instances.assign": assigned,
        "instances.revoke": replace(HOST, revoked=True),
        "logs.search": [FoundRecord(stream=found, record=log_record(7, "hello\x1b[2J"))],
        "faults.find": [fault()],
        "faults.counts": lambda services: dict.fromkeys(services, 1),
        "faults.get": fault(),
        "accounts.login_link": ("http://127.0.0.1:7420/#/login/SECRET", NOW),
    }

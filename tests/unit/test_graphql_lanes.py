"""How a service's way through a node is put together from the lists that a node keeps."""

from dataclasses import replace

from federation.names import ServiceName
from federation.state import Phase
from federation.versions import ClientVersion
from node.graphql.lanes import Known, Lane, lanes
from node.model.desired import ListKind
from node.model.task import TaskState
from node.model.version import DevelopedService, GitSource, SiteSettings
from tests.support.graphql_answer_values import WITHDRAWN
from tests.support.graphql_values import (
    ACME,
    GUESTBOOK,
    fault,
    instance,
    provider,
    revision,
    service_state,
    stored_version,
    task,
    transfer,
)

NOTHING = Known(
    developer=revision(ListKind.DEVELOPER, 0),
    client=revision(ListKind.CLIENT, 0),
)
SOURCE = GitSource(name="guestbook", url="file:///srv/guestbook")


def only(known: Known) -> Lane:
    (lane,) = lanes(known)
    return lane


def test_a_node_that_knows_nothing_shows_nothing() -> None:
    """An empty node has no lanes."""
    assert lanes(NOTHING) == []


def test_each_trace_of_a_service_gives_it_a_lane() -> None:
    """A service shows up whether it is built, desired, kept, offered, adapted, running, moved or reported."""
    name = GUESTBOOK
    traces = (
        replace(NOTHING, developed=[DevelopedService(name=name, sources=(SOURCE,))]),
        replace(NOTHING, sites=[SiteSettings(service=name)]),
        replace(NOTHING, developer=revision(guestbook="acme-1.0.0")),
        replace(NOTHING, client=revision(ListKind.CLIENT, guestbook="acme-1.0.0_1")),
        replace(NOTHING, developer_versions=[stored_version()]),
        replace(NOTHING, client_versions=[replace(stored_version(), kind=ListKind.CLIENT)]),
        replace(NOTHING, providers=[provider(offers={"guestbook": "acme-1.0.0"})]),
        replace(NOTHING, instances=[instance("web-1", service_state())]),
        replace(NOTHING, tasks=[task()]),
        replace(NOTHING, transfers=[transfer()]),
        replace(NOTHING, faults={fault().report.service.service: 1}),
    )
    assert [only(trace).name for trace in traces] == [name] * len(traces)


def test_lanes_stand_by_name() -> None:
    """Services are shown in the order of their names."""
    known = replace(NOTHING, developer=revision(zebra="acme-1.0.0", ant="acme-1.0.0"))
    assert [lane.name for lane in lanes(known)] == ["ant", "zebra"]


def test_the_newest_version_is_the_one_that_was_stored_last() -> None:
    """Versions come newest first, and the first is shown, even when its number is lower: a provider may go back."""
    known = replace(NOTHING, developer_versions=[stored_version("acme-1.0.0"), stored_version("acme-2.0.0")])
    assert only(known).latest_developer == "acme-1.0.0"


def test_a_service_comes_from_the_provider_that_offers_it() -> None:
    """Who offers a service now is its provider, not who gave an old version of it."""
    received = stored_version(received_from=provider("initech").name)
    known = replace(NOTHING, developer_versions=[received], providers=[provider(offers={"guestbook": "acme-1.0.0"})])
    assert only(known).provider == ACME


def test_a_service_no_longer_offered_keeps_the_provider_that_gave_it() -> None:
    """Where a version came from stays visible after its provider stopped to offer it."""
    known = replace(NOTHING, developer_versions=[stored_version(received_from=ACME)], providers=[provider()])
    assert only(known).provider == ACME


def test_a_service_built_here_has_no_provider() -> None:
    """What this node makes itself does not come from elsewhere."""
    developed = [DevelopedService(name=GUESTBOOK, sources=(SOURCE,))]
    known = replace(NOTHING, developed=developed, providers=[provider(offers={"guestbook": "acme-1.0.0"})])
    lane = only(known)
    assert lane.developed
    assert lane.provider is None
    assert lane.sources == (SOURCE,)


def test_roles_of_a_service_share_its_lane() -> None:
    """`guestbook` and `guestbook:worker` run in the lane of `guestbook`, by instance and then role."""
    instances = [
        instance("web-2", service_state(key="guestbook")),
        instance("web-1", service_state(key="guestbook:worker"), service_state(key="guestbook")),
    ]
    lane = only(replace(NOTHING, instances=instances))
    assert [(place.instance, place.state.key) for place in lane.running] == [
        ("web-1", "guestbook"),
        ("web-1", "guestbook:worker"),
        ("web-2", "guestbook"),
    ]


def test_a_revoked_instance_does_not_count_as_running() -> None:
    """What an agent said before it was turned away is not shown as what runs now."""
    assert lanes(replace(NOTHING, instances=[instance("web-1", service_state(), revoked=True)])) == []


def test_only_work_that_has_not_ended_is_shown() -> None:
    """The newest task about the service that still waits or runs is shown; ended ones and others' are not."""
    tasks = [
        task(TaskState.SUCCEEDED, task_id="done"),
        task(TaskState.QUEUED, task_id="newest"),
        task(TaskState.RUNNING, task_id="older"),
        task(TaskState.RUNNING, task_id="update", service=None),
    ]
    shown = only(replace(NOTHING, tasks=tasks)).task
    assert shown is not None
    assert shown.id == "newest"


def test_a_lane_holds_what_is_known_of_its_own_service_only() -> None:
    """Two services don't mix."""
    shop = ServiceName("shop")
    known = replace(
        NOTHING,
        developer=revision(guestbook="acme-1.0.0", shop="acme-3.0.0"),
        client=revision(ListKind.CLIENT, shop="acme-3.0.0_2"),
        instances=[instance("web-1", service_state(Phase.FAILED, failed=ClientVersion("acme-1.0.1")))],
        transfers=[transfer("acme-3.0.0", service=shop), transfer("acme-2.0.0", service=shop)],
        faults={GUESTBOOK: 4},
    )
    guestbook, other = lanes(known)
    assert (guestbook.client_desired, other.client_desired) == (None, "acme-3.0.0_2")
    assert (guestbook.faults, other.faults) == (4, 0)
    assert [place.state.failed for place in guestbook.running] == ["acme-1.0.1"]
    assert other.running == ()
    assert other.last_transfer is not None
    assert other.last_transfer.version == "acme-3.0.0"


def test_a_withdrawn_version_shows_where_it_is_used() -> None:
    """Desired as a developer or a client version, or running still; one that nobody uses flags nothing."""
    withdrawn = [WITHDRAWN]
    for known in (
        replace(NOTHING, developer=revision(guestbook="acme-1.0.0")),
        replace(NOTHING, client=revision(ListKind.CLIENT, guestbook="acme-1.0.0_4")),
        replace(NOTHING, instances=[instance("web-1", service_state(running=ClientVersion("acme-1.0.0_1")))]),
    ):
        assert only(known).withdrawn == ()
        assert only(replace(known, withdrawn=withdrawn)).withdrawn == (WITHDRAWN,)
    other = replace(NOTHING, developer=revision(guestbook="acme-1.0.1"), withdrawn=withdrawn)
    assert only(other).withdrawn == ()

"""What goes up from a consumer and what its provider makes of it: states, tested marks, faults, and their numbers."""

import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from federation import codec
from federation.errors import AbsentError, InvalidValueError
from federation.fault import FaultReport
from federation.keys import PrivateKey
from federation.link.rights import Right
from federation.names import InstanceName, NodeName, ProfileName, ServiceKey, ServiceName
from federation.redaction import FaultsSent, Redaction
from federation.report import Installed, StateReport
from federation.state import InstanceState, Phase, ServiceState
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import Delta, ListKind
from node.model.instance import Instance
from node.model.version import StoredVersion
from node.usecases.delivery import Withheld
from tests.support.clock import FIXED_START
from tests.support.nodes import WHO, Member, Network, chain

ACME, GLOBEX, INITECH = NodeName("acme"), NodeName("globex"), NodeName("initech")
SHOP, FORUM = ServiceName("shop"), ServiceName("forum")
PUBLIC = ProfileName("public")
FILES = {"vupdate.toml": b'[services.shop.run]\ncommand = ["./run"]\n', "run": b"#!/bin/sh\n"}


async def took(member: Member, service: ServiceName, version: str, provider: NodeName | None) -> None:
    """``member`` has a version as if ``provider`` had brought it, and wants it run."""
    made = await member.use.versions.find(ListKind.DEVELOPER, None, first=1)
    stored = StoredVersion(
        kind=ListKind.DEVELOPER,
        service=service,
        version=version,
        image=made[0].image,
        manifest=made[0].manifest,
        envelope=made[0].envelope,
        stored=member.clock.now(),
        received_from=provider,
    )
    await member.use.versions.keep(stored)
    delta = Delta(service=service, version=version)
    await member.use.desired.set_now(ListKind.DEVELOPER, (delta,), who=WHO, why="test")


def running(key: str, version: str, at: Network, **more: object) -> ServiceState:
    state = ServiceState(
        key=ServiceKey(key),
        phase=Phase.RUNNING,
        since=at.clock.now(),
        desired=ClientVersion(version),
        running=ClientVersion(version),
        committed=ClientVersion(version),
    )
    return replace(state, **more)  # type: ignore[arg-type]  # each is of its field's type


async def runs(network: Network, member: Member, instance: str, *states: ServiceState) -> None:
    if InstanceName(instance) not in {one.name for one in await member.use.instances.all()}:
        await network.attach(member, instance)
    state = InstanceState(at=network.clock.now(), revision=1, services=states)
    await member.use.instances.report(InstanceName(instance), state)


async def sent_up(member: Member, provider: NodeName = ACME) -> None:
    await member.use.reports.look()
    await member.use.delivery.deliver(provider)


async def received(member: Member, consumer: NodeName = GLOBEX) -> StateReport:
    kept = await member.use.received.states_of(consumer)
    assert kept is not None
    return kept.report


async def site(tmp_path: Path) -> tuple[Network, Member, Member]:
    """globex takes shop from acme and develops forum itself."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await globex.develop("forum", "globex-1.0.0", FILES)
    await took(globex, SHOP, "acme-1.0.0", ACME)
    return network, acme, globex


async def test_a_provider_sees_its_own_versions_on_the_consumers_own_instances(tmp_path: Path) -> None:
    """Not what comes from elsewhere, and of a state only the versions that are the provider's."""
    network, acme, globex = await site(tmp_path)
    shop = running("shop:web", "acme-1.0.0_1", network, failed=ClientVersion("other-9.9.9"), error="did not start")
    await runs(network, globex, "web-1", shop, running("forum", "globex-1.0.0", network))
    await sent_up(globex)
    report = await received(acme)
    assert report.installed == (Installed(service=SHOP, version=DeveloperVersion("acme-1.0.0")),)
    (instance,) = report.instances
    assert instance.name == "web-1"
    (state,) = instance.services
    assert (state.key, state.running, state.failed, state.error) == (
        "shop:web",
        "acme-1.0.0_1",
        None,
        "did not start",
    )


async def test_states_of_a_consumers_consumers_stay_where_they_are(tmp_path: Path) -> None:
    """acme sees what runs at globex; what initech reported to globex goes no further."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    for member, provider in ((globex, ACME), (initech, GLOBEX)):
        await member.develop("own", f"{member.name}-1.0.0", FILES)
        await took(member, SHOP, "acme-1.0.0", provider)
        await runs(network, member, f"host-of-{member.name}", running("shop", "acme-1.0.0", network))
    await sent_up(initech, GLOBEX)
    await sent_up(globex, ACME)
    assert [one.name for one in (await received(globex, INITECH)).instances] == ["host-of-initech"]
    assert [one.name for one in (await received(acme)).instances] == ["host-of-globex"]
    assert await acme.use.received.states_of(INITECH) is None


async def test_only_what_changed_is_worth_a_report(tmp_path: Path) -> None:
    """A host that says the same again is no news; after a quarter of an hour it is said that all is as before."""
    network, acme, globex = await site(tmp_path)
    await runs(network, globex, "web-1", running("shop", "acme-1.0.0", network))
    await sent_up(globex)
    first = (await received(acme)).sequence
    since = network.clock.now()
    network.later(seconds=30)
    await runs(network, globex, "web-1", replace(running("shop", "acme-1.0.0", network), since=since))
    await sent_up(globex)
    assert (await received(acme)).sequence == first
    network.later(minutes=15)
    await sent_up(globex)
    assert (await received(acme)).sequence > first


async def test_reports_that_waited_are_one_report(tmp_path: Path) -> None:
    """While the provider is away only the newest state is kept to be sent."""
    network, acme, globex = await site(tmp_path)
    acme.away = True
    for number in range(5):
        await runs(network, globex, "web-1", running("shop", "acme-1.0.0", network, failures=number))
        await sent_up(globex)
        network.later(minutes=10)
    assert (await globex.use.outbox.load(ACME)).entries == 1
    acme.away = False
    await sent_up(globex)
    assert (await received(acme)).instances[0].services[0].failures == 4


async def test_a_provider_linked_anew_is_told_again(tmp_path: Path) -> None:
    """It forgot what it was told over the old link."""
    network, acme, globex = await site(tmp_path)
    await runs(network, globex, "web-1", running("shop", "acme-1.0.0", network))
    await sent_up(globex)
    await globex.use.links.remove_provider(ACME, who=WHO)
    await globex.use.farewells.say_due()
    assert await acme.use.received.states_of(GLOBEX) is None
    network.later(seconds=1)
    await network.link(acme, globex, "public")
    await sent_up(globex)
    assert (await received(acme)).instances


async def test_a_report_of_very_many_hosts_fits_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    """More hosts than a report has room for: as many as fit are told, and how many are not."""
    network, acme, globex = await site(tmp_path)
    key = PrivateKey.generate().public
    state = running("shop", "acme-1.0.0", network, error="x" * 2000)
    for number in range(2500):
        kept = InstanceState(at=network.clock.now(), revision=1, services=(state,))
        host = Instance(name=InstanceName(f"host-{number:04}"), key=key, enrolled=network.clock.now(), state=kept)
        await globex.use.instances._kept.put(host)
    await sent_up(globex)
    report = await received(acme)
    assert report.left_out > 0
    assert len(report.instances) + report.left_out == 2500
    assert len(report.instances) > 1000


async def test_a_link_tells_what_its_operator_lets_it_tell(tmp_path: Path) -> None:
    """No states, no list; then names under pseudonyms and texts blotted out."""
    network, acme, globex = await site(tmp_path)
    shop = running("shop", "acme-1.0.0", network, error="can't reach db-7.corp with password=hunter2x")
    await runs(network, globex, "web-1", shop)
    await sent_up(globex)
    hidden = Redaction(states=False, installed=False)
    await globex.use.links.set_redaction(ACME, hidden, who=WHO)
    await sent_up(globex)
    assert not (await received(acme)).services
    rules = Redaction(pseudonyms=True, masks=("db-*.corp",))
    await globex.use.links.set_redaction(ACME, rules, who=WHO)
    await sent_up(globex)
    (instance,) = (await received(acme)).instances
    assert instance.name.startswith("instance-")
    assert instance.services[0].error == "can't reach «redacted» with password=«redacted»"


async def test_two_providers_cannot_match_pseudonyms(tmp_path: Path) -> None:
    """The same host has another name for each provider, and always the same one for it."""
    network, acme, globex = await site(tmp_path)
    other = network.add("other")
    await other.share("public", "shop")
    await network.link(other, globex, "public")
    names = []
    for provider in (ACME, NodeName("other"), ACME):
        await globex.use.links.set_redaction(provider, Redaction(pseudonyms=True), who=WHO)
        redactor = globex.use.delivery._senders["fault"]._redactors.of(  # type: ignore[attr-defined]
            await globex.use.links.provider(provider)
        )
        names.append(redactor.instance(InstanceName("web-1")))
    assert names[0] == names[2] != names[1]
    assert acme.key != other.key


async def test_nothing_is_told_without_the_right_to(tmp_path: Path) -> None:
    """No report is queued for a provider that wants none; one is when it does."""
    network, acme, globex = await site(tmp_path)
    await runs(network, globex, "web-1", running("shop", "acme-1.0.0", network))
    await acme.use.links.set_rights(GLOBEX, {Right.TAKE}, who=WHO)
    await globex.use.links.refresh_state(ACME)
    await sent_up(globex)
    assert await globex.use.outbox.entries(None, first=10) == []
    shown = dict(await globex.use.delivery.preview(ACME, first=5))["acme/states/states"]
    assert isinstance(shown, Withheld)
    assert shown.why == "acme gave this node no right to send this (states)"
    await acme.use.links.set_rights(GLOBEX, {Right.TAKE, Right.STATES}, who=WHO)
    await globex.use.links.refresh_state(ACME)
    await sent_up(globex)
    assert (await received(acme)).instances


async def test_a_tested_mark_reaches_the_other_consumers_when_its_giver_is_a_tester(tmp_path: Path) -> None:
    """Only then, and only for what is desired and shared in the reader's profile."""
    network, acme, globex = await site(tmp_path)
    await acme.develop("shop", "acme-1.0.0", FILES)
    await acme.share("testing", "shop", "secret")
    (mark,) = await globex.use.marks.give(None, comment="all well, password=hunter2x", who=WHO)
    assert (mark.provider, mark.report.versions) == (
        ACME,
        (Installed(service=SHOP, version=DeveloperVersion("acme-1.0.0")),),
    )
    await globex.use.delivery.deliver(ACME)
    await globex.use.delivery.deliver(ACME)
    (kept,) = await acme.use.received.marks_of(GLOBEX, first=10)
    assert kept.report.comment == "all well, password=«redacted»"
    assert await acme.use.received.marks(PUBLIC) == []
    await acme.use.links.set_tester(GLOBEX, True, who=WHO)
    (tested,) = await acme.use.received.marks(PUBLIC)
    assert (tested.tester, tested.service, tested.version) == (GLOBEX, SHOP, "acme-1.0.0")
    assert await acme.use.received.marks(ProfileName("unknown")) == []
    network.later(minutes=1)
    await acme.develop("shop", "acme-1.0.1", FILES)
    assert await acme.use.received.marks(PUBLIC) == []


async def test_a_mark_needs_something_that_came_from_a_provider(tmp_path: Path) -> None:
    """Neither own services nor unknown ones can be marked, and it is said why."""
    _, _, globex = await site(tmp_path)
    with pytest.raises(AbsentError, match="nobody to tell"):
        await globex.use.marks.give({FORUM}, comment="", who=WHO)
    with pytest.raises(InvalidValueError, match="no version is desired"):
        await globex.use.marks.give({ServiceName("nothing")}, comment="", who=WHO)


def fault(number: int = 0, **more: object) -> FaultReport:
    report = FaultReport(
        id=str(uuid.UUID(int=number + 1)),
        service=ServiceKey("shop"),
        version=ClientVersion("acme-1.0.0_1"),
        instance=InstanceName("web-1"),
        occurred=FIXED_START,
        reason="exited",
        exit_status=1,
        message="fatal at db-7.corp",
        log=("line", "token: abcdefgh", "db-7.corp is gone"),
    )
    return replace(report, **more)  # type: ignore[arg-type]  # each is of its field's type


async def crash(member: Member, number: int = 0) -> None:
    await member.use.faults.from_agent(InstanceName("web-1"), fault(number))


async def test_each_node_on_the_way_redacts_a_fault_report(tmp_path: Path) -> None:
    """initech's link hides the token, globex's the host; at acme both are gone, and the report's id is the same."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    for member, provider in ((globex, ACME), (initech, GLOBEX)):
        await member.develop("own", f"{member.name}-1.0.0", FILES)
        await took(member, SHOP, "acme-1.0.0", provider)
    await globex.use.links.set_redaction(ACME, Redaction(pseudonyms=True, masks=("db-*.corp",)), who=WHO)
    await crash(initech)
    await initech.use.delivery.deliver(GLOBEX)
    await globex.use.delivery.deliver(ACME)
    at_globex = (await globex.use.faults.get(fault().id)).report
    at_acme = (await acme.use.faults.get(fault().id)).report
    assert at_globex.log == ("line", "token: «redacted»", "db-7.corp is gone")
    assert at_acme.log == ("line", "token: «redacted»", "«redacted» is gone")
    assert at_acme.message == "fatal at «redacted»"
    assert (at_globex.instance, at_acme.instance.startswith("instance-")) == ("web-1", True)
    assert [hop.node for hop in at_acme.path] == ["initech", "globex", "acme"]


@pytest.mark.parametrize(
    ("sent", "arrive", "counted"), [(FaultsSent.OFF, 0, 0), (FaultsSent.COUNTS, 0, 3), (FaultsSent.WITHOUT_LOG, 3, 0)]
)
async def test_a_link_sends_as_much_of_faults_as_it_is_told(
    tmp_path: Path, sent: FaultsSent, arrive: int, counted: int
) -> None:
    """Nothing, only numbers, or all but the log."""
    _, acme, globex = await site(tmp_path)
    await globex.use.links.set_redaction(ACME, Redaction(faults=sent), who=WHO)
    for number in range(3):
        await crash(globex, number)
        await crash(globex, number)
    await globex.use.delivery.deliver(ACME)
    found = await acme.use.faults.find(None, first=10)
    assert len(found) == arrive
    assert all(one.report.log == () for one in found)
    counts = await acme.use.received.counts_of(GLOBEX)
    assert (sum(one.count for one in counts.report.counts) if counts else 0) == counted


async def test_what_is_shown_before_sending_is_what_arrives(tmp_path: Path) -> None:
    """The preview of a waiting fault report is, byte for byte, the body that the provider gets."""
    _, acme, globex = await site(tmp_path)
    bodies: list[bytes] = []
    await crash(globex)
    (entry,) = await globex.use.outbox.entries(ACME, first=10)
    shown = await globex.use.delivery.shown(entry.id)
    connect = globex.use.delivery._connect

    class Watched:
        async def post(self, path: str, body: bytes) -> bytes:
            bodies.append(body)
            return await connect(acme.url, acme.key.public).post(path, body)

    globex.use.delivery._connect = lambda _url, _key: Watched()  # type: ignore[assignment, return-value]
    await globex.use.delivery.deliver(ACME)
    assert bodies == [shown.body]  # type: ignore[union-attr]  # it is not withheld
    assert (await acme.use.faults.get(fault().id)).report.log[1] == "token: «redacted»"


async def test_a_week_away_loses_nothing_and_states_are_as_of_now(tmp_path: Path) -> None:
    """Each fault of the week arrives once, in order; of the states only the last ones do."""
    network, acme, globex = await site(tmp_path)
    acme.away = True
    for day in range(7):
        await crash(globex, day)
        await runs(network, globex, "web-1", running("shop", "acme-1.0.0", network, failures=day))
        await sent_up(globex)
        network.later(days=1)
    assert await acme.use.faults.find(None, first=10) == []
    acme.away = False
    await globex.use.delivery.deliver(ACME)
    found = await acme.use.faults.find(None, first=100)
    assert sorted(one.report.id for one in found) == [fault(day).id for day in range(7)]
    assert (await received(acme)).instances[0].services[0].failures == 6
    asked = len(await acme.use.audit.find(first=100))
    await globex.use.delivery.deliver(ACME)
    assert len(await acme.use.audit.find(first=100)) == asked


async def test_a_removed_consumers_reports_are_forgotten(tmp_path: Path) -> None:
    """With the link goes all that came over it but the faults."""
    network, acme, globex = await site(tmp_path)
    await runs(network, globex, "web-1", running("shop", "acme-1.0.0", network))
    await sent_up(globex)
    await globex.use.marks.give(None, comment="", who=WHO)
    await globex.use.delivery.deliver(ACME)
    await acme.use.links.remove_consumer(GLOBEX, who=WHO)
    assert await acme.use.received.states_of(GLOBEX) is None
    assert await acme.use.received.marks_of(GLOBEX, first=10) == []


def test_a_fault_report_reads_back_after_redaction() -> None:
    """What was blotted out is still a report."""
    assert codec.decode(codec.encode(fault()), FaultReport) == fault()

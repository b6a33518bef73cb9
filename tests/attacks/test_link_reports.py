"""Attacks by a consumer, or in its name, on what goes upward and on the link itself.

Each is refused, and the provider keeps what it had.
"""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation import codec, limits
from federation.errors import DeniedError, InvalidValueError, StaleError, VUpdateError
from federation.fault import FaultReport, Hop
from federation.identity import NodeId
from federation.keys import PrivateKey
from federation.link.answers import PeerRefusalError
from federation.link.invitation import new_secret
from federation.link.messages import LinkEnd, LinkState, Redeem
from federation.link.rights import USUAL_RIGHTS, Right
from federation.names import InstanceName, NodeName, ServiceKey, ServiceName
from federation.report import Count, CountsReport, Installed, ReportedInstance, ReportedState, StateReport, TestedReport
from federation.state import Phase
from federation.versions import ClientVersion, DeveloperVersion
from tests.support.clock import FIXED_START
from tests.support.nodes import WHO, Member, Network, chain

GLOBEX, INITECH = NodeName("globex"), NodeName("initech")
REPORTS, TESTED = "/federation/v1/reports", "/federation/v1/tested"
FAULTS, COUNTS = "/federation/v1/faults", "/federation/v1/counts"


def installed(service: str = "shop") -> Installed:
    return Installed(service=ServiceName(service), version=DeveloperVersion("acme-1.0.0"))


def states(sequence: int = 10, service: str = "shop") -> StateReport:
    state = ReportedState(key=ServiceKey(service), phase=Phase.RUNNING, since=FIXED_START)
    instance = ReportedInstance(name=InstanceName("web-1"), at=FIXED_START, services=(state,))
    return StateReport(sequence=sequence, at=FIXED_START, installed=(installed(service),), instances=(instance,))


def mark(service: str = "shop", number: int = 1) -> TestedReport:
    return TestedReport(id=str(uuid.UUID(int=number)), at=FIXED_START, versions=(installed(service),))


def fault(of: Member, service: str = "shop") -> FaultReport:
    return FaultReport(
        id=str(uuid.UUID(int=7)),
        service=ServiceKey(service),
        version=ClientVersion("acme-1.0.0"),
        instance=InstanceName("web-1"),
        occurred=FIXED_START,
        reason="exited",
        path=(Hop(node=NodeName(of.name), id=of.key.id, received=FIXED_START),),
    )


def counts(service: str = "shop", sequence: int = 10) -> CountsReport:
    count = Count(
        kind="fault",
        service=service,
        version="acme-1.0.0",
        why="budget",
        count=3,
        first=FIXED_START,
        last=FIXED_START,
    )
    return CountsReport(sequence=sequence, at=FIXED_START, counts=(count,))


async def linked(tmp_path: Path) -> tuple[Network, Member, Member]:
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.share("others", "forum")
    return network, acme, globex


async def kept(acme: Member, consumer: NodeName = GLOBEX) -> list[Any]:
    """All that acme holds of what ``consumer`` reported."""
    use = acme.use
    return [
        await use.received.states_of(consumer),
        await use.received.counts_of(consumer),
        await use.received.marks_of(consumer, first=10),
        await use.faults.find(None, first=10),
    ]


async def refused(network: Network, of: Member, to: Member, path: str, value: object) -> VUpdateError:
    with pytest.raises(VUpdateError) as caught:
        await network.between(of, to).post(path, value if isinstance(value, bytes) else codec.encode(value))
    return caught.value


@pytest.mark.parametrize(
    ("right", "path"),
    [(Right.STATES, REPORTS), (Right.STATES, TESTED), (Right.FAULTS, FAULTS), (Right.FAULTS, COUNTS)],
)
async def test_a_report_without_the_right_to_it(tmp_path: Path, right: Right, path: str) -> None:
    """A consumer whose right was taken away leaves nothing, whatever else it may; with the right it does."""
    network, acme, globex = await linked(tmp_path)
    body = {REPORTS: states(), TESTED: mark(), FAULTS: fault(globex), COUNTS: counts()}[path]
    await acme.use.links.set_rights(GLOBEX, USUAL_RIGHTS - {right}, who=WHO)
    before = await kept(acme)
    assert (await refused(network, globex, acme, path, body)).code == "denied"
    assert await kept(acme) == before
    await acme.use.links.set_rights(GLOBEX, {right}, who=WHO)
    await network.between(globex, acme).post(path, codec.encode(body))
    assert await kept(acme) != before


@pytest.mark.parametrize("path", [REPORTS, TESTED, FAULTS])
async def test_a_report_about_another_profiles_service(tmp_path: Path, path: str) -> None:
    """A consumer says nothing of a service that it can't see, not even that it might exist."""
    network, acme, globex = await linked(tmp_path)
    body = {REPORTS: states(service="forum"), TESTED: mark("forum"), FAULTS: fault(globex, "forum")}[path]
    unknown = {REPORTS: states(service="nothing"), TESTED: mark("nothing"), FAULTS: fault(globex, "nothing")}[path]
    before = await kept(acme)
    answer = await refused(network, globex, acme, path, body)
    assert (answer.code, answer.message) == ("denied", (await refused(network, globex, acme, path, unknown)).message)
    assert await kept(acme) == before


async def test_a_report_with_a_foreign_service_among_its_own(tmp_path: Path) -> None:
    """What is of its profile is taken, the rest passed over: it is neither kept nor shown."""
    network, acme, globex = await linked(tmp_path)
    mixed = replace(states(), installed=(installed("forum"), installed("shop")))
    await network.between(globex, acme).post(REPORTS, codec.encode(mixed))
    await network.between(globex, acme).post(COUNTS, codec.encode(counts("forum")))
    found = await acme.use.received.states_of(GLOBEX)
    assert found is not None
    assert found.report.installed == (installed("shop"),)
    counted = await acme.use.received.counts_of(GLOBEX)
    assert counted is not None
    assert counted.report.counts == ()


async def test_an_older_report_played_again(tmp_path: Path) -> None:
    """A consumer's state can't be turned back: an older number changes nothing, though it is acknowledged."""
    network, acme, globex = await linked(tmp_path)
    peer = network.between(globex, acme)
    await peer.post(REPORTS, codec.encode(states(sequence=10)))
    await peer.post(COUNTS, codec.encode(counts(sequence=10)))
    before = await kept(acme)
    network.later(seconds=1)
    await peer.post(REPORTS, codec.encode(replace(states(sequence=9), installed=())))
    await peer.post(COUNTS, codec.encode(replace(counts(sequence=9), counts=())))
    assert await kept(acme) == before


async def test_a_mark_given_twice_is_one_and_cannot_be_rewritten(tmp_path: Path) -> None:
    """Whoever sends the same id with another content changes nothing of the first."""
    network, acme, globex = await linked(tmp_path)
    peer = network.between(globex, acme)
    await peer.post(TESTED, codec.encode(mark()))
    before = await kept(acme)
    await peer.post(TESTED, codec.encode(replace(mark(), comment="another")))
    assert await kept(acme) == before


async def test_marks_without_an_end_push_out_only_the_givers_own(tmp_path: Path) -> None:
    """Each consumer's marks have their own bound."""
    network, acme, globex = await linked(tmp_path)
    initech = network.add("initech")
    await network.link(acme, initech, "public")
    await network.between(initech, acme).post(TESTED, codec.encode(mark()))
    peer = network.between(globex, acme)
    for number in range(205):
        network.clock.advance(0.01)
        await peer.post(TESTED, codec.encode(mark(number=number)))
    assert len(await acme.use.received.marks_of(GLOBEX, first=1000)) == 200
    assert len(await acme.use.received.marks_of(INITECH, first=1000)) == 1


async def test_a_report_in_another_consumers_name(tmp_path: Path) -> None:
    """What a consumer sends is its own: no field of it names another, and a fault's way must end at its sender."""
    network, acme, globex = await linked(tmp_path)
    initech = network.add("initech")
    await network.link(acme, initech, "public")
    before = await kept(acme, INITECH)
    named = {**codec.to_document(states()), "consumer": str(initech.key.id), "node": "initech"}
    await network.between(globex, acme).post(REPORTS, codec.encode(named))
    assert (await refused(network, globex, acme, FAULTS, fault(initech))).code == "denied"
    assert await kept(acme, INITECH) == before
    assert await acme.use.received.states_of(GLOBEX) is not None


async def test_the_same_mark_id_of_two_consumers_is_two_marks(tmp_path: Path) -> None:
    """Nobody can take another's mark away by using its id first."""
    network, acme, globex = await linked(tmp_path)
    initech = network.add("initech")
    await network.link(acme, initech, "public")
    for member in (globex, initech):
        await network.between(member, acme).post(TESTED, codec.encode(mark()))
    assert len(await acme.use.received.marks_of(INITECH, first=10)) == 1


@pytest.mark.parametrize("path", [REPORTS, TESTED, FAULTS, COUNTS, "/federation/v1/link/end"])
async def test_a_removed_consumer_is_a_stranger(tmp_path: Path, path: str) -> None:
    """From the moment of its removal nothing it sends is taken, however well signed."""
    network, acme, globex = await linked(tmp_path)
    await acme.use.links.remove_consumer(GLOBEX, who=WHO)
    error = await refused(network, globex, acme, path, states())
    assert isinstance(error, PeerRefusalError)
    assert error.remote_code == "unknown-signer"
    with pytest.raises(DeniedError):
        await network.between(globex, acme).get("/federation/v1/link", most_bytes=limits.ENVELOPE_BYTES)
    assert await kept(acme) == [None, None, [], []]


@pytest.mark.parametrize("path", [REPORTS, TESTED, FAULTS, COUNTS])
async def test_a_body_over_the_bound(tmp_path: Path, path: str) -> None:
    """What is larger than a request may be is not even read."""
    network, acme, globex = await linked(tmp_path)
    await refused(network, globex, acme, path, b" " * (limits.REQUEST_BODY_BYTES + 1))
    assert await kept(acme) == [None, None, [], []]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (REPORTS, {"sequence": -1}),
        (REPORTS, {"sequence": 2**53}),
        (REPORTS, {"installed": [{"service": "shop", "version": "acme-1.0.0"}] * 10_001}),
        (REPORTS, {"instances": [{"name": "../x", "at": "2026-03-01T12:00:00Z", "services": []}]}),
        (REPORTS, {"at": "2026-03-01T12:00:00"}),
        (TESTED, {"id": "not a uuid"}),
        (TESTED, {"versions": []}),
        (TESTED, {"comment": "x" * 5000}),
        (COUNTS, {"counts": [{"kind": "fault", "service": "shop", "version": "acme-1.0.0", "count": 0}]}),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_report_that_cannot_be(tmp_path: Path, path: str, change: dict[str, object]) -> None:
    """Out of range, over a bound, or not of its form: it is refused as a whole."""
    network, acme, globex = await linked(tmp_path)
    whole = {REPORTS: states(), TESTED: mark(), COUNTS: counts()}[path]
    body = codec.encode({**codec.to_document(whole), **change})
    assert (await refused(network, globex, acme, path, body)).code in ("invalid-value", "too-large", "remote")
    assert await kept(acme) == [None, None, [], []]


async def test_a_stranger_that_looks_for_names(tmp_path: Path) -> None:
    """Who has no invitation learns nothing of who is linked: a taken name is answered like any other."""
    _, acme, globex = await linked(tmp_path)
    stranger = PrivateKey.generate()
    before = await acme.use.links.consumers()
    answers = set()
    for name, key in ((GLOBEX, stranger), (INITECH, stranger), (NodeName("x"), globex.key)):
        with pytest.raises(VUpdateError) as caught:
            await acme.use.links.redeem(Redeem(secret=new_secret(), node=name, key=key.public))
        answers.add((caught.value.code, caught.value.message))
    assert len(answers) == 1
    assert await acme.use.links.consumers() == before


async def test_a_farewell_for_another(tmp_path: Path) -> None:
    """A consumer ends its own link and no other, and a farewell of before the link ends none."""
    network, acme, globex = await linked(tmp_path)
    initech = network.add("initech")
    await network.link(acme, initech, "public")
    old = codec.encode(LinkEnd(at=FIXED_START.replace(year=2020)))
    await network.between(globex, acme).post("/federation/v1/link/end", old)
    assert [one.name for one in await acme.use.links.consumers()] == ["globex", "initech"]
    now = codec.encode(LinkEnd(at=network.clock.now()))
    await network.between(globex, acme).post("/federation/v1/link/end", now)
    assert [one.name for one in await acme.use.links.consumers()] == ["initech"]


async def test_a_recorded_word_of_the_link_gives_no_right_back(tmp_path: Path) -> None:
    """Whoever stands in between and plays an older signed statement again is refused, and nothing changes."""
    network, acme, globex = await linked(tmp_path)
    recorded = await acme.use.links.link_state(await acme.use.links.consumer(GLOBEX))
    network.later(seconds=5)
    await acme.use.links.set_rights(GLOBEX, {Right.TAKE}, who=WHO)
    await globex.use.links.refresh_state(NodeName("acme"))
    before = await globex.use.links.providers()
    network.tampers[("globex", "acme")] = lambda path, content: recorded if path.endswith("/link") else content
    with pytest.raises(StaleError):
        await globex.use.links.refresh_state(NodeName("acme"))
    assert await globex.use.links.providers() == before


async def test_a_forged_word_of_the_link(tmp_path: Path) -> None:
    """Another key's statement moves no profile, no right and no address."""
    network, acme, globex = await linked(tmp_path)
    before = await globex.use.links.providers()
    forged = LinkState(
        provider=NodeName("acme"),
        consumer=NodeId(globex.key.id),
        profile=before[0].profile,
        rights=frozenset(),
        url="http://evil.test:1",
        root="",
        revision=limits.SERIAL,
        issued=network.clock.now(),
    ).sign(PrivateKey.generate())
    network.tampers[("globex", "acme")] = lambda path, content: forged if path.endswith("/link") else content
    with pytest.raises(VUpdateError) as caught:
        await globex.use.links.refresh_state(NodeName("acme"))
    assert caught.value.code == "tampered"
    assert await globex.use.links.providers() == before
    assert acme.url == before[0].url


def test_a_sequence_is_checked_where_it_is_made() -> None:
    """No value of the program itself can be out of range either."""
    with pytest.raises(InvalidValueError):
        states(sequence=-1)

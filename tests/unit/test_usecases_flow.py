"""What flows between nodes by itself: client versions, updates as deltas, fault reports on their way up."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from federation import codec
from federation.assignment import Assignment
from federation.errors import InvalidValueError, OversizedError
from federation.fault import FaultReport
from federation.names import InstanceName, NodeName, ServiceKey, ServiceName
from federation.profile import SELF
from federation.run import RunHistory, RunSummary
from federation.versions import ClientVersion
from node.model.desired import ListKind
from node.model.following import Reason
from node.model.task import TaskState
from node.model.version import SiteSettings
from node.usecases.changes import Topic
from tests.support.clock import FIXED_START
from tests.support.limited import files_up_to
from tests.support.nodes import WHO, Member, chain

SHOP = ServiceName("shop")
SERVICE_FILE = b'[services.shop.run]\ncommand = ["./run"]\n'
FILES = {
    "vupdate.toml": SERVICE_FILE,
    "run": b"#!/bin/sh\n",
    "words.txt": b"".join(b"%d words\n" % n for n in range(3000)),
}


@contextlib.asynccontextmanager
async def loops(*members: Member) -> AsyncIterator[None]:
    """The background loops of ``members``, as a running node has them; streams are replaced by asking."""
    async with contextlib.AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        running = []
        for member in members:
            await stack.enter_async_context(member.use.tasks.running())
            running.append(group.create_task(member.use.adaptation.run()))
            running.append(group.create_task(member.use.delivery.run()))
        yield
        for one in running:
            one.cancel()


async def until_client(member: Member, version: str) -> None:
    async with asyncio.timeout(10), member.use.changes.subscribe(frozenset({Topic.DESIRED, Topic.TASKS})) as changes:
        while (await member.use.desired.current(ListKind.CLIENT)).versions.get(SHOP) != version:
            await anext(changes)


async def test_an_update_moves_a_small_part_and_says_so(tmp_path: Path) -> None:
    """The second version moves as a delta of the first, and the transfer tells both figures."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    async with network.running():
        for number, changed in (("0", b""), ("1", b"one line more\n")):
            await acme.develop("shop", f"acme-1.0.{number}", {**FILES, "words.txt": FILES["words.txt"] + changed})
            await globex.update_from("acme")
            await initech.update_from("globex")
            network.later(seconds=1)
    for member in (globex, initech):
        newest, first = await member.use.transfers.newest(first=10)
        assert (first.base, newest.base) == (None, "acme-1.0.0")
        assert first.moved_bytes == first.full_bytes
        assert newest.moved_bytes < newest.full_bytes * 0.1


async def test_an_update_onto_a_full_disk_changes_nothing_and_works_once_there_is_room(tmp_path: Path) -> None:
    """The task says that the disk is full; no version is named that is not here whole."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    noise = random.Random(1).randbytes(300_000)
    await acme.develop("shop", "acme-1.0.0", {**FILES, "noise.bin": noise})
    async with network.running():
        with files_up_to(100_000):
            failed = await globex.update_from("acme")
        assert failed.state is TaskState.FAILED
        assert "no room" in failed.error
        assert await globex.desired() == {}
        assert await globex.use.versions.find(ListKind.DEVELOPER, SHOP, first=10) == []
        assert (await globex.update_from("acme")).state is TaskState.SUCCEEDED
    assert await globex.desired() == {"shop": "acme-1.0.0"}


async def test_a_desired_developer_version_is_adapted_by_itself_and_assigned(tmp_path: Path) -> None:
    """globex makes its client version without a command, signed by globex, and its agent is told of it."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    key = await network.attach(globex, "host-1")
    async with loops(globex):
        assert (await globex.update_from("acme")).state is TaskState.SUCCEEDED
        await until_client(globex, "acme-1.0.0")
        agent = network.agent_of(globex, key)
        content = await agent.get("/agent/v1/assignment", most_bytes=10**6)
        assignment = Assignment.read(content, node=globex.key.public, reader=key.id)
        (assigned,) = assignment.services
        manifest = await agent.get(f"/agent/v1/manifests/{assigned.manifest}", most_bytes=10**6)
    made = await globex.use.versions.get(ListKind.CLIENT, SHOP, "acme-1.0.0")
    assert made.envelope == manifest
    assert made.signed.manifest.maker.key == globex.key.public
    base = await globex.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.0")
    assert made.signed.manifest.base == base.manifest


async def test_changed_settings_make_the_next_client_version_and_unchanged_ones_none(tmp_path: Path) -> None:
    """acme-1.0.0, then acme-1.0.0_1 after a change of a macro, and the same again without a change."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with loops(globex):
        await globex.update_from("acme")
        await until_client(globex, "acme-1.0.0")
        await globex.use.services.set_site(SiteSettings(service=SHOP, macros={"town": "Springfield"}), who=WHO)
        await until_client(globex, "acme-1.0.0_1")
        again = await globex.use.tasks.wait((await globex.use.client_builds.start(SHOP, who=WHO)).id)
    assert again.result == "acme-1.0.0_1"
    kept = await globex.use.versions.find(ListKind.CLIENT, SHOP, first=10)
    assert sorted(one.version for one in kept) == ["acme-1.0.0", "acme-1.0.0_1"]


async def test_a_node_adapts_what_it_develops_only_when_it_also_runs_it(tmp_path: Path) -> None:
    """A service of the profile `self` gets a client version at its developer, others none."""
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    await acme.develop("shop", "acme-1.0.0", FILES)
    await acme.share(SELF, "shop")
    await acme.develop("other", "acme-1.0.0", {"vupdate.toml": SERVICE_FILE.replace(b"shop", b"other")})
    async with loops(acme):
        await until_client(acme, "acme-1.0.0")
    assert (await acme.use.desired.current(ListKind.CLIENT)).versions == {"shop": "acme-1.0.0"}


async def test_a_failed_client_build_is_tried_again_when_its_inputs_change(tmp_path: Path) -> None:
    """A settings repository that is not there fails the build; repaired settings make the version."""
    from node.model.version import GitSource

    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    wrong = GitSource(name="settings", url=str(tmp_path / "nowhere"))
    await globex.use.services.set_site(SiteSettings(service=SHOP, overlays=(wrong,)), who=WHO)
    async with loops(globex):
        async with globex.use.changes.subscribe(frozenset({Topic.TASKS})) as changes:
            await globex.update_from("acme")
            async with asyncio.timeout(20):
                while not any(one.state is TaskState.FAILED for one in await globex.use.tasks.find(10)):
                    await anext(changes)
        await globex.use.services.set_site(SiteSettings(service=SHOP), who=WHO)
        await until_client(globex, "acme-1.0.0")


def report() -> FaultReport:
    return FaultReport(
        id=str(uuid.UUID(int=7, version=4)),
        service=ServiceKey("shop"),
        version=ClientVersion("acme-1.0.0"),
        instance=InstanceName("host-1"),
        occurred=FIXED_START,
        reason="exited",
        exit_status=3,
    )


async def test_an_agent_tells_of_its_runs(tmp_path: Path) -> None:
    """What it tells of a service replaces what it told before, and is its own instance's; the newest come first."""
    (member,) = (network := await chain(tmp_path, "acme")).members.values()
    one, two = [network.agent_of(member, await network.attach(member, name)) for name in ("host-1", "host-2")]
    async with network.running():
        for names in (["1-a"], ["1-a", "2-b"]):
            runs = tuple(
                RunSummary(run=name, version=ClientVersion("acme-1.0.0"), started=FIXED_START) for name in names
            )
            await one.post("/agent/v1/runs", codec.encode(RunHistory(service=ServiceKey("shop"), runs=runs)))
        await two.post("/agent/v1/runs", codec.encode(RunHistory(service=ServiceKey("shop"), runs=())))
    assert [one.run for one in await member.use.runs.of(InstanceName("host-1"), ServiceKey("shop"))] == ["2-b", "1-a"]
    for host, service in (("host-2", "shop"), ("host-1", "shop:worker")):
        assert await member.use.runs.of(InstanceName(host), ServiceKey(service)) == ()


@pytest.mark.parametrize("lie", [{"status": 2**31}, {"lost_lines": -1}, {"error": "x" * 3000}])
def test_a_run_that_no_query_could_show_is_refused(lie: dict[str, Any]) -> None:
    """An agent that lies must not break the list that operators look at."""
    with pytest.raises((InvalidValueError, OversizedError)):
        RunSummary(run="1-a", version=ClientVersion("acme-1.0.0"), started=FIXED_START, **lie)


async def until_fault(member: Member) -> FaultReport:
    async with asyncio.timeout(10), member.use.changes.subscribe(frozenset({Topic.FAULTS})) as changes:
        while not (found := await member.use.faults.find(None, first=1)):
            await anext(changes)
    return found[0].report


async def test_a_fault_report_travels_to_the_origin_and_names_its_way(tmp_path: Path) -> None:
    """From an agent of initech by globex to acme, once, though the agent sent it twice."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with loops(acme, globex, initech):
        await globex.update_from("acme")
        await initech.update_from("globex")
        agent = network.agent_of(initech, await network.attach(initech, "host-1"))
        for _ in range(2):
            await agent.post("/agent/v1/faults", codec.encode(report()))
        arrived = await until_fault(acme)
    assert [hop.node for hop in arrived.path] == ["initech", "globex", "acme"]
    for member in (initech, globex, acme):
        assert len(await member.use.faults.find(None, first=10)) == 1
    forwarded = (await initech.use.faults.find(None, first=1))[0]
    assert forwarded.forward_to == "globex"
    assert forwarded.forwarded is not None


async def test_a_report_waits_while_the_provider_is_away(tmp_path: Path) -> None:
    """Nothing is lost: it is delivered after the provider is back, by the next look of the outbox."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await globex.update_from("acme")
    agent = network.agent_of(globex, await network.attach(globex, "host-1"))
    acme.away = True
    async with loops(globex):
        await agent.post("/agent/v1/faults", codec.encode(report()))

        async def tried() -> bool:
            return (await globex.use.outbox.checkpoint(NodeName("acme"))).failures > 0

        async with asyncio.timeout(10):
            while not await tried():
                await asyncio.sleep(0.01)
        assert await acme.use.faults.find(None, first=10) == []
        acme.away = False
        network.later(hours=1)
        globex.use.changes.publish(Topic.LINKS, "acme")
        arrived = await until_fault(acme)
    assert arrived.exit_status == 3


async def test_two_nodes_that_share_with_each_other_settle(tmp_path: Path) -> None:
    """What comes back from a consumer bears the mark of its way, so nothing goes round."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await network.link(globex, acme, "public")
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await globex.update_from("acme")
        await acme.update_from("globex")
    assert (await acme.verdict("shop", "globex")).reason is Reason.CIRCLE
    assert (await acme.use.desired.current(ListKind.DEVELOPER)).number == 1


@pytest.mark.parametrize("name", ["globex", "initech"])
async def test_a_consumer_may_not_take_the_name_of_another(tmp_path: Path, name: str) -> None:
    """A second node called like a linked one is refused; the link of the first stays."""
    from federation.errors import VUpdateError
    from federation.keys import PrivateKey
    from federation.link.messages import Redeem
    from federation.names import ProfileName

    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    invitation = await acme.use.links.invite(ProfileName("public"), who=WHO)
    key = PrivateKey.generate()
    impostor = network.peer("impostor", acme.url, acme.key.public, key)
    body = codec.encode(Redeem(secret=invitation.secret, node=NodeName(name), key=key.public))
    if name == "globex":
        with pytest.raises(VUpdateError, match="called globex"):
            await impostor.post("/federation/v1/links", body)
    else:
        await impostor.post("/federation/v1/links", body)
    linked = {one.name: one.key for one in await acme.use.links.consumers()}
    assert linked[NodeName("globex")] == globex.key.public

"""A service that moves from one instance to another never runs on both."""

import asyncio
from pathlib import Path

import pytest

from federation.assignment import Assignment
from federation.errors import AbsentError, ConflictError
from federation.keys import PrivateKey
from federation.names import InstanceName, ServiceKey
from federation.state import InstanceState, Phase, ServiceState
from node.usecases.changes import Topic
from tests.support.nodes import Member, Network, chain
from tests.unit.test_usecases_flow import FILES, loops, until_client

SHOP = ServiceKey("shop")
ONE, TWO = InstanceName("web-1"), InstanceName("web-2")
WHO = "ann"


async def placed(tmp_path: Path) -> tuple[Network, Member, dict[InstanceName, PrivateKey]]:
    """A node with a client version of shop, and two instances of which the first is to run it."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    keys = {name: await network.attach(globex, name) for name in (ONE, TWO)}
    async with loops(globex):
        await globex.update_from("acme")
        await until_client(globex, "acme-1.0.0")
    await globex.use.instances.assign(ONE, (SHOP,), who=WHO)
    await globex.use.instances.assign(TWO, (), who=WHO)
    return network, globex, keys


async def ordered(network: Network, member: Member, key: PrivateKey) -> list[ServiceKey]:
    content = await network.agent_of(member, key).get("/agent/v1/assignment", most_bytes=10**6)
    return [one.key for one in Assignment.read(content, node=member.key.public, reader=key.id).services]


async def told(
    network: Network,
    member: Member,
    name: InstanceName,
    *running: ServiceKey,
    fixed: tuple[ServiceKey, ...] | None = None,
) -> None:
    """The agent of ``name`` says what it has, later than all that it said before."""
    network.later(seconds=1)
    now = member.clock.now()
    states = tuple(ServiceState(key=key, phase=Phase.RUNNING, since=now) for key in running)
    await member.use.instances.report(name, InstanceState(at=now, revision=1, services=states, fixed=fixed))


async def test_it_begins_there_once_it_has_ended_here(tmp_path: Path) -> None:
    """The target is told of the service only when the source's agent no longer names it."""
    network, globex, keys = await placed(tmp_path)
    await told(network, globex, ONE, SHOP)
    await globex.use.instances.move(SHOP, source=ONE, target=TWO, at_once=False, who=WHO)
    assert await ordered(network, globex, keys[ONE]) == []
    assert await ordered(network, globex, keys[TWO]) == []
    await told(network, globex, ONE, SHOP)
    assert await ordered(network, globex, keys[TWO]) == [], "it still runs on the first"
    await told(network, globex, ONE)
    assert await ordered(network, globex, keys[TWO]) == [SHOP]
    assert (await globex.use.instances.get(ONE)).leaving == ()
    assert (await globex.use.instances.get(TWO)).awaits == ()


async def test_who_does_not_wait_says_so(tmp_path: Path) -> None:
    """With at_once the target begins whatever the source does, also where a move waits for one that is gone."""
    network, globex, keys = await placed(tmp_path)
    await told(network, globex, ONE, SHOP)
    await globex.use.instances.move(SHOP, source=ONE, target=TWO, at_once=False, who=WHO)
    assert await ordered(network, globex, keys[TWO]) == []
    await globex.use.instances.move(SHOP, source=ONE, target=TWO, at_once=True, who=WHO)
    assert await ordered(network, globex, keys[TWO]) == [SHOP]


async def test_it_can_be_called_back(tmp_path: Path) -> None:
    """A service on its way that is moved back goes on where it was, and the other no longer waits for it."""
    network, globex, keys = await placed(tmp_path)
    await told(network, globex, ONE, SHOP)
    await globex.use.instances.move(SHOP, source=ONE, target=TWO, at_once=False, who=WHO)
    await globex.use.instances.assign(ONE, (SHOP,), who=WHO)
    await globex.use.instances.assign(TWO, (), who=WHO)
    await told(network, globex, ONE)
    assert await ordered(network, globex, keys[ONE]) == [SHOP]
    assert await ordered(network, globex, keys[TWO]) == []


async def test_an_interrupted_move_is_asked_for_again(tmp_path: Path) -> None:
    """Where only the target was changed, the service still runs where it was, and asking again completes it."""
    network, globex, keys = await placed(tmp_path)
    await told(network, globex, ONE, SHOP)
    before = await globex.use.instances.get(ONE)
    await globex.use.instances.move(SHOP, source=ONE, target=TWO, at_once=False, who=WHO)
    await globex.use.instances._kept.change(ONE, lambda _: before)
    assert await ordered(network, globex, keys[ONE]) == [SHOP]
    assert await ordered(network, globex, keys[TWO]) == []
    await globex.use.instances.move(SHOP, source=ONE, target=TWO, at_once=False, who=WHO)
    await told(network, globex, ONE)
    assert await ordered(network, globex, keys[TWO]) == [SHOP]


async def test_what_can_not_be_moved_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    """To itself, of what is not there, to who has it already, and of instances that run all that is desired."""
    _, globex, _ = await placed(tmp_path)
    instances = globex.use.instances
    with pytest.raises(ConflictError, match="already"):
        await instances.move(SHOP, source=ONE, target=ONE, at_once=False, who=WHO)
    with pytest.raises(AbsentError, match="not to run"):
        await instances.move(SHOP, source=TWO, target=ONE, at_once=False, who=WHO)
    await instances.assign(TWO, None, who=WHO)
    before = await instances.all()
    with pytest.raises(ConflictError, match="all that is desired"):
        await instances.move(SHOP, source=ONE, target=TWO, at_once=False, who=WHO)
    assert await instances.all() == before


async def test_an_agents_own_file_narrows_what_it_is_to_run(tmp_path: Path) -> None:
    """Of all that is desired it gets what its file names; of a list, what is on both; an agent can't ask for more."""
    network, globex, keys = await placed(tmp_path)
    worker = ServiceKey("shop:worker")
    instances = globex.use.instances
    await instances.assign(ONE, None, who=WHO)
    await told(network, globex, ONE, fixed=(worker,))
    assert await ordered(network, globex, keys[ONE]) == [worker]
    await instances.assign(ONE, (worker,), who=WHO)
    await told(network, globex, ONE, fixed=(SHOP, worker))
    assert await ordered(network, globex, keys[ONE]) == [worker]
    await told(network, globex, ONE, fixed=())
    assert await ordered(network, globex, keys[ONE]) == []
    await told(network, globex, ONE)
    assert await ordered(network, globex, keys[ONE]) == [worker]


async def test_what_an_agents_own_file_forbids_is_refused_at_once(tmp_path: Path) -> None:
    """Neither assigned nor moved there: it would wait for ever."""
    network, globex, _ = await placed(tmp_path)
    await told(network, globex, TWO, fixed=(ServiceKey("mail"),))
    with pytest.raises(ConflictError, match=r"web-2 may not run shop: 'services' in its agent\.toml says so"):
        await globex.use.instances.assign(TWO, (SHOP,), who=WHO)
    with pytest.raises(ConflictError, match="web-2 may not run shop"):
        await globex.use.instances.move(SHOP, source=ONE, target=TWO, at_once=False, who=WHO)
    assert (await globex.use.instances.get(ONE)).services == (SHOP,)


async def test_agents_hear_of_what_their_file_changed(tmp_path: Path) -> None:
    """An agent that says what its file allows is told to ask for its assignment again."""
    network, globex, _ = await placed(tmp_path)
    await globex.use.instances.assign(ONE, None, who=WHO)
    async with globex.use.changes.subscribe(frozenset({Topic.DESIRED})) as changes:
        await told(network, globex, ONE, fixed=(SHOP,))
        async with asyncio.timeout(5):
            await anext(changes)

"""A node changes its key, and all who know it follow: its consumers, theirs, its providers and its agents."""

import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from agent.home import Attached, Home
from agent.trust import NodeTrust
from federation import codec
from federation.assignment import Assignment
from federation.errors import DeniedError, TamperedError
from federation.fault import FaultReport
from federation.keychange import AGENT_PATH, INTRODUCTION_PATH, KeyIntroduction, follow, from_document
from federation.keys import PrivateKey
from federation.link.answers import PeerRefusalError
from federation.link.identity_proof import IdentityProof, new_nonce
from federation.names import InstanceName, NodeName, ServiceKey, ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import ListKind
from node.model.task import TaskState
from tests.support.clock import FIXED_START
from tests.support.keys import THIEF, key_change
from tests.support.nodes import WHO, Member, chain

FILES = {"app.py": b"print('hello')\n" * 50}
ACME, GLOBEX, INITECH = map(NodeName, ("acme", "globex", "initech"))
SHOP = ServiceName("shop")


def report() -> FaultReport:
    return FaultReport(
        id=str(uuid.UUID(int=7, version=4)),
        service=ServiceKey("shop"),
        version=ClientVersion("acme-1.0.0"),
        instance=InstanceName("web-1"),
        occurred=FIXED_START,
        reason="exited",
        exit_status=3,
    )


async def pinned(member: Member, node: NodeName) -> object:
    pin = await member.use.pins.get(node)
    return None if pin is None else pin.key


async def bears(member: Member, version: str, key: PrivateKey) -> bool:
    found = await member.use.versions.get(ListKind.DEVELOPER, SHOP, version)
    return found.signed.bears(key.public)


async def took(member: Member, provider: str) -> None:
    task = await member.update_from(provider)
    assert task.state is TaskState.SUCCEEDED, task.error


async def test_two_hops_follow_a_new_key_of_the_origin(tmp_path: Path) -> None:
    """globex follows acme's word, initech acme's word as globex passes it on; old versions go on travelling."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await took(globex, "acme")
        await took(initech, "globex")
    made = await initech.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.0")

    acme = await network.rotate("acme")
    assert acme.key.public != made.signed.manifest.maker.key
    async with network.running():
        await globex.use.updates.check(ACME)
        await initech.use.updates.check(GLOBEX)
        for member in (globex, initech):
            assert await pinned(member, ACME) == acme.key.public
            assert await bears(member, "acme-1.0.0", acme.key), "signed again, so that it can be passed on"
            assert await member.alarms() == {}
        assert (await globex.provider("acme")).key == acme.key.public
        again = await initech.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.0")
        assert (again.manifest, again.image) == (made.manifest, made.image)

        network.later(seconds=1)
        await acme.develop("shop", "acme-1.0.1", {"app.py": b"print('new')\n"})
        await took(globex, "acme")
        await took(initech, "globex")
    assert await initech.desired() == {"shop": "acme-1.0.1"}
    audited = [entry.detail for entry in await initech.use.audit.find(first=100) if entry.action == "key-changed"]
    assert len(audited) == 1
    assert str(acme.key.id) in audited[0]


async def test_a_newcomer_takes_what_the_old_key_made(tmp_path: Path) -> None:
    """Who has never seen the origin pins its newest key, through an old manifest and the statements beside it."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await took(globex, "acme")
    acme = await network.rotate("acme")
    initech = network.add("initech")
    async with network.running():
        await globex.use.updates.check(ACME)
        await network.link(globex, initech, "public")
        await took(initech, "globex")
    assert await pinned(initech, ACME) == acme.key.public
    assert await initech.desired() == {"shop": "acme-1.0.0"}
    assert await initech.alarms() == {}


async def test_several_changes_are_followed_at_once(tmp_path: Path) -> None:
    """A consumer that was away for two changes, the second after a restart in between."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await took(globex, "acme")
    await network.rotate("acme")
    network.later(days=1)
    acme = await network.rotate("acme")
    await acme.develop("shop", "acme-1.0.1", {"app.py": b"print('new')\n"})
    async with network.running():
        await took(globex, "acme")
    assert await pinned(globex, ACME) == acme.key.public
    assert (await globex.provider("acme")).key == acme.key.public
    assert await globex.desired() == {"shop": "acme-1.0.1"}


async def test_a_withdrawal_outlives_the_key_that_signed_it(tmp_path: Path) -> None:
    """It is said again by the new key, so that nobody takes the version up again."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await took(globex, "acme")
        await acme.use.withdrawals.yank(SHOP, DeveloperVersion("acme-1.0.0"), reason="loses data", who=WHO)
    await network.rotate("acme")
    async with network.running():
        await globex.use.updates.check(ACME)
    found = await globex.use.withdrawals.find(SHOP, DeveloperVersion("acme-1.0.0"))
    assert found is not None
    assert found.reason == "loses data"


async def test_a_provider_knows_a_consumer_by_its_new_key(tmp_path: Path) -> None:
    """The consumer introduces itself before it asks; the link, its rights and its profile stay."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    before = await acme.use.links.consumer(GLOBEX)
    await acme.develop("shop", "acme-1.0.0", FILES)
    old = globex.key
    globex = await network.rotate("globex")
    async with network.running():
        await took(globex, "acme")
    after = await acme.use.links.consumer(GLOBEX)
    assert (after.key, after.profile, after.rights) == (globex.key.public, before.profile, before.rights)
    assert after.former == (old.id,)
    (detail,) = [entry.detail for entry in await acme.use.audit.find(first=100) if entry.action == "link-key-changed"]
    assert detail == f"consumer globex: from {old.id} to {globex.key.id}, by a statement of the old key"
    peer = network.peer("globex", acme.url, acme.key.public, old)
    with pytest.raises(DeniedError):
        await peer.get("/catalogs/public/metadata/timestamp.json", most_bytes=100_000)


async def test_what_a_consumer_wrote_under_its_old_key_is_taken_after_the_change(tmp_path: Path) -> None:
    """A fault report that waited while the provider was away names the old id as its last hop."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await took(globex, "acme")
    acme.away = True
    await globex.use.faults.from_agent(InstanceName("web-1"), report())
    (written,) = await globex.use.faults.find(None, first=10)
    globex = await network.rotate("globex")
    acme.away = False
    async with network.running():
        await globex.use.updates.check(ACME)
    consumer = await acme.use.links.consumer(GLOBEX)
    assert written.report.path[-1].id != consumer.id
    await acme.use.faults.from_consumer(consumer, written.report)
    assert len(await acme.use.faults.find(None, first=10)) == 1
    stranger = replace(written.report.path[-1], id=THIEF.id)
    with pytest.raises(DeniedError):
        await acme.use.faults.from_consumer(consumer, replace(written.report, path=(stranger,)))


async def test_both_ends_of_a_link_change_their_keys(tmp_path: Path) -> None:
    """While neither hears of the other."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    await network.rotate("acme")
    await network.rotate("globex")
    acme, globex = network.members.values()
    async with network.running():
        await took(globex, "acme")
    assert (await globex.provider("acme")).key == acme.key.public
    assert (await acme.use.links.consumer(GLOBEX)).key == globex.key.public


async def test_an_agent_follows_its_node(tmp_path: Path) -> None:
    """It asks under the node's old id, believes the chain, and holds the new key durably."""
    network = await chain(tmp_path / "net", "acme")
    (acme,) = network.members.values()
    agent = await network.attach(acme, "web-1")
    old = acme.key.public
    acme = await network.rotate("acme")
    peer = network.peer("agent", acme.url, old, agent)
    content = await peer.get("/agent/v1/assignment", most_bytes=100_000)
    with pytest.raises(TamperedError):
        Assignment.read(content, node=old, reader=agent.id)

    home = Home.at(tmp_path / "home")
    attached = Attached(url=acme.url, node=ACME, node_key=old, instance=InstanceName("web-1"))
    home.root.mkdir()
    home.attach(attached)
    trust = NodeTrust(home, attached)
    document = await peer.get(AGENT_PATH, most_bytes=100_000)
    assert await trust.follow(document)
    assert trust.key == home.attached().node_key == acme.key.public
    Assignment.read(content, node=trust.key, reader=agent.id)
    assert not await trust.follow(document), "a second time there is nothing new"


async def test_a_proof_of_identity_is_read_by_one_who_knows_the_old_key(tmp_path: Path) -> None:
    """A TLS connection to a node is pinned by its key: the proof brings the statements that lead to the new one."""
    network = await chain(tmp_path, "acme")
    old = network.members["acme"].key.public
    acme = await network.rotate("acme")
    nonce = new_nonce()
    content = acme.use.proofs.prove(nonce)
    assert IdentityProof.read(content, key=old, nonce=nonce).key == acme.key.public
    with pytest.raises(TamperedError, match="none of the 1 key changes"):
        IdentityProof.read(content, key=THIEF.public, nonce=nonce)
    with pytest.raises(TamperedError, match="another question"):
        IdentityProof.read(content, key=old, nonce=new_nonce())


async def test_a_node_that_never_changed_its_key_says_so(tmp_path: Path) -> None:
    """Its agents get an empty chain, its catalogues name no change, it introduces itself to nobody."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    agent = await network.attach(acme, "web-1")
    assert from_document(await network.agent_of(acme, agent).get(AGENT_PATH, most_bytes=1000)) == ()
    assert acme.use.key_changes.introduction is None
    async with network.running():
        await globex.use.updates.check(ACME)
    seen = (await globex.provider("acme")).catalog
    assert seen is not None
    assert seen.listing.key_changes == ()


async def test_versions_are_signed_again_once(tmp_path: Path) -> None:
    """All that the node made, and nothing that it took; what was broken off goes on at the next start."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        await took(globex, "acme")
    await globex.develop("till", "globex-1.0.0", FILES)
    globex = await network.rotate("globex")
    assert await globex.use.key_changes.countersign() == 0
    own = await globex.use.versions.get(ListKind.DEVELOPER, ServiceName("till"), "globex-1.0.0")
    assert own.signed.bears(globex.key.public)
    assert not await bears(globex, "acme-1.0.0", globex.key)


# Introductions that are refused.


@pytest.mark.parametrize("case", ["no statement", "new key alone", "a stranger's name", "another's chain"])
async def test_an_introduction_without_the_old_keys_word_is_refused(tmp_path: Path, case: str) -> None:
    """The consumer stays known by its key, and whoever tried is told nothing."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    shown = {
        "no statement": (GLOBEX, ()),
        "new key alone": (GLOBEX, (key_change(PrivateKey(b"x" * 32), THIEF, node=GLOBEX),)),
        "a stranger's name": (INITECH, (key_change(globex.key, THIEF, node=INITECH),)),
        "another's chain": (GLOBEX, (key_change(globex.key, THIEF, node=INITECH),)),
    }
    name, changes = shown[case]
    before = await acme.use.links.consumers()
    peer = network.peer("evil", acme.url, acme.key.public, THIEF)
    with pytest.raises(PeerRefusalError) as caught:
        await peer.post(INTRODUCTION_PATH, codec.encode(KeyIntroduction(node=name, key=THIEF.public, changes=changes)))
    assert caught.value.remote_code in ("unknown-signer", "origin-key-changed", "tampered")
    assert await acme.use.links.consumers() == before
    with pytest.raises(DeniedError):
        await peer.get("/catalogs/public/metadata/timestamp.json", most_bytes=100_000)


async def test_an_introduction_is_signed_by_the_key_that_it_brings(tmp_path: Path) -> None:
    """Whoever only got hold of a statement can't have it take effect in another's place."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    before = await acme.use.links.consumers()
    new = PrivateKey.generate()
    changes = (key_change(globex.key, new, node=GLOBEX),)
    assert follow(globex.key.public, new.public, changes, GLOBEX)
    peer = network.peer("evil", acme.url, acme.key.public, THIEF)
    with pytest.raises(DeniedError):
        await peer.post(INTRODUCTION_PATH, codec.encode(KeyIntroduction(node=GLOBEX, key=new.public, changes=changes)))
    assert await acme.use.links.consumers() == before

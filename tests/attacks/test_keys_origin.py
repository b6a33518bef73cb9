"""Stories of a provider in the middle who would speak in the origin's name, and of a thief who has its old key."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from federation import codec
from federation.envelope import Envelope
from federation.keychange import PAYLOAD_TYPE, KeyChange
from federation.keys import PrivateKey
from federation.names import NodeName
from node.graphql.schema import schema
from node.model.account import Role
from node.model.desired import ListKind
from node.model.peer import Pin
from node.model.task import TaskState
from tests.support.cli import shell
from tests.support.graphql_server import running
from tests.support.graphql_usecases import context
from tests.support.keys import ACME, THIEF, key_change
from tests.support.nodes import Member, Network, chain

FILES = {"app.py": b"print('hello')\n" * 50}
BAD = {"app.py": b"print('evil')\n"}
EVIL = NodeName("evil")
ALARM = "origin-key-changed/acme through evil"


@dataclass
class Scene:
    """acme → evil → initech; initech runs acme-1.0.0, and acme's first key is stolen."""

    network: Network
    stolen: PrivateKey

    @property
    def acme(self) -> Member:
        return self.network.members["acme"]

    @property
    def evil(self) -> Member:
        return self.network.members["evil"]

    @property
    def initech(self) -> Member:
        return self.network.members["initech"]

    async def acme_changes_key(self) -> None:
        """And initech hears of it."""
        await self.network.rotate("acme")
        await self.evil.use.updates.check(ACME)
        await self.initech.use.updates.check(EVIL)
        pin = await self.initech.use.pins.get(ACME)
        assert pin is not None
        assert pin.key == self.acme.key.public
        assert await self.initech.alarms() == {}

    async def evil_offers(self, key: PrivateKey, changes: Sequence[bytes], *, ago: timedelta = timedelta(0)) -> None:
        """evil offers a version of its own in acme's name, made by ``key``, and shows ``changes`` as acme's."""
        evil, signer = self.evil, self.evil.key
        await evil.use.pins._kept.put(
            Pin(node=ACME, key=key.public, seen=self.network.clock.now(), changes=tuple(changes))
        )
        clock = evil.clock
        evil.name, evil.key, evil.clock = "acme", key, _Past(clock.now() - ago)  # type: ignore[assignment]  # only asked for the time
        try:
            await evil.develop("shop", "acme-1.0.1", BAD)
        finally:
            evil.name, evil.key, evil.clock = "evil", signer, clock

    async def initech_refuses(self) -> str:
        """initech's update fails and changes nothing; the alarm's words."""
        before = await _state(self.initech)
        task = await self.initech.update_from("evil")
        assert task.state is TaskState.FAILED
        assert await _state(self.initech) == before
        (alarm,) = [one for one in await self.initech.use.alarms.open() if one.id == ALARM]
        return alarm.message


@dataclass
class _Past:
    """A clock that says what a liar wants."""

    at: object

    def now(self) -> object:
        return self.at


async def _state(member: Member) -> tuple[object, ...]:
    versions = await member.use.versions.find(ListKind.DEVELOPER, None, first=100)
    blobs = sorted(path.name for path in (member.folder / "blobs").rglob("*.zst"))
    pins = [(pin.node, pin.key, pin.changes, pin.awaited) for pin in await member.use.pins.all()]
    return await member.desired(), [(one.version, one.envelope) for one in versions], blobs, pins


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    """All went well so far."""
    network = await chain(tmp_path, "acme", "evil", "initech")
    scene = Scene(network, network.members["acme"].key)
    await scene.acme.develop("shop", "acme-1.0.0", FILES)
    async with network.running():
        for member, provider in ((scene.evil, "acme"), (scene.initech, "evil")):
            assert (await member.update_from(provider)).state is TaskState.SUCCEEDED
    network.later(days=1)
    return scene


async def test_a_new_key_without_a_statement(scene: Scene) -> None:
    """The old key's word is missing: the alarm names both keys, and who showed the new one."""
    await scene.evil_offers(THIEF, [])
    async with scene.network.running():
        told = await scene.initech_refuses()
    for text in (scene.acme.key.id, THIEF.id, "shown by evil", "no statement by the old key"):
        assert text in told


async def test_a_statement_by_the_new_key_alone(scene: Scene) -> None:
    """Whoever has a new key can sign for it; the old one's signature can't be made up."""
    now = scene.network.clock.now()
    value = KeyChange(node=ACME, old=scene.acme.key.public, new=THIEF.public, at=now, number=1)
    alone = Envelope.signed(PAYLOAD_TYPE, codec.encode(value), THIEF)
    twice = replace(alone, signatures=alone.signatures * 2)
    for envelope in (alone, twice):
        await scene.evil_offers(THIEF, [envelope.to_bytes()])
        async with scene.network.running():
            await scene.initech_refuses()


async def test_a_statement_that_another_node_made(scene: Scene) -> None:
    """evil's own change of its own key says nothing of acme's."""
    await scene.evil_offers(THIEF, [key_change(scene.evil.key, THIEF, node=EVIL)])
    async with scene.network.running():
        await scene.initech_refuses()


async def test_a_forked_chain(scene: Scene) -> None:
    """The thief makes a second statement by the stolen key: both branches are refused, and named."""
    await scene.acme_changes_key()
    true_change = tuple(await scene.acme.use.key_changes.envelopes(ACME))
    false_change = key_change(scene.stolen, THIEF, at=scene.network.clock.now())
    for shown in ([false_change], [*true_change, false_change]):
        await scene.evil_offers(THIEF, shown)
        async with scene.network.running():
            told = await scene.initech_refuses()
        assert "two different statements" in told
        assert scene.acme.key.id.short in told
        assert THIEF.id.short in told


async def test_an_old_chain_played_again(scene: Scene) -> None:
    """After a second change the first one alone would lead back to a key that was given up: it leads nowhere."""
    await scene.acme_changes_key()
    second, old_chain = scene.acme.key, await scene.acme.use.key_changes.envelopes(ACME)
    scene.network.later(days=1)
    await scene.acme_changes_key()
    await scene.evil_offers(second, old_chain)
    async with scene.network.running():
        told = await scene.initech_refuses()
    assert "given up on" in told


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=400)])
async def test_a_thief_with_the_old_key_makes_a_version(scene: Scene, ago: timedelta) -> None:
    """Once the change is known the old key makes nothing any more, whatever date the thief writes into it."""
    await scene.acme_changes_key()
    shown = await scene.acme.use.key_changes.envelopes(ACME)
    await scene.evil_offers(scene.stolen, shown, ago=ago)
    async with scene.network.running():
        told = await scene.initech_refuses()
    assert "counts no more" in told


async def test_the_thief_hides_the_change_from_one_who_knows_it(scene: Scene) -> None:
    """What was learnt once is not forgotten because it is shown no more."""
    await scene.acme_changes_key()
    await scene.evil_offers(scene.stolen, [])
    async with scene.network.running():
        await scene.initech_refuses()


async def test_the_alarm_is_seen_and_dismissed_by_all_means_and_goes_with_its_cause(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """GraphQL shows it to a viewer, the command line shows it, ``status`` counts it; an honest catalogue ends it."""
    await scene.evil_offers(THIEF, [])
    async with scene.network.running():
        await scene.initech_refuses()
    use = scene.initech.use
    query = "{ alarms { id kind subject message count dismissedBy } }"
    found = await schema().execute(query, context_value=context(use, Role.VIEWER))
    assert found.errors is None
    assert found.data is not None
    assert [one["id"] for one in found.data["alarms"] if one["kind"] == "origin-key-changed"] == [ALARM]
    denied = await schema().execute(
        "mutation ($id: ID!) { dismissAlarm(id: $id) { id } }",
        {"id": ALARM},
        context_value=context(use, Role.DEVELOPER),
    )
    assert denied.errors is not None

    run = shell(tmp_path, capsys, monkeypatch)
    with running(use, tmp_path):
        shown = await asyncio.to_thread(run, "alarms")
        assert (shown.status, ALARM in shown.out, THIEF.id in shown.out) == (0, True, True)
        status = await asyncio.to_thread(run, "status")
        assert (status.status, "Alarms: " in status.out) == (0, True)
        hidden = await asyncio.to_thread(run, "alarms", "dismiss", ALARM)
        assert hidden.status == 0
        assert ALARM not in (await asyncio.to_thread(run, "alarms")).out
        assert (await asyncio.to_thread(run, "alarms", "dismiss", "origin-key-changed/nobody")).status == 6

    await scene.evil.set("shop", "acme-1.0.0")
    async with scene.network.running():
        assert (await scene.initech.update_from("evil")).state is TaskState.SUCCEEDED


async def test_an_operator_who_asked_lets_the_new_key_in(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """acme lost its key: its operator reads out the new one's id, and initech's types it; the thief's stays out."""
    replaced = PrivateKey.generate()
    run = shell(tmp_path, capsys, monkeypatch)
    await scene.evil_offers(THIEF, [])
    async with scene.network.running():
        await scene.initech_refuses()
    with running(scene.initech.use, tmp_path):
        wrong = await asyncio.to_thread(run, "pin", "reset", "acme", "--key-id", "AAAAAAA")
        assert wrong.status == 2
        done = await asyncio.to_thread(run, "pin", "reset", "acme", "--key-id", replaced.id.lower(), "--json")
        assert done.json["awaited"] == replaced.id
        assert str(replaced.id) in (await asyncio.to_thread(run, "pins")).out
    async with scene.network.running():
        await scene.initech_refuses()
    await scene.evil.use.versions._stored.remove("developer/shop/acme-1.0.1")
    await scene.evil_offers(replaced, [])
    async with scene.network.running():
        assert (await scene.initech.update_from("evil")).state is TaskState.SUCCEEDED
    pin = await scene.initech.use.pins.get(ACME)
    assert pin is not None
    assert pin.key == replaced.public
    assert ALARM not in [one.id for one in await scene.initech.use.alarms.open()]

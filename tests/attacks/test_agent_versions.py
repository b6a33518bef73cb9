"""Somebody between the node and the agent, or the node itself, sends what it should not: nothing of it ever runs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.home import Home
from agent.install import check_manifest
from agent.plan import Slot
from agent.status import read_status
from federation.digest import Digest
from federation.errors import TamperedError
from federation.keys import PrivateKey
from federation.manifest import Maker, SignedManifest
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from tests.support.agent_manifests import VERSION, made_manifest
from tests.support.agent_node import AgentNode, agent_node
from tests.support.agent_process import running_agent, services_stopped, unit_processes
from tests.support.agent_services import sleeper

KEY = ServiceKey("web")


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[AgentNode]:
    async with agent_node(tmp_path / "node") as found:
        yield found


@pytest.fixture
async def home(tmp_path: Path, node: AgentNode) -> AsyncIterator[Path]:
    """The home of an agent that runs version 1.0.0."""
    home = tmp_path / "agent"
    node.attach(home)
    async with services_stopped(home):
        async with running_agent(home):
            await node.assign(node.publish(KEY, "acme-1.0.0", sleeper()))
            await node.until_state(KEY, is_running)
        yield home


def is_running(state: ServiceState) -> bool:
    return state.phase is Phase.RUNNING


def snapshot(home: Path) -> tuple[list[int], list[str], object]:
    """What runs and what is installed."""
    unit = Home(home).unit(KEY)
    installed = sorted(path.name for path in unit.versions.iterdir())
    return unit_processes(home, KEY), installed, unit.current.readlink()


async def refused(node: AgentNode, home: Path, reason: str) -> ServiceState:
    """The agent tells ``reason``, and nothing has changed."""
    before = snapshot(home)
    await node.assign(node.publish(KEY, "acme-1.0.1", sleeper(says="evil")))
    async with running_agent(home):
        state = await node.until_state(KEY, lambda state: reason in state.error)
    assert snapshot(home) == before
    assert (state.running, state.committed, state.failed) == ("acme-1.0.0", "acme-1.0.0", None)
    return state


@pytest.mark.parametrize("position", [20, 90, -40, -1])
async def test_a_tampered_pack(node: AgentNode, home: Path, position: int) -> None:
    """A pack with one altered byte is refused; the old version runs on, and a genuine pack is taken later."""

    def alter(content: bytes) -> bytes:
        altered = bytearray(content)
        altered[position] ^= 0x40
        return bytes(altered)

    node.alter_pack = alter
    await refused(node, home, "pack")
    node.alter_pack = None
    async with running_agent(home):
        await node.until_state(KEY, lambda state: state.committed == "acme-1.0.1" and is_running(state))


async def test_a_cut_pack(node: AgentNode, home: Path) -> None:
    """A pack that ends early is refused."""
    node.alter_pack = lambda content: content[:-10]
    await refused(node, home, "pack")


async def test_a_tampered_manifest(node: AgentNode, home: Path) -> None:
    """A manifest whose signature does not fit is refused before any pack is asked for."""
    node.alter_manifest = lambda content: content.replace(b'"sig":"', b'"sig":"AAAA')
    asked = len(node.pack_bases)
    await refused(node, home, "signature")
    assert len(node.pack_bases) == asked


async def test_the_manifest_of_somebody_else(node: AgentNode, home: Path) -> None:
    """A manifest that another key signed rightly is refused all the same: the node's key is pinned."""
    stranger = PrivateKey.generate()

    def resign(content: bytes) -> bytes:
        manifest = SignedManifest.from_bytes(content).manifest
        maker = Maker(node=manifest.maker.node, key=stranger.public)
        return SignedManifest.make(replace(manifest, maker=maker), stranger).envelope.to_bytes()

    node.alter_manifest = resign
    await refused(node, home, "another manifest")


async def test_an_assignment_that_goes_back(node: AgentNode, home: Path) -> None:
    """An old assignment played again is refused: no way back to a version with a known hole."""
    two = node.publish(KEY, "acme-1.0.1", sleeper())
    old = node.assigned
    async with running_agent(home):
        await node.assign(two, revision=9)
        await node.until_state(KEY, lambda state: state.committed == "acme-1.0.1" and is_running(state))
    told = len(node.states)
    await node.assign(*old, revision=8)
    async with running_agent(home):
        await node.until(lambda: len(node.states) > told)
        assert node.states[-1].revision == 9
    (state,) = read_status(home).services
    assert (state.desired, state.running) == ("acme-1.0.1", "acme-1.0.1")


async def test_an_assignment_of_another_node(node: AgentNode, home: Path) -> None:
    """Who takes the node's place without its key can order nothing."""
    before, real = snapshot(home), node.key
    await node.assign(node.publish(KEY, "acme-1.0.1", sleeper(says="evil")))
    kept = Home(home).assignment.read_bytes()
    link_key = node.key = PrivateKey.generate()
    assert link_key != real
    async with running_agent(home):
        await node.until(lambda: bool(node.states))
    assert snapshot(home) == before
    assert Home(home).assignment.read_bytes() == kept


async def test_a_damaged_assignment_on_disk_stops_nothing(node: AgentNode, home: Path) -> None:
    """An assignment that was altered on disk is not believed, and what runs goes on."""
    before = snapshot(home)
    Home(home).assignment.write_bytes(b'{"services":[]}')
    node.away = True
    async with running_agent(home):
        node.away = False
        node.states.clear()
        await node.until_state(KEY, is_running)
    assert snapshot(home) == before


def test_a_manifest_for_another_service() -> None:
    """The right node's manifest of another service or image does not pass for this one."""
    key = PrivateKey.generate()
    manifest = made_manifest(key)
    signed = SignedManifest.make(manifest, key)
    slot = Slot(version=VERSION, image=manifest.image, manifest=Digest.of(b"m"))
    unit = Home(Path("/nowhere")).unit(KEY)
    check_manifest(signed, slot, unit, key.public)
    for wrong in (replace(slot, image=Digest.of(b"other")), replace(slot, version=slot.version.next())):
        with pytest.raises(TamperedError):
            check_manifest(signed, wrong, unit, key.public)
    with pytest.raises(TamperedError):
        check_manifest(signed, slot, Home(Path("/nowhere")).unit(ServiceKey("db")), key.public)
    with pytest.raises(TamperedError):
        check_manifest(signed, slot, unit, PrivateKey.generate().public)

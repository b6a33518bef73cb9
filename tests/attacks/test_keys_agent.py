"""Somebody takes the place of an agent's node, or says that its key changed: only the old key's word counts."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from agent.home import Home
from agent.status import read_status
from federation.keychange import to_document
from federation.keys import PrivateKey
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from tests.support.agent_node import NODE, AgentNode, agent_node
from tests.support.agent_process import running_agent, services_stopped, unit_processes
from tests.support.agent_services import sleeper
from tests.support.keys import EVIL, key_change

KEY = ServiceKey("web")
NEW = PrivateKey(b"n" * 32)


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[AgentNode]:
    """An honest node so far."""
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
            await node.until_state(KEY, _is_running)
        yield home


def _is_running(state: ServiceState) -> bool:
    return state.phase is Phase.RUNNING


def _runs(version: str, state: ServiceState) -> bool:
    return state.committed == version and _is_running(state)


def _held(home: Path) -> tuple[object, ...]:
    place = Home(home)
    return (
        unit_processes(home, KEY),
        place.unit(KEY).current.readlink(),
        place.config.read_bytes(),
        place.assignment.read_bytes(),
    )


async def test_an_agent_follows_its_nodes_own_word(node: AgentNode, home: Path) -> None:
    """It takes the next version from the new key, keeps that key over its own restart, and follows a second change."""
    keys, statements = [node.key, NEW, PrivateKey(b"m" * 32)], []
    for number in (1, 2):
        statements.append(key_change(keys[number - 1], keys[number], number, node=NODE))
        node.take_key(keys[number], to_document(statements))
        version = f"acme-1.0.{number}"
        await node.assign(node.publish(KEY, version, sleeper()))
        async with running_agent(home):
            await node.until_state(KEY, partial(_runs, version))
        assert Home(home).attached().node_key == keys[number].public
        assert read_status(home).problem == ""


@pytest.mark.parametrize("case", ["no statement", "another node's statement", "new key alone", "not even a document"])
async def test_who_has_not_the_old_keys_word_orders_nothing(node: AgentNode, home: Path, case: str) -> None:
    """What runs goes on, nothing that is held changes, and the agent says why, to the node and on its own host."""
    before, honest = _held(home), node.key
    node.key = NEW
    node.key_changes = {
        "no statement": to_document([]),
        "another node's statement": to_document([key_change(honest, NEW, node=EVIL)]),
        "new key alone": to_document([key_change(PrivateKey(b"x" * 32), NEW, node=NODE)]),
        "not even a document": b"<html>",
    }[case]
    node.states.clear()
    await node.assign(node.publish(KEY, "acme-1.0.1", sleeper(says="evil")))
    async with running_agent(home):
        await node.until(lambda: bool(node.states) and node.states[-1].problem != "")
        assert _held(home) == before
        status = await asyncio.to_thread(read_status, home)
        assert status.problem == node.states[-1].problem
        (state,) = status.services
        assert (state.running, state.desired) == ("acme-1.0.0", "acme-1.0.0")

        node.key, node.key_changes = honest, None
        await node.assign(node.publish(KEY, "acme-1.0.2", sleeper()))
        await node.until_state(KEY, partial(_runs, "acme-1.0.2"))
        await node.until(lambda: node.states[-1].problem == "")
    assert read_status(home).problem == ""

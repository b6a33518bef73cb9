"""A version whose files were altered on the host's disk after it was installed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.home import Home
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from tests.support.agent_node import AgentNode, Files
from tests.support.agent_process import running_agent
from tests.support.agent_services import service_file

pytestmark = pytest.mark.e2e

WORDS = b"".join(b"%d words\n" % number for number in range(5000))


def version(says: str) -> Files:
    script = f"#!/bin/sh\necho {says}\nexec sleep 1000\n"
    return {"run*": script, "words.txt": WORDS, "vupdate.toml": service_file("web", '["./run"]')}


def runs(number: str) -> Callable[[ServiceState], bool]:
    return lambda state: state.phase is Phase.RUNNING and state.committed == number


@pytest.mark.parametrize("damage", [WORDS[:-1] + b"!", WORDS[: len(WORDS) // 2], None])
async def test_an_update_never_carries_over_what_was_damaged(node: AgentNode, home: Path, damage: bytes | None) -> None:
    """A file that the next version shares, altered, cut or removed on the disk, is whole in the next version."""
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", version("one")))
        await node.until_state("web", runs("acme-1.0.0"))
        shared = Home.at(home).unit(ServiceKey("web")).current / "words.txt"
        assert shared.read_bytes() == WORDS
        shared.unlink()
        if damage is not None:
            shared.write_bytes(damage)
        await node.assign(node.publish("web", "acme-1.0.1", version("two")))
        await node.until_state("web", runs("acme-1.0.1"))
        assert (Home.at(home).unit(ServiceKey("web")).current / "words.txt").read_bytes() == WORDS

"""A version whose files were altered on the host's disk after it was installed."""

import io
import tarfile
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


async def test_files_of_a_fault_arrive_at_the_node(node: AgentNode, home: Path) -> None:
    """What the recipe names is named in the report, and comes with it; other files stay where they are."""
    script = "#!/bin/sh\nmkdir -p deep\necho state > deep/state.dump\necho x > other\nexit 3\n"
    more = 'faults = { files = ["*.dump"] }'
    files = {"run*": script, "vupdate.toml": service_file("web", '["./run"]', more=more)}
    async with running_agent(home):
        await node.assign(node.publish("web", "acme-1.0.0", files))
        await node.until(lambda: bool(node.archives))
    (report, *_) = node.faults
    assert report.files == ("deep/state.dump",)
    with tarfile.open(fileobj=io.BytesIO(node.archives[report.id]), mode="r:gz") as archive:
        (member,) = archive.getmembers()
        content = archive.extractfile(member)
        assert content is not None
        assert (member.name, content.read()) == ("deep/state.dump", b"state\n")

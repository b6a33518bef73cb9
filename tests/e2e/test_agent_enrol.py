"""An agent is attached by a one-time enrolment."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.enrol import enrol
from agent.errors import AgentRunningError, NotEnrolledError
from agent.home import Home
from agent.runner import only_agent, stop_services
from agent.status import read_status
from federation.clock import SystemClock
from federation.errors import CorruptError, DeniedError, ExistsError, InvalidValueError, StaleError, TamperedError
from federation.keys import PrivateKey
from federation.link.invitation import Enrolment, new_secret
from federation.names import InstanceName
from tests.support.agent_node import INSTANCE, NODE, AgentNode, agent_node

pytestmark = pytest.mark.e2e


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[AgentNode]:
    async with agent_node(tmp_path / "node") as found:
        found.secret = new_secret()
        yield found


def enrolment(node: AgentNode, **changes: object) -> str:
    fields = {
        "url": node.url,
        "node": NODE,
        "key": node.key.public,
        "instance": INSTANCE,
        "secret": node.secret,
        "expires": datetime.now(UTC) + timedelta(hours=1),
    }
    return Enrolment(**(fields | changes)).text  # type: ignore[arg-type]


async def test_an_agent_is_attached(node: AgentNode, tmp_path: Path) -> None:
    """The agent makes its key, the node learns it, and the agent knows its node from then on."""
    home = tmp_path / "agent"
    attached = await enrol(enrolment(node), home, SystemClock())
    assert Home(home).attached() == attached
    assert (attached.node, attached.node_key, attached.instance) == (NODE, node.key.public, INSTANCE)
    assert node.agent == PrivateKey.load(Home(home).key).public
    assert Home(home).key.stat().st_mode & 0o777 == 0o600
    assert node.secret not in Home(home).config.read_text() or node.secret == ""
    assert read_status(home).services == ()
    with pytest.raises(ExistsError):
        await enrol(enrolment(node, secret=new_secret()), home, SystemClock())


async def test_the_home_is_closed_to_others(node: AgentNode, tmp_path: Path) -> None:
    """Versions, data and core dumps may hold secrets; a folder that its owner had made before stays as it was."""
    made, there = tmp_path / "new" / "agent", tmp_path / "there"
    await enrol(enrolment(node), made, SystemClock())
    assert made.stat().st_mode & 0o777 == 0o700
    there.mkdir(mode=0o755)
    node.secret = new_secret()
    await enrol(enrolment(node), there, SystemClock())
    assert there.stat().st_mode & 0o777 == 0o755


async def test_an_enrolment_is_good_for_one_use(node: AgentNode, tmp_path: Path) -> None:
    """A second agent with the same text is refused and holds nothing of the node."""
    text = enrolment(node)
    await enrol(text, tmp_path / "one", SystemClock())
    first = node.agent
    with pytest.raises(DeniedError):
        await enrol(text, tmp_path / "two", SystemClock())
    assert node.agent == first
    assert not Home(tmp_path / "two").config.exists()


async def test_bad_enrolments(node: AgentNode, tmp_path: Path) -> None:
    """Expired, damaged, or answered by another node or name: refused, and nothing is attached."""
    home, clock = tmp_path / "agent", SystemClock()
    with pytest.raises(StaleError):
        await enrol(enrolment(node, expires=datetime(2020, 1, 1, tzinfo=UTC)), home, clock)
    with pytest.raises(InvalidValueError):
        await enrol(enrolment(node)[:-20], home, clock)
    with pytest.raises(DeniedError):
        await enrol(enrolment(node, key=PrivateKey.generate().public), home, clock)
    with pytest.raises(TamperedError):
        await enrol(enrolment(node, instance=InstanceName("other")), home, clock)
    assert not Home(home).config.exists()


async def test_a_home_without_an_agent(tmp_path: Path) -> None:
    """Status of a folder without an agent, or with a damaged one, says what to do."""
    with pytest.raises(NotEnrolledError, match="enroll"):
        read_status(tmp_path)
    Home(tmp_path).config.write_text("url = 3\n")
    with pytest.raises(CorruptError):
        read_status(tmp_path)


async def test_one_agent_per_home(tmp_path: Path) -> None:
    """A second agent on the same home is refused, and services are not stopped under a running one."""
    with only_agent(Home(tmp_path)), pytest.raises(AgentRunningError):
        await stop_services(tmp_path)
    await stop_services(tmp_path)

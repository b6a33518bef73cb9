"""How soon an agent begins an update, and how long a service is down by it beyond its own stop and start."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from agent.history import earlier_runs
from agent.home import Home
from agent.runner import stop_services
from agent.runrecord import last_run
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from tests.support.agent_node import AgentNode, agent_node
from tests.support.agent_process import running_agent
from tests.support.agent_services import sleeper

UPDATES = 30
KEY = ServiceKey("web")


def _shown(name: str, seconds: Sequence[float], bar_seconds: float) -> None:
    least, middle, most = (1000 * value for value in (min(seconds), statistics.median(seconds), max(seconds)))
    print(f"{name:<40}{least:8.1f}{middle:8.1f}{most:8.1f} ms    bar {1000 * bar_seconds:.0f} ms")


async def _update(node: AgentNode, number: int) -> float:
    """Seconds from the order to the agent's first question about the new version; returns once that is committed."""
    asked: list[float] = []

    def noted(content: bytes) -> bytes:
        asked.append(time.monotonic())
        return content

    version = f"acme-1.0.{number}"

    def is_committed(state: ServiceState) -> bool:
        return state.phase is Phase.RUNNING and state.committed == version

    assigned = node.publish(KEY, version, sleeper(says=version))
    node.alter_manifest = noted
    began = time.monotonic()
    await node.assign(assigned)
    await node.until_state(KEY, is_committed)
    return asked[0] - began


def _gaps(home: Path) -> list[float]:
    """Seconds from each run's end to the start of the run after it: what the switch itself costs."""
    unit = Home.at(home).unit(KEY)
    last = last_run(unit)
    assert last is not None
    runs = [*earlier_runs(unit), last]
    return [(after.started - before.ended.at).total_seconds() for before, after in pairwise(runs) if before.ended]


async def _measure(folder: Path) -> None:
    home = folder / "agent"
    async with agent_node(folder / "node") as node:
        node.attach(home)
        try:
            async with running_agent(home):
                begins = [await _update(node, number) for number in range(UPDATES + 1)][1:]
            gaps = _gaps(home)
        finally:
            await stop_services(home)
    print(f"{UPDATES} updates{'least':>39}{'median':>8}{'most':>8}")
    _shown("desired -> the install begins", begins, 0.2)
    _shown("down beyond its own stop and start", gaps, 0.2)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder)))


if __name__ == "__main__":
    main()

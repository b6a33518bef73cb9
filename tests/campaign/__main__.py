"""Kills an agent, its shims, its two services or all of them at random moments of random updates; prints a table.

``python -m tests.campaign [--runs N] [--seed S]``; the same seed makes the same plan. The first run that leaves
anything but one right version is told, and the campaign ends with status 1.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from agent.runner import stop_services
from tests.campaign.stage import SCENARIOS, Stage
from tests.support.agent_killed import VICTIMS
from tests.support.agent_node import agent_node
from tests.support.agent_process import killer

LATEST_MILLISECONDS = 900


async def campaign(folder: Path, *, runs: int, seed: int) -> tuple[Counter[tuple[str, str]], float]:
    """Do ``runs`` attacks; how many updates of each kind went right, and how long the slowest agent took to settle."""
    rng = random.Random(seed)
    right: Counter[tuple[str, str]] = Counter()
    async with agent_node(folder / "node") as node, killer() as deadly:
        home = folder / "agent"
        node.attach(home)
        stage = Stage.of(node, home, deadly)
        try:
            for number in range(1, runs + 1):
                scenarios, victims = [rng.choice(SCENARIOS) for _ in stage.actors], rng.choice(VICTIMS)
                moment = rng.randrange(LATEST_MILLISECONDS)
                try:
                    await stage.attack(scenarios, victims, moment)
                except (AssertionError, TimeoutError):
                    print(
                        f"run {number}: {' and '.join(scenarios)}, {victims} killed after {moment} ms", file=sys.stderr
                    )
                    raise
                right.update((scenario, victims) for scenario in scenarios)
        finally:
            await stop_services(home)
    return right, stage.worst_seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        right, worst = asyncio.run(campaign(Path(folder), runs=given.runs, seed=given.seed))
    print(f"{'scenario':10}" + "".join(f"{victims:>9}" for victims in VICTIMS))
    for scenario in SCENARIOS:
        print(f"{scenario:10}" + "".join(f"{right[scenario, victims]:9}" for victims in VICTIMS))
    print(f"{right.total()} updates in {given.runs} runs right; the slowest agent settled in {worst:.1f} s")


if __name__ == "__main__":
    main()

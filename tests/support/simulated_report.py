"""The figures of a simulated network as text."""

import statistics
from collections import Counter

from tests.support.simulated_plan import Plan
from tests.support.simulation import Figures


def report(plan: Plan, figures: Figures) -> str:
    """What one run came to, in a few lines."""
    hourly = list(figures.resting_hourly.values())
    links = len(plan.links) + len(plan.late)
    network = (
        f"{len(plan.nodes)} nodes, {len(plan.liars)} of them lying; {links} links, chains of {plan.depth}, "
        f"{len(plan.rings)} rings; {figures.crashes} crashes; seed {plan.seed}"
    )
    moved = (
        f"{figures.requests:,} requests, {figures.moved_bytes / 1e6:.1f} MB; {figures.checks:,} times a version was "
        "stored or desired: each time as its origin made it"
    )
    agreed = (
        f"after the healing {figures.behind} of {len(plan.honest)} honest nodes were behind; all agreed after "
        f"{figures.latest:.0f} s, half of them after {figures.median:.0f} s (bound: {figures.bound:.0f} s)"
    )
    rest = (
        f"then nothing changed any more; requests of a node in an hour: {statistics.median(hourly):.0f}, "
        f"at most {max(hourly):.0f}"
    )
    times = f"{figures.simulated_seconds:,.0f} simulated seconds in {figures.wall_seconds:.0f} s"
    refused = f"not believed or not had: {_counted(figures.refusals)}"
    return "\n".join([network, moved, refused, f"alarms: {_counted(figures.alarms)}", agreed, rest, times])


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"

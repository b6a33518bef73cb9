"""The demo's last page: how long each hop took, what moved, and the way each fault report came."""

from dataclasses import dataclass
from typing import Final

from rich.table import Table

from node.cli.demo import queries
from node.cli.demo.api import StepError
from node.cli.demo.screen import Screen
from node.cli.demo.story import Story

_DELTA_MOST: Final = 0.02


@dataclass(frozen=True, slots=True)
class Hop:
    """One update over one hop: bytes moved against the bytes of the whole image's pack."""

    version: str
    way: str
    base: str | None
    moved: int
    full: int
    seconds: float

    @property
    def share(self) -> float:
        """Of the whole, how much moved."""
        return self.moved / self.full if self.full else 1.0


async def hops(story: Story) -> list[Hop]:
    """All transfers of the demo: between nodes, and from each node to its agent."""
    found: list[Hop] = []
    for site in story.consumers:
        for one in (await site.api.ask(queries.TRANSFERS))["transfers"]:
            way = f"{one['provider']} → {site.name}"
            found.append(_hop(one, way))
        moved = [rollout.moved[site.name] for rollout in story.rollouts if site.name in rollout.moved]
        found.extend(_hop(one, f"{site.name} → its agent") for one in moved)
    return sorted(found, key=lambda hop: (hop.version, hop.way))


def _hop(one: dict[str, object], way: str) -> Hop:
    base = one["base"]
    return Hop(
        version=str(one["version"]),
        way=way,
        base=str(base) if base else None,
        moved=int(float(str(one["movedBytes"]))),
        full=int(float(str(one["fullBytes"]))),
        seconds=float(str(one["seconds"])),
    )


def check_deltas(found: list[Hop]) -> None:
    """Every update after the first moves next to nothing.

    Raises:
        StepError: one moved more than 2 % of the whole.
    """
    updates = [hop for hop in found if hop.base is not None]
    if not updates:
        raise StepError("no update moved as a delta")
    for hop in updates:
        if hop.share >= _DELTA_MOST:
            raise StepError(f"{hop.version} over {hop.way} moved {hop.share:.1%} of the whole, not under 2 %")


def show(screen: Screen, story: Story, found: list[Hop]) -> None:
    """Print the three tables."""
    times = Table(title="From desired at acme to …", title_justify="left")
    times.add_column("version")
    for site in story.consumers:
        times.add_column(f"… settled at {site.name}", justify="right")
    for rollout in story.rollouts:
        cells = [f"{rollout.arrived[site.name] - rollout.started:.1f} s" for site in story.consumers]
        times.add_row(rollout.version, *cells)
    moved = Table(title="Bytes moved, against the whole image as a pack", title_justify="left")
    for name in ("version", "hop", "on top of"):
        moved.add_column(name, no_wrap=True)
    for name in ("moved", "whole", "share", "time"):
        moved.add_column(name, justify="right")
    for hop in found:
        share = f"{hop.share:.2%}" if hop.base else "first"
        moved.add_row(
            hop.version, hop.way, hop.base or "–", f"{hop.moved:,}", f"{hop.full:,}", share, f"{hop.seconds:.2f} s"
        )
    faults = Table(title="Fault reports at acme", title_justify="left")
    for name in ("instance", "version", "reason", "way"):
        faults.add_column(name)
    for fault in story.faults:
        way = " → ".join(hop["node"] for hop in fault["path"])
        faults.add_row(fault["instance"], fault["version"], fault["reason"], way)
    for table in (times, moved, faults):
        screen.console.print()
        screen.console.print(table)

"""The demo's last page: how long each hop took, what moved, and the way each fault report came."""

from dataclasses import dataclass
from typing import Final

from rich.box import SIMPLE_HEAD
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


def _table(title: str, left: tuple[str, ...], right: tuple[str, ...] = (), note: str = "") -> Table:
    table = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), caption=note or None
    )
    table.caption_justify = "left"
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, no_wrap=True, justify="right")
    return table


def _times(story: Story) -> Table:
    names = tuple(f"settled at {site.name}" for site in story.consumers)
    table = _table("From desired at acme to …", ("version",), names)
    for rollout in story.rollouts:
        cells = [f"{rollout.arrived[site.name] - rollout.started:.1f} s" for site in story.consumers]
        table.add_row(rollout.version, *cells)
    return table


def _moved(found: list[Hop]) -> Table:
    note = "whole: the image as one pack; time of an agent: its whole update, probation included"
    table = _table("Bytes moved", ("version", "hop", "on top of"), ("moved", "whole", "share", "time"), note)
    for position, hop in enumerate(found):
        version = "" if position and found[position - 1].version == hop.version else hop.version
        share = f"{hop.share:.2%}" if hop.base else "first"
        table.add_row(
            version, hop.way, hop.base or "–", f"{hop.moved:,}", f"{hop.full:,}", share, f"{hop.seconds:.2f} s"
        )
    return table


def _faults(story: Story) -> Table:
    table = _table("Fault reports at acme", ("instance", "version", "reason", "way"))
    for fault in story.faults:
        way = " → ".join(hop["node"] for hop in fault["path"])
        table.add_row(fault["instance"], fault["version"], fault["reason"], way)
    return table


def show(screen: Screen, story: Story, found: list[Hop]) -> None:
    """Print the three tables."""
    for table in (_times(story), _moved(found), _faults(story)):
        screen.console.print()
        screen.console.print(table)

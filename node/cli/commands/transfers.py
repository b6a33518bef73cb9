"""Shows what came from providers: bytes moved, and what the deltas saved."""

from typing import Any, Final

import typer

from node.cli import documents
from node.cli.options import Call, First, asking
from node.cli.output import moment, size

alone: Final = typer.Typer(rich_markup_mode=None)


def share(moved: float, full: float) -> str:
    """How much less than the whole moved; negative where more did."""
    return "–" if not full else f"{100 * (1 - moved / full):.1f} %"


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        moment(one["at"]),
        one["provider"],
        one["service"],
        one["version"],
        one["base"] or "nothing",
        size(one["movedBytes"]),
        size(one["fullBytes"]),
        share(one["movedBytes"], one["fullBytes"]),
        size(one["repairedBytes"]) if one["repairedBytes"] else "",
    )


@asking(
    alone,
    "transfers",
    examples="""
    vupdate transfers
    vupdate transfers --first 5 --json
    """,
)
async def show(call: Call, *, first: First = 20) -> None:
    """Show the images received from providers, newest first: bytes moved, and what the deltas saved."""
    found = await call.ask(documents.TRANSFERS, first=first)
    call.out.document(found)
    call.out.table(
        ("at", "from", "service", "version", "starting at", "moved", "whole", "saved", "repaired"),
        [_row(one) for one in found["transfers"]],
        empty="nothing was received yet",
    )
    total = found["savedBytes"]
    if total["transfers"]:
        call.out.say(
            f"{total['transfers']} in all: {size(total['moved'])} moved instead of {size(total['full'])}, "
            f"{share(total['moved'], total['full'])} saved"
        )

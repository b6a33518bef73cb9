"""Shows and changes the two lists of desired versions."""

from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.commands.versions import Kind, KindOption
from node.cli.options import Call, First, Why, asking, group
from node.cli.output import moment
from node.cli.sources import read_versions

app: Final = group(
    "desired",
    "The versions that should run: one list of developer versions, one of client versions, with their history.",
    """
    vupdate desired show
    vupdate desired set guestbook=acme-1.0.1 --why "fixes the crash"
    vupdate desired rollback 3
    """,
)
Seen = Annotated[
    int | None,
    typer.Option(
        "--seen",
        min=0,
        help="The revision that the change rests on; refused if another came since.  [default: the current one]",
    ),
]


def _told(delta: dict[str, Any]) -> str:
    return f"{delta['service']} → {delta['version'] or 'removed'}"


def _show(call: Call, revision: dict[str, Any]) -> None:
    by = f" by {revision['who']}, {moment(revision['at'])}" if revision["number"] else ""
    reason = f": {revision['why']}" if revision["why"] else ""
    call.out.say(f"{revision['kind'].lower()} versions, revision {revision['number']}{by}{reason}")
    call.out.table(
        ("service", "version"),
        [(one["service"], one["version"]) for one in revision["versions"]],
        empty="nothing is desired",
    )


async def _change(call: Call, kind: Kind, deltas: list[dict[str, str | None]], *, seen: int | None, why: str) -> None:
    if seen is None:
        seen = (await call.ask(documents.DESIRED, kind=kind.name))["desired"]["number"]
    changed = await call.ask(documents.CHANGE_DESIRED, kind=kind.name, deltas=deltas, seen=seen, why=why)
    call.out.document(changed["changeDesired"])
    _show(call, changed["changeDesired"])


@asking(
    app,
    "show",
    examples="""
    vupdate desired show
    vupdate desired show --kind client
    """,
)
async def show(
    call: Call, *, kind: Annotated[Kind | None, typer.Option("--kind", help="Only this list.")] = None
) -> None:
    """Show the versions that should run now."""
    if kind is not None:
        found = (await call.ask(documents.DESIRED, kind=kind.name))["desired"]
        call.out.document(found)
        _show(call, found)
        return
    both = await call.ask(documents.DESIRED_BOTH)
    call.out.document(both)
    _show(call, both["developer"])
    call.out.say("")
    _show(call, both["client"])


@asking(
    app,
    "set",
    examples="""
    vupdate desired set guestbook=acme-1.0.1
    vupdate desired set guestbook=acme-1.0.1 shop=acme-3.2.0 --why "release 7" --seen 12
    """,
)
async def set_versions(
    call: Call,
    versions: Annotated[list[str], typer.Argument(metavar="SERVICE=VERSION...", help="The versions that should run.")],
    *,
    kind: KindOption = Kind.DEVELOPER,
    why: Why = "",
    seen: Seen = None,
) -> None:
    """Make versions desired, all in one change. The other services stay as they are."""
    await _change(call, kind, read_versions(versions), seen=seen, why=why)


@asking(app, "unset", examples='vupdate desired unset guestbook --why "retired"')
async def unset(
    call: Call,
    services: Annotated[list[str], typer.Argument(metavar="SERVICE...", help="The services to take off the list.")],
    *,
    kind: KindOption = Kind.DEVELOPER,
    why: Why = "",
    seen: Seen = None,
) -> None:
    """Take services off a list, all in one change: they are to run no more."""
    await _change(call, kind, [{"service": one, "version": None} for one in services], seen=seen, why=why)


@asking(
    app,
    "history",
    examples="""
    vupdate desired history
    vupdate desired history --kind client --first 5 --before 40
    """,
)
async def history(
    call: Call,
    *,
    kind: KindOption = Kind.DEVELOPER,
    first: First = 20,
    before: Annotated[int | None, typer.Option("--before", min=1, help="Only revisions before this one.")] = None,
) -> None:
    """Show who changed a list, when and why, newest first."""
    asked = await call.ask(documents.DESIRED_HISTORY, kind=kind.name, first=first, before=before)
    found = asked["desiredHistory"]
    call.out.document(found)
    call.out.table(
        ("revision", "when", "who", "change", "why"),
        [
            (one["number"], moment(one["at"]), one["who"], ", ".join(map(_told, one["deltas"])), one["why"])
            for one in found
        ],
        empty="this list was never changed",
    )


@asking(
    app,
    "rollback",
    examples="""
    vupdate desired rollback 3
    vupdate desired rollback 3 --kind client --why "4 crashes"
    """,
)
async def rollback(
    call: Call,
    revision: Annotated[int, typer.Argument(min=0, help="The revision to go back to.", show_default=False)],
    *,
    kind: KindOption = Kind.DEVELOPER,
    why: Why = "",
) -> None:
    """Make an old state of a list the current one again, as a new revision."""
    changed = (await call.ask(documents.ROLLBACK_DESIRED, kind=kind.name, to=revision, why=why))["rollbackDesired"]
    call.out.document(changed)
    _show(call, changed)

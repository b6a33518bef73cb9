"""Shows the versions that are on a node."""

from enum import Enum
from typing import Annotated, Final

import typer

from node.cli import documents
from node.cli.exits import CommandError, Exit
from node.cli.options import Call, First, asking, group
from node.cli.output import moment, size

app: Final = group(
    "versions",
    "The versions that are on a node whole, with what their signed manifests say.",
    """
    vupdate versions list guestbook
    vupdate versions show guestbook acme-1.0.0
    """,
)


class Kind(Enum):
    """Which of the two lists."""

    DEVELOPER = "developer"
    CLIENT = "client"


KindOption = Annotated[Kind, typer.Option("--kind", help="Versions as their developer made them, or as this site did.")]


@asking(
    app,
    "list",
    examples="""
    vupdate versions list
    vupdate versions list guestbook --kind client --first 10
    """,
)
async def show_all(
    call: Call,
    service: Annotated[str | None, typer.Argument(help="Of this service only.")] = None,
    *,
    kind: KindOption = Kind.DEVELOPER,
    first: First = 50,
) -> None:
    """List versions, newest first."""
    found = (await call.ask(documents.VERSIONS, kind=kind.name, service=service, first=first))["versions"]
    call.out.document(found)
    call.out.table(
        ("service", "version", "made by", "created", "size", "from", "comment"),
        [
            (
                one["service"],
                one["version"],
                one["maker"],
                moment(one["created"]),
                size(one["sizeBytes"]),
                one["receivedFrom"] or "here",
                one["comment"],
            )
            for one in found
        ],
        empty="no version yet",
    )


@asking(
    app,
    "show",
    examples="""
    vupdate versions show guestbook acme-1.0.0
    vupdate versions show guestbook acme-1.0.0_1 --kind client --json
    """,
)
async def show(
    call: Call,
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
    version: Annotated[str, typer.Argument(help="The version, as in acme-1.0.0.", show_default=False)],
    *,
    kind: KindOption = Kind.DEVELOPER,
) -> None:
    """Show one version: who made it of what, and its digests."""
    found = (await call.ask(documents.VERSIONS, kind=kind.name, service=service, first=1000))["versions"]
    one = next((one for one in found if one["version"] == version), None)
    if one is None:
        raise CommandError(
            f"there is no {kind.value} version {version} of {service} here", "not-found", status=Exit.ABSENT
        )
    call.out.document(one)
    call.out.fields(
        {
            "service": one["service"],
            "version": one["version"],
            "comment": one["comment"],
            "made by": f"{one['maker']} ({one['makerId']})",
            "created": moment(one["created"]),
            "stored": moment(one["stored"]),
            "from": one["receivedFrom"],
            "size": f"{size(one['sizeBytes'])} in {one['entries']} entries",
            "image": one["image"],
            "manifest": one["manifest"],
            **{f"source {source['name']}": f"{source['url']} at {source['commit']}" for source in one["sources"]},
        }
    )

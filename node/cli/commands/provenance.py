"""Shows who built a version, and says which builders the versions of a service need."""

from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli import documents
from node.cli.commands.builds import On, builder_names
from node.cli.commands.services import app as services
from node.cli.commands.versions import Number, Service
from node.cli.commands.versions import app as versions
from node.cli.exits import usage
from node.cli.options import Call, NoWait, asking
from node.cli.output import moment


def _image(one: dict[str, Any]) -> str:
    told = {True: "the same image", False: "ANOTHER IMAGE", None: "unknown here"}[one["same"]]
    return f"{told} {one['image'][:12]}…"


@asking(
    versions,
    "provenance",
    examples="""
    vupdate versions provenance guestbook acme-1.0.0
    vupdate versions provenance guestbook acme-1.0.0 --to attestations
    """,
)
async def provenance(
    call: Call,
    service: Service,
    version: Number,
    *,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Write the signed statements (DSSE, SLSA v1) there.")
    ] = None,
) -> None:
    """Show who built a version, from which commits and how, and whether it came out the same."""
    found = (await call.ask(documents.PROVENANCE, service=service, version=version))["provenance"]
    call.out.document(found)
    call.out.table(
        ("built by", "node id", "image", "closed in by", "when", "commits"),
        [
            (
                one["node"],
                one["builder"],
                _image(one),
                one["walls"] + (", with the network" if one["network"] else ""),
                moment(one["finished"]),
                ", ".join(f"{source['name']} {source['commit'][:12]}" for source in one["sources"]),
            )
            for one in found
        ],
        empty=f"nobody has told how {service} {version} was built",
    )
    for one in found:
        for line in one["difference"]:
            call.out.say(f"{one['node']}: {line}")
    if to is not None:
        _write(to, found)
        call.out.note(f"{len(found)} signed statement{'s' if len(found) != 1 else ''} written to {to}")


@asking(
    versions,
    "rebuild",
    examples="""
    vupdate versions rebuild guestbook acme-1.0.0             # here
    vupdate versions rebuild guestbook acme-1.0.0 --on beta   # by a peer that granted it
    """,
)
async def rebuild(call: Call, service: Service, version: Number, *, on: On = None, no_wait: NoWait = False) -> None:
    """Build a version once more from its commits, to see whether the same image comes out; who says so is kept."""
    from node.cli.follow import run_task

    await run_task(call, documents.REBUILD, wait=not no_wait, service=service, version=version, on=builder_names(on))


def _write(folder: Path, found: list[dict[str, Any]]) -> None:
    from federation.files import write_atomic

    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        write_atomic(folder / f"{one['builder']}.intoto.jsonl", one["envelope"].encode() + b"\n")


@asking(
    services,
    "builders",
    examples="""
    vupdate service builders                                  # all policies
    vupdate service builders guestbook NODE-ID NODE-ID --require 2
    vupdate service builders guestbook --anybody
    """,
)
async def builders(
    call: Call,
    service: Annotated[str | None, typer.Argument(help="The service's name.", show_default=False)] = None,
    ids: Annotated[list[str] | None, typer.Argument(metavar="NODE-ID...", help="Nodes whose builds count.")] = None,
    *,
    require: Annotated[
        int | None, typer.Option("--require", min=1, metavar="K", help="So many must agree; all of them otherwise.")
    ] = None,
    anybody: Annotated[bool, typer.Option("--anybody", help="Ask for no builders any more.")] = False,
) -> None:
    """Show or say how many of which builders must have built a version alike before it may be desired."""
    if anybody and (ids or require or service is None):
        raise usage("--anybody takes the service and nothing else")
    if service is None or not (ids or anybody):
        await _show(call, service)
    elif anybody:
        call.out.document(await call.ask(documents.FREE_BUILDERS, service=service))
        call.out.say(f"versions of {service} may be desired whoever built them")
    else:
        chosen = ids or []
        answer = await call.ask(
            documents.REQUIRE_BUILDERS, service=service, builders=chosen, require=require or len(chosen)
        )
        call.out.document(answer["requireBuilders"])
        call.out.say(
            f"versions of {service} become desired once {require or len(chosen)} of {len(chosen)} builders agree; "
            "what is desired already stays"
        )


async def _show(call: Call, service: str | None) -> None:
    found = (await call.ask(documents.BUILDER_POLICIES))["builderPolicies"]
    chosen = [one for one in found if service in (None, one["service"])]
    call.out.document(chosen)
    call.out.table(
        ("service", "needs", "of these builders"),
        [(one["service"], one["require"], ", ".join(one["builders"])) for one in chosen],
        empty="versions may be desired whoever built them",
    )

"""Shows the versions that are on a node."""

from enum import Enum
from typing import Annotated, Any, Final

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
    vupdate versions compare guestbook acme-1.0.0 acme-1.0.1
    """,
)

COMPARE: Final = """query (
  $service: String!, $version: String!, $other: String!, $kind: ListKind!, $first: Int!
) {
  compareVersions(service: $service, version: $version, other: $other, kind: $kind, first: $first) {
    same imageBefore imageAfter sizeBytesBefore sizeBytesAfter added removed changed
    differences { path changes before { kind sizeBytes target } after { kind sizeBytes target } } } }"""


class Kind(Enum):
    """Which of the two lists."""

    DEVELOPER = "developer"
    CLIENT = "client"


Service = Annotated[str, typer.Argument(help="The service's name.", show_default=False)]
Number = Annotated[str, typer.Argument(help="The version, as in acme-1.0.0.", show_default=False)]
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
        ("service", "version", "made and signed by", "created", "size", "from", "comment"),
        [
            (
                one["service"],
                one["version"],
                one["maker"],
                moment(one["created"]),
                size(one["sizeBytes"]),
                one["receivedFrom"] or "here",
                _remark(one),
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
    service: Service,
    version: Number,
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
            "withdrawn": _withdrawn(one),
            "private files": "in it; no consumer is given it" if one["private"] else "",
            "made and signed by": f"{one['maker']} ({one['makerId']})",
            "created": moment(one["created"]),
            "stored": moment(one["stored"]),
            "from": one["receivedFrom"],
            "size": f"{size(one['sizeBytes'])} in {one['entries']} entries",
            "image": one["image"],
            "manifest": one["manifest"],
            **{f"source {source['name']}": f"{source['url']} at {source['commit']}" for source in one["sources"]},
        }
    )


@asking(
    app,
    "compare",
    examples="""
    vupdate versions compare guestbook acme-1.0.0 acme-1.0.1
    vupdate versions compare guestbook acme-1.0.1 acme-1.0.1_1 --kind client --first 1000 --json
    """,
)
async def compare(
    call: Call,
    service: Service,
    version: Number,
    other: Annotated[str, typer.Argument(help="The version to compare it with.", show_default=False)],
    *,
    kind: KindOption = Kind.DEVELOPER,
    first: Annotated[int, typer.Option("--first", min=1, max=1000, help="How many differences, by path.")] = 200,
) -> None:
    """Show how the image of OTHER differs from that of VERSION, file by file."""
    asked = {"service": service, "version": version, "other": other, "kind": kind.name, "first": first}
    found = (await call.ask(COMPARE, **asked))["compareVersions"]
    call.out.document(found)
    if found["same"]:
        call.out.say(f"{version} and {other} of {service} are the same image, {found['imageBefore']}")
        return
    call.out.table(
        ("change", "path", "before", "after"),
        [
            (", ".join(map(str.lower, one["changes"])), one["path"], _entry(one["before"]), _entry(one["after"]))
            for one in found["differences"]
        ],
        empty="no difference",
    )
    _sum_up(call, f"{version} → {other}", found)


def _sum_up(call: Call, versions: str, found: dict[str, Any]) -> None:
    counts = ", ".join(f"{found[name]} {name}" for name in ("added", "removed", "changed"))
    call.out.say(
        f"{versions}: {counts}; {size(found['sizeBytesAfter'])} in all instead of {size(found['sizeBytesBefore'])}"
    )
    shown, known = len(found["differences"]), sum(found[name] for name in ("added", "removed", "changed"))
    if shown < known:
        call.out.note(f"the first {shown} of {known} differences, by path: --first shows more, 1000 at most")


def _entry(entry: dict[str, Any] | None) -> str:
    """What stands at a path of an image, in a few words."""
    if entry is None:
        return "–"
    words = {"FILE": "", "EXECUTABLE": "executable", "LINK": f"link to {entry['target']}", "DIRECTORY": "folder"}
    amount = "" if entry["sizeBytes"] is None else size(entry["sizeBytes"])
    return ", ".join(filter(None, (amount, words[entry["kind"]])))


@asking(
    app,
    "yank",
    examples="""
    vupdate versions yank guestbook acme-1.0.1 --reason "loses entries on restart"
    """,
)
async def yank(
    call: Call,
    service: Service,
    version: Number,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; all who have the version will read it.")],
) -> None:
    """Withdraw a version: it is offered no more, down the whole chain, and flagged wherever it runs.

    What runs goes on running: make another version desired to replace it.
    """
    found = (await call.ask(documents.YANK, service=service, version=version, reason=reason))["yankVersion"]
    call.out.document(found)
    call.out.say(f"{service} {version} is withdrawn: {found['reason']}")
    call.out.say(f"Next: if it is desired, make another version so: 'vupdate desired set {service}=VERSION'")


@asking(app, "unyank", examples="vupdate versions unyank guestbook acme-1.0.1")
async def unyank(call: Call, service: Service, version: Number) -> None:
    """Take the withdrawal of a version back: it may be made desired, and is offered where it is."""
    await call.ask(documents.UNYANK, service=service, version=version)
    call.out.document({"service": service, "version": version, "withdrawn": None})
    call.out.say(f"{service} {version} is not withdrawn any more by this node")


def _withdrawn(one: dict[str, Any]) -> str:
    """Who withdrew a version, when and why; nothing if nobody did."""
    found = one["withdrawn"]
    return f"by {found['by']} on {moment(found['at'])}: {found['reason']}" if found else ""


def _remark(one: dict[str, Any]) -> str:
    """What stands behind a version in a list."""
    withdrawn = f"WITHDRAWN {_withdrawn(one)}" if one["withdrawn"] else ""
    return "; ".join(filter(None, (withdrawn, one["comment"])))

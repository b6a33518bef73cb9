"""Shows logs and fault reports."""

import base64
import os
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.exits import CommandError, Exit
from node.cli.options import Call, First, asking, group
from node.cli.output import moment, size

alone: Final = typer.Typer(rich_markup_mode=None)
faults: Final = group(
    "faults",
    "Reports of services that crashed: those of this node's instances, and those that consumers sent on.",
    """
    vupdate faults list
    vupdate faults show 6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa
    """,
)


class Level(Enum):
    """Severity, least first."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"


@asking(
    alone,
    "logs",
    examples="""
    vupdate logs --service guestbook
    vupdate logs --text "connection refused" --level warning --first 50
    """,
)
async def logs(
    call: Call,
    *,
    service: Annotated[str | None, typer.Option("--service", help="Of this service only.")] = None,
    instance: Annotated[str | None, typer.Option("--instance", help="Of this instance only.")] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Of this run only; 'vupdate instance runs' lists them.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Only records that hold this text.")] = None,
    level: Annotated[Level | None, typer.Option("--level", help="Only records this severe, or more.")] = None,
    first: First = 200,
) -> None:
    """Find records in the logs of the services on this node's instances."""
    asked = await call.ask(
        documents.LOGS,
        service=service,
        instance=instance,
        run=run,
        text=text,
        level=level.name if level else None,
        first=first,
    )
    call.out.document(asked["logs"])
    if not asked["logs"]:
        call.out.note("no record matches")
    for one in asked["logs"]:
        place = "/".join(part for part in (one["instance"], one["service"]) if part)
        unit = f" {one['unit']}:" if one["unit"] else ""
        call.out.say(f"{moment(one['time'])} {one['level'].lower():7} {place}{unit} {one['message']}")


def _damaged(one: dict[str, Any]) -> str:
    names = ", ".join(one["damaged"])
    return names and f"not as signed on that disk: {names} (there, 'vupdate agent repair {one['service']}')"


def _way(one: dict[str, Any]) -> str:
    return " → ".join([one["instance"], *(hop["node"] for hop in one["path"])])


@asking(
    faults,
    "list",
    examples="""
    vupdate faults list
    vupdate faults list guestbook --first 10
    """,
)
async def list_faults(
    call: Call,
    service: Annotated[str | None, typer.Argument(help="Of this service only.")] = None,
    *,
    first: First = 50,
) -> None:
    """List fault reports, newest first, with the way each took."""
    found = (await call.ask(documents.FAULTS, service=service, first=first))["faults"]
    call.out.document(found)
    call.out.table(
        ("when", "service", "version", "what", "put back", "way", "id"),
        [
            (
                moment(one["occurred"]),
                one["service"],
                one["version"],
                one["message"] or one["reason"],
                one["putBack"] or "–",
                _way(one),
                one["id"],
            )
            for one in found
        ],
        empty="no fault was reported",
    )


def _free(host: dict[str, Any], what: str) -> str | None:
    whole, free = host[f"{what}Bytes"], host[f"{what}FreeBytes"]
    return None if whole is None or free is None else f"{size(free)} free of {size(whole)}"


@asking(faults, "show", examples="vupdate faults show 6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa")
async def show_fault(
    call: Call, fault: Annotated[str, typer.Argument(metavar="ID", help="The report's id.", show_default=False)]
) -> None:
    """Show one fault report with the last lines before the crash."""
    one = (await call.ask(documents.FAULT, id=fault))["fault"]
    if one is None:
        raise CommandError(f"there is no fault report {fault}", "not-found", status=Exit.ABSENT)
    call.out.document(one)
    ended = f"status {one['exitStatus']}" if one["exitStatus"] is not None else one["signal"]
    call.out.fields(
        {
            "service": f"{one['service']} {one['version']} on {one['instance']}",
            "when": moment(one["occurred"]),
            "what": one["message"],
            "reason": one["reason"],
            "ended": ended,
            "uptime": f"{one['uptimeSeconds']:.1f} s" + (", in probation" if one["inProbation"] else ""),
            "put back": one["putBack"],
            "like it": one["alike"] and f"{one['alike']} crashes since the last report that were only counted",
            "memory": _free(one["host"], "memory"),
            "disk": _free(one["host"], "disk"),
            "out of memory": one["host"]["oomKills"]
            and f"the kernel killed {one['host']['oomKills']} processes of that host while it ran",
            "before": "; ".join(f"{moment(had['occurred'])} {had['version']}" for had in one["earlier"]),
            "damaged": _damaged(one),
            "files": one["files"] and f"put aside on {one['instance']}: {', '.join(one['files'])}",
            "left there": one["left"] and f"too many or too large to put aside: {', '.join(one['left'])}",
            "way": _way(one),
            "goes on": one["forwardTo"]
            and f"to {one['forwardTo']}, {'taken' if one['forwarded'] else 'not taken yet'}",
        }
    )
    if one["trace"]:
        call.out.say("stack trace:")
        for line in one["trace"]:
            call.out.say(f"  {line}")
        call.out.say("log:")
    for line in one["log"]:
        call.out.say(f"  {line}")


@asking(faults, "files", examples="vupdate faults files 6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa --to fault.tar.gz")
async def fault_files(
    call: Call,
    fault: Annotated[str, typer.Argument(metavar="ID", help="The report's id.", show_default=False)],
    target: Annotated[Path, typer.Option("--to", help="The file to write; it must not be there yet.")],
) -> None:
    """Fetch the files that were put aside with a fault report, as a gzipped tar file."""
    content = base64.b64decode((await call.ask(documents.FAULT_FILES, id=fault))["faultFiles"])
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandError(f"{target} can't be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    call.out.document({"file": str(target), "bytes": len(content)})
    call.out.say(f"{target}: {size(len(content))}; its files are what a service wrote, so look before you open them")

"""What this node tells its providers: redaction per link, shown before it is sent, and tested marks."""

from enum import Enum
from typing import Annotated, Any, Final

import typer

from node.cli import uplink
from node.cli.commands.links import Name, providers
from node.cli.commands.outbox import letter
from node.cli.exits import CommandError
from node.cli.options import Call, asking, group

tested: Final = group(
    "tested",
    "This node's word that versions passed its tests.",
    """
    vupdate tested mark --comment "ran for a week"
    """,
)


class Faults(Enum):
    """How much of a fault report goes to a provider."""

    OFF = "off"
    COUNTS = "counts"
    WITHOUT_LOG = "without-log"
    FULL = "full"


def _changed(present: dict[str, Any], given: dict[str, Any], mask: list[str], unmask: list[str]) -> dict[str, Any]:
    """The settings as the API takes them, with what was given changed."""
    masks = [one for one in present["masks"] if one not in unmask]
    kept = {key: present[key] for key in ("states", "installed", "faults", "pseudonyms", "emails")}
    return {
        **kept,
        **{key: value for key, value in given.items() if value is not None},
        "masks": [*masks, *(one for one in mask if one not in masks)],
    }


def _lines(rules: dict[str, Any]) -> dict[str, object]:
    told = {True: "sent", False: "not sent"}
    return {
        "states": told[rules["states"]],
        "installed": told[rules["installed"]],
        "faults": rules["faults"].lower().replace("_", " "),
        "instances": "under pseudonyms" if rules["pseudonyms"] else "by their names",
        "mail addresses": "blotted out" if rules["emails"] else "as they are",
        "passwords, keys": "always blotted out",
        "masks": ", ".join(rules["masks"]) or f"{rules['maskCount']}",
    }


@asking(
    providers,
    "redaction",
    examples="""
    vupdate provider redaction acme
    vupdate provider redaction acme --faults without-log --pseudonyms
    vupdate provider redaction acme --mask 'db-*.corp.example' --mask 'Globex Ltd'
    vupdate provider redaction acme --mask-file - < names-of-our-customers.txt
    vupdate provider preview acme
    """,
)
async def redaction(
    call: Call,
    name: Name,
    *,
    states: Annotated[bool | None, typer.Option(help="Send how its versions run here.", show_default=False)] = None,
    installed: Annotated[bool | None, typer.Option(help="Send which are wanted here.", show_default=False)] = None,
    faults: Annotated[Faults | None, typer.Option(help="How much of a fault report is sent.")] = None,
    pseudonyms: Annotated[
        bool | None, typer.Option(help="Send instances under names that only this provider knows.", show_default=False)
    ] = None,
    emails: Annotated[
        bool | None, typer.Option("--hide-emails/--show-emails", help="Blot out mail addresses.", show_default=False)
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option(help="Blot out this text; '*' is any run within a word. May be repeated.")
    ] = None,
    mask_file: Annotated[
        typer.FileText | None,
        typer.Option(help="Blot out each line of this file ('-': standard input); for texts that are secrets."),
    ] = None,
    unmask: Annotated[list[str] | None, typer.Option(help="Blot this text out no more.")] = None,
) -> None:
    """Show or decide what of this node's states and faults a provider gets. 'provider preview' shows the outcome."""
    found = (await call.ask(uplink.REDACTIONS))["providers"]
    present = next((one["redaction"] for one in found if one["name"] == name), None)
    if present is None:
        raise CommandError(f"there is no provider {name!r}: see 'vupdate provider list'", "not-found")
    given = {
        "states": states,
        "installed": installed,
        "faults": faults and faults.name,
        "pseudonyms": pseudonyms,
        "emails": emails,
    }
    more = [line.strip() for line in mask_file or () if line.strip()]
    if mask or more or unmask or any(value is not None for value in given.values()):
        wanted = _changed(present, given, [*(mask or ()), *more], unmask or [])
        present = (await call.ask(uplink.SET_REDACTION, provider=name, redaction=wanted))["setRedaction"]["redaction"]
    call.out.document(present)
    call.out.fields(_lines(present))


@asking(providers, "preview", examples="vupdate provider preview acme")
async def preview(
    call: Call,
    name: Name,
    *,
    first: Annotated[int, typer.Option("--first", min=1, max=20, help="How many of those that wait.")] = 5,
) -> None:
    """Print exactly what a provider would be sent now: the newest states, and what waits for it; after redaction."""
    found = (await call.ask(uplink.PREVIEW, name=name, first=first))["providerPreview"]
    call.out.document(found)
    for one in found:
        letter(call, one)


@asking(
    tested,
    "mark",
    examples="""
    vupdate tested mark
    vupdate tested mark --service shop --comment "all journeys pass"
    """,
)
async def mark(
    call: Call,
    *,
    service: Annotated[list[str] | None, typer.Option("--service", help="Only this one; may be repeated.")] = None,
    comment: Annotated[str, typer.Option("--comment", help="What was tested, and how.")] = "",
) -> None:
    """Tell the providers that the versions desired here passed the tests. Others may wait for such a word."""
    found = (await call.ask(uplink.MARK_TESTED, services=service, comment=comment))["markTested"]
    call.out.document(found)
    for one in found:
        versions = ", ".join(f"{each['service']} {each['version']}" for each in one["mark"]["versions"])
        call.out.say(f"{one['provider']} is told: {versions} passed")

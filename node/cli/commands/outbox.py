"""Shows what waits to go up to providers, exactly what goes out, and lets an operator retry or drop it."""

from typing import Annotated, Any, Final

import typer

from node.cli import uplink
from node.cli.options import Call, First, asking, overview
from node.cli.output import ago, size

app: Final = typer.Typer(name="outbox", rich_markup_mode=None, pretty_exceptions_enable=False)
Entry = Annotated[str, typer.Argument(metavar="ID", help="The entry's id, as 'vupdate outbox' shows it.")]


def _way(call: Call, way: dict[str, Any]) -> None:
    trouble = f", not reached: {way['error']}, tried again {way['due']}" if way["failures"] else ""
    call.out.say(f"{way['provider']}: {way['waiting']} waiting, {size(way['waitingBytes'])}{trouble}")
    for one in way["omitted"]:
        call.out.say(f"  not sent whole ({one['why']}): {one['count']:.0f} × {one['kind']} of {uplink.about(one)}")


@overview(
    app,
    examples="""
    vupdate outbox
    vupdate outbox --provider acme
    vupdate outbox show acme/fault/6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa
    """,
)
async def show_all(
    call: Call,
    *,
    provider: Annotated[str | None, typer.Option("--provider", help="Only what is for this one.")] = None,
    first: First = 50,
) -> None:
    """Show what waits for providers: how long, how often it was tried, and why it failed; then the newest receipts."""
    found = await call.ask(uplink.OUTBOX, provider=provider, first=first)
    call.out.document(found)
    for way in found["outboxWays"]:
        if provider in (None, way["provider"]):
            _way(call, way)
    call.out.table(
        ("entry", "standing", "about", "queued", "due", "attempts", "error"),
        [
            (
                one["id"],
                one["standing"].lower(),
                uplink.about(one) if one["service"] else one["kind"],
                ago(one["created"]),
                one["due"] if one["standing"] in ("WAITING", "ASIDE") else "–",
                one["attempts"],
                one["error"],
            )
            for one in found["outbox"]
        ],
        empty="nothing waits, and nothing was sent yet",
    )


@asking(app, "show", examples="vupdate outbox show acme/states/states")
async def show(call: Call, entry: Entry) -> None:
    """Print exactly what was sent for an entry, or what would be sent now: after redaction, as it goes out."""
    found = (await call.ask(uplink.OUTBOX_LETTER, id=entry))["outboxLetter"]
    call.out.document(found)
    letter(call, found)


def letter(call: Call, found: dict[str, Any]) -> None:
    """One letter: where it goes on standard error, its body as it is."""
    if found["withheld"]:
        call.out.say(f"{found['entry']}: nothing is sent: {found['withheld']}")
        return
    call.out.note(f"{found['entry']}: POST {found['path']}, {size(found['sizeBytes'])}")
    call.out.say(found["body"])


@asking(app, "retry", examples="vupdate outbox retry acme/fault/6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa")
async def retry(call: Call, entry: Entry) -> None:
    """Send an entry at once that was refused, withheld or failed."""
    found = (await call.ask(uplink.RETRY, id=entry))["retryOutbox"]
    call.out.document(found)
    call.out.say(f"{entry} is sent again")


@asking(app, "drop", examples="vupdate outbox drop acme/fault/6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa")
async def drop(call: Call, entry: Entry) -> None:
    """Never send an entry. Its number is not told either."""
    await call.ask(uplink.DROP, id=entry)
    call.out.document({"dropped": entry})
    call.out.say(f"{entry} will not be sent")

"""Shows what an operator must look at, and hides what he has seen."""

from typing import Annotated, Final

import typer

from node.cli import documents
from node.cli.options import Call, asking, overview
from node.cli.output import ago

app: Final = typer.Typer(name="alarms", rich_markup_mode=None, pretty_exceptions_enable=False)


@overview(
    app,
    examples="""
    vupdate alarms
    vupdate alarms --json
    vupdate alarms dismiss origin-key-changed/acme
    """,
)
async def show(call: Call) -> None:
    """Show what is wrong and what to do about it: a changed key, a refused catalogue, a link that was ended."""
    found = (await call.ask(documents.ALARMS))["alarms"]
    call.out.document(found)
    if not found:
        call.out.say("no alarm")
    for one in found:
        call.out.say(f"{one['id']}: since {ago(one['firstSeen'])}, last {ago(one['lastSeen'])}, {one['count']} times")
        call.out.say(f"  {one['message']}")


@asking(app, "dismiss", examples="vupdate alarms dismiss origin-key-changed/acme")
async def dismiss(
    call: Call, alarm: Annotated[str, typer.Argument(metavar="ID", help="The alarm's id.", show_default=False)]
) -> None:
    """Hide an alarm until it sounds with another message. Its cause stays as it is."""
    found = (await call.ask(documents.DISMISS_ALARM, id=alarm))["dismissAlarm"]
    call.out.document(found)
    call.out.say(f"{alarm} is hidden until it sounds with another message")

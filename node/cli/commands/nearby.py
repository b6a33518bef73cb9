"""Shows the nodes on the local network, and links this one to another by a code that both operators compare."""

import asyncio
import sys
from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.commands.links import AutoUpdate
from node.cli.exits import CommandError, Exit
from node.cli.options import Call, asking, group
from node.cli.output import ago

alone: Final = typer.Typer(rich_markup_mode=None)
pairing: Final = group(
    "pairing",
    "Answers nodes that want to pair with this one; 'vupdate pairings' lists them.",
    """
    vupdate pairing confirm 0f3a5c7e9b1d2f46 --code 123456 --profile public
    vupdate pairing reject 0f3a5c7e9b1d2f46
    """,
)
_ASK_SECONDS: Final = 2.0
_MOST_SECONDS: Final = 660.0

Id = Annotated[str, typer.Argument(metavar="ID", help="The pairing's id.", show_default=False)]
Auto = Annotated[
    AutoUpdate, typer.Option("--auto", help="What happens by itself when the provider offers something new.")
]


def shown_code(code: str | None) -> str:
    """A code in two groups, as people read it aloud."""
    return f"{code[:3]} {code[3:]}" if code else "–"


@asking(
    alone,
    "nearby",
    examples="""
    vupdate nearby
    vupdate nearby --json
    """,
)
async def nearby(call: Call) -> None:
    """Show the nodes that announce themselves on the local network. Seeing one is no reason to trust it."""
    found = (await call.ask(documents.NEARBY))["nearby"]
    call.out.document(found)
    call.out.table(
        ("node", "is", "address", "heard", "id"),
        [
            (one["name"], one["relation"].lower(), one["urls"][0], ago(one["heard"]), one["id"])
            for one in found["nodes"]
        ],
        empty="no other node is heard on the local network"
        if found["on"]
        else 'this node does not listen: set discovery = "on" in its config.toml and start it again',
    )


def _wanted(one: dict[str, Any]) -> str:
    if not one["provides"]:
        return f"this node takes versions{_of(one)}"
    return f"{one['node']} takes versions{_of(one)}"


def _of(one: dict[str, Any]) -> str:
    return f" of {one['profile']}" if one["profile"] else ""


def _standing(one: dict[str, Any]) -> str:
    if one["stage"] != "COMPARING":
        return str(one["stage"].lower())
    sides = [side for side, done in (("here", one["confirmedHere"]), ("there", one["confirmedThere"])) if done]
    return f"confirmed {' and '.join(sides)}" if sides else "compare the codes"


@asking(
    alone,
    "pairings",
    examples="""
    vupdate pairings
    vupdate pairings --json
    """,
)
async def pairings(call: Call) -> None:
    """List the pairings that wait for a confirmation, or ended lately."""
    found = (await call.ask(documents.PAIRINGS))["pairings"]
    call.out.document(found)
    call.out.table(
        ("id", "node", "code", "stands", "what", "note"),
        [
            (one["id"], one["node"], shown_code(one["code"]), _standing(one), _wanted(one), one["reason"])
            for one in found
        ],
        empty="no pairing: begin one with 'vupdate pair NODE'",
    )


@asking(
    alone,
    "pair",
    examples="""
    vupdate pair acme                         # take versions from the node called so, nearby
    vupdate pair https://acme.example:7420
    vupdate pair globex --give public         # let it take those of a profile
    vupdate pair acme < /dev/null             # shows the code and ends; confirm by 'vupdate pairing confirm'
    """,
)
async def pair(
    call: Call,
    node: Annotated[str, typer.Argument(help="The node: its name or id, when it is nearby, or its address.")],
    *,
    give: Annotated[
        str | None, typer.Option("--give", metavar="PROFILE", help="Give versions instead of taking them.")
    ] = None,
    auto: Auto = AutoUpdate.INSTALL,
) -> None:
    """Link with another node: both operators compare a code, and nothing is linked before both have confirmed it."""
    wish = "TAKE" if give is None else "GIVE"
    begun = (await call.ask(documents.START_PAIRING, target=node, wish=wish, profile=give))["startPairing"]
    call.out.note(f"{begun['node']} ({begun['nodeId']})")
    call.out.note(f"The code: {shown_code(begun['code'])}")
    if not sys.stdin.isatty():
        call.out.document(begun)
        call.out.say(f"Pairing {begun['id']} with {begun['node']}: code {shown_code(begun['code'])}")
        call.out.say(
            f"Let its operator read you the code that it shows, and confirm by "
            f"'vupdate pairing confirm {begun['id']} --code CODE'; he confirms there"
        )
        return
    question = f"Does {begun['node']} show this very code, in 'vupdate pairings' or its pages?"
    if not await asyncio.to_thread(typer.confirm, question, err=True):
        await call.ask(documents.REJECT_PAIRING, id=begun["id"])
        raise CommandError("the codes differ, or nobody compared them: no link was made", "pairing", status=Exit.DENIED)
    await _confirmed(call, begun["id"], begun["code"], None, auto)
    call.out.note(f"Confirmed here; waiting for {begun['node']}'s operator")
    _conclude(call, await _ended(call, begun["id"]))


@asking(
    pairing,
    "confirm",
    examples="""
    vupdate pairing confirm 0f3a5c7e9b1d2f46 --code 123456
    vupdate pairing confirm 0f3a5c7e9b1d2f46 --code '123 456' --profile public
    """,
)
async def confirm(
    call: Call,
    pairing_id: Id,
    *,
    code: Annotated[str, typer.Option("--code", help="The six digits that the OTHER node shows.")],
    profile: Annotated[
        str | None, typer.Option("--profile", help="What the other node may take, if it wants to take.")
    ] = None,
    auto: Auto = AutoUpdate.INSTALL,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Don't wait for the other side.")] = False,
) -> None:
    """Confirm that the other node shows this code. One that differs ends the pairing: somebody may be in between."""
    confirmed = await _confirmed(call, pairing_id, code, profile, auto)
    if no_wait or confirmed["stage"] != "COMPARING":
        _conclude(call, confirmed)
        return
    call.out.note(f"Confirmed here; waiting for {confirmed['node']}'s operator")
    _conclude(call, await _ended(call, pairing_id))


@asking(pairing, "reject", examples="vupdate pairing reject 0f3a5c7e9b1d2f46")
async def reject(call: Call, pairing_id: Id) -> None:
    """End a pairing. Nothing is linked by it; the other node learns that it ended."""
    ended = (await call.ask(documents.REJECT_PAIRING, id=pairing_id))["rejectPairing"]
    call.out.document(ended)
    call.out.say(f"the pairing with {ended['node']} is {ended['stage'].lower()}")


async def _confirmed(call: Call, pairing_id: str, code: str, profile: str | None, auto: AutoUpdate) -> dict[str, Any]:
    found: dict[str, Any] = await call.ask(
        documents.CONFIRM_PAIRING, id=pairing_id, code=code, profile=profile, autoUpdate=auto.name
    )
    confirmed: dict[str, Any] = found["confirmPairing"]
    return confirmed


async def _ended(call: Call, pairing_id: str) -> dict[str, Any]:
    """The pairing once it has ended, as it does by itself after ten minutes."""
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            while True:
                for one in (await call.ask(documents.PAIRINGS))["pairings"]:
                    if one["id"] == pairing_id and one["stage"] not in ("OPENING", "COMPARING"):
                        ended: dict[str, Any] = one
                        return ended
                await asyncio.sleep(_ASK_SECONDS)
    except TimeoutError as error:
        raise CommandError("the pairing did not end in time: see 'vupdate pairings'") from error


def _conclude(call: Call, one: dict[str, Any]) -> None:
    """Show how a pairing stands.

    Raises:
        CommandError: it made no link.
    """
    if one["stage"] not in ("COMPARING", "LINKED"):
        raise CommandError(
            f"the pairing with {one['node']} is {one['stage'].lower()}: {one['reason']}",
            f"pairing-{one['stage'].lower()}",
            status=Exit.DENIED,
        )
    call.out.document(one)
    if one["stage"] == "COMPARING":
        call.out.say(f"confirmed here; the link is made once {one['node']}'s operator has confirmed too")
        return
    what = "consumer" if one["provides"] else "provider"
    profile = f", for profile {one['profile']}" if one["profile"] else ""
    call.out.say(f"{one['node']} is a {what} of this node now{profile}")
    call.out.say(f"Its id: {one['nodeId']}")

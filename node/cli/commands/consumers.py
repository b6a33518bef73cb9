"""Shows the nodes that take versions from this one and what they reported, and decides what each may."""

from collections.abc import Collection
from enum import Enum
from typing import Annotated, Any, Final

import typer

from node.cli import uplink
from node.cli.options import Call, asking, group
from node.cli.output import ago, moment

app: Final = group(
    "consumer",
    "The nodes that take versions from this one.",
    """
    vupdate consumer list
    vupdate consumer show globex
    vupdate consumer rights globex --deny states
    """,
)
Name = Annotated[str, typer.Argument(help="The other node's name.", show_default=False)]


class Right(Enum):
    """What a consumer may do."""

    TAKE = "take"
    STATES = "states"
    FAULTS = "faults"
    BUILDS = "builds"
    TASK_LOGS = "task-logs"


USUAL_RIGHTS: Final = ("TAKE", "STATES", "FAULTS", "TASK_LOGS")
"""What a consumer gets unless its provider's operator says otherwise; the node has the last word."""

Allow = Annotated[list[Right] | None, typer.Option("--allow", help="Give this right; may be repeated.")]
Deny = Annotated[list[Right] | None, typer.Option("--deny", help="Take this right away; may be repeated.")]


def changed_rights(present: Collection[str], allow: list[Right] | None, deny: list[Right] | None) -> list[str]:
    """The names of the rights in ``present``, those allowed added and those denied taken away."""
    given = {*present, *(right.name for right in allow or ())}
    return sorted(given - {right.name for right in deny or ()})


def shown_rights(rights: Collection[str]) -> str:
    """Rights as people write them."""
    return ", ".join(sorted(right.lower().replace("_", "-") for right in rights)) or "none"


@asking(app, "list", examples="vupdate consumer list")
async def list_consumers(call: Call) -> None:
    """List the consumers with their profiles and rights."""
    found = (await call.ask(uplink.CONSUMERS))["consumers"]
    call.out.document(found)
    call.out.table(
        ("consumer", "profile", "connected", "seen", "rights", "tester", "id"),
        [
            (
                one["name"],
                one["profile"],
                "yes" if one["connected"] else "no",
                ago(one["seen"]),
                shown_rights(one["rights"]),
                "yes" if one["tester"] else "no",
                one["id"],
            )
            for one in found
        ],
        empty="no consumer yet: invite one with 'vupdate invite PROFILE'",
    )


def _states(report: dict[str, Any] | None) -> list[tuple[object, ...]]:
    return [
        (
            instance["name"],
            one["service"],
            one["running"] or "–",
            one["phase"].lower(),
            ago(instance["at"]),
            one["error"],
        )
        for instance in (report or {"instances": []})["instances"]
        for one in instance["services"]
    ]


@asking(app, "show", examples="vupdate consumer show globex")
async def show(call: Call, name: Name) -> None:
    """Show a consumer: its rights, what it has installed, how that runs there, what it tested and what it left out."""
    found = (await call.ask(uplink.CONSUMER, name=name))["consumer"]
    call.out.document(found)
    report = found["report"]
    installed = report["installed"] if report else []
    call.out.fields(
        {
            "consumer": found["name"],
            "id": found["id"],
            "profile": found["profile"],
            "rights": shown_rights(found["rights"]),
            "tester": "yes" if found["tester"] else "no",
            "linked": moment(found["linked"]),
            "seen": ago(found["seen"]),
            "reported": ago(report["received"]) if report else "nothing yet",
            "installed": ", ".join(f"{one['service']} {one['version']}" for one in installed),
            "left out": f"{report['leftOut']} more instances" if report and report["leftOut"] else "",
        }
    )
    call.out.table(
        ("instance", "service", "running", "phase", "as of", "error"), _states(report), empty="no instance reported"
    )
    for mark in found["marks"]:
        tested = ", ".join(f"{one['service']} {one['version']}" for one in mark["versions"])
        call.out.say(f"tested {moment(mark['at'])}: {tested}{': ' if mark['comment'] else ''}{mark['comment']}")
    for one in found["omitted"]:
        call.out.say(f"not sent whole ({one['why']}): {one['count']:.0f} × {one['kind']} of {uplink.about(one)}")


@asking(
    app,
    "rights",
    examples="""
    vupdate consumer rights globex
    vupdate consumer rights globex --deny states --deny faults
    vupdate consumer rights globex --allow builds
    """,
)
async def rights(call: Call, name: Name, *, allow: Allow = None, deny: Deny = None) -> None:
    """Show what a consumer may, or change it. It holds at once, and the consumer is told."""
    found = (await call.ask(uplink.CONSUMER_RIGHTS, name=name))["consumer"]
    if allow or deny:
        wanted = changed_rights(found["rights"], allow, deny)
        found = (await call.ask(uplink.SET_RIGHTS, name=name, rights=wanted))["setConsumerRights"]
    call.out.document(found)
    call.out.say(f"{name} may: {shown_rights(found['rights'])}")


@asking(app, "profile", examples="vupdate consumer profile globex public-services")
async def profile(
    call: Call, name: Name, to: Annotated[str, typer.Argument(metavar="PROFILE", help="The profile's name.")]
) -> None:
    """Let a consumer take the versions of another profile from now on. It follows by itself."""
    found = (await call.ask(uplink.SET_CONSUMER_PROFILE, name=name, profile=to))["setConsumerProfile"]
    call.out.document(found)
    call.out.say(f"{name} takes profile {found['profile']} from now on")


class Switch(Enum):
    """On or off."""

    ON = "on"
    OFF = "off"


@asking(app, "tester", examples="vupdate consumer tester globex on")
async def tester(
    call: Call,
    name: Name,
    to: Annotated[Switch, typer.Argument(help="Whether its tested marks are shown to the others.")],
) -> None:
    """Show the tested marks of a consumer, under its name, to all others that take the same services; or stop that."""
    found = (await call.ask(uplink.SET_TESTER, name=name, tester=to is Switch.ON))["setConsumerTester"]
    call.out.document(found)
    shown = "are shown to the other consumers" if found["tester"] else "stay with this node"
    call.out.say(f"the tested marks of {name} {shown}")


@asking(app, "remove", examples="vupdate consumer remove globex")
async def remove(call: Call, name: Name) -> None:
    """End the link to a consumer. From then on it is a stranger: it gets nothing, and learns nothing."""
    await call.ask(uplink.REMOVE_CONSUMER, name=name)
    call.out.document({"removed": name})
    call.out.say(f"{name} is no consumer of this node any more")

"""Shows the instances of a node, and says what each runs."""

from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.commands.agent_orders import wishes
from node.cli.exits import usage
from node.cli.options import Call, asking, group
from node.cli.output import ago, moment

app: Final = group(
    "instance",
    "The hosts with an agent of this node, and what runs on each. Attach one with 'vupdate agent'.",
    """
    vupdate instance list
    vupdate instance assign web-1 guestbook shop:worker
    """,
)
Name = Annotated[str, typer.Argument(help="The instance's name.", show_default=False)]


def _assigned(one: dict[str, Any]) -> str:
    if one["services"] is None:
        return f"all that is desired and not placed elsewhere: {', '.join(one['due']) or 'nothing now'}"
    awaited = {held["service"]: f"{held['service']} (once {held['source']} has left it)" for held in one["awaits"]}
    text = ", ".join(awaited.get(service, service) for service in one["services"]) or "nothing"
    return (
        text if one["fixed"] is None else f"{text} (its own file allows only: {', '.join(one['fixed']) or 'nothing'})"
    )


def _agent(one: dict[str, Any]) -> str:
    text = "revoked" if one["revoked"] else "connected" if one["connected"] else "away"
    ahead = one["clockAheadSeconds"]
    return f"{text}, its clock {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}" if ahead else text


def _state(one: dict[str, Any]) -> str:
    text = f"{one['service']} {one['running'] or one['desired'] or ''} {one['phase'].lower()}"
    if wanted := wishes(one):
        text += f" ({wanted})"
    return f"{text} ({one['failed']} failed: {one['error']})" if one["failed"] else text


@asking(app, "list", examples="vupdate instance list")
async def show(call: Call) -> None:
    """List the instances, with what each is to run and what it runs."""
    found = (await call.ask(documents.INSTANCES))["instances"]
    call.out.document(found)
    call.out.table(
        ("instance", "labels", "agent", "seen", "is to run", "runs"),
        [
            (
                one["name"],
                ", ".join(one["labels"]) or "–",
                _agent(one),
                ago(one["seen"]),
                _assigned(one),
                "; ".join(map(_state, one["states"])) or "nothing",
            )
            for one in found
        ],
        empty="no instance yet: attach one with 'vupdate agent enrolment NAME'",
    )


@asking(
    app,
    "assign",
    examples="""
    vupdate instance assign web-1 guestbook shop:worker
    vupdate instance assign web-1 --all
    """,
)
async def assign(
    call: Call,
    name: Name,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE[:ROLE]...", help="All that it is to run.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All client versions that are desired.")] = False,
) -> None:
    """Decide what an instance runs. What is given replaces what was assigned before."""
    if everything == bool(services):
        raise usage("name the services that the instance is to run, or give --all")
    found = (await call.ask(documents.ASSIGN, instance=name, services=services or None))["assignServices"]
    call.out.document(found)
    call.out.say(f"{name} is to run {_assigned(found)}")


@asking(
    app,
    "label",
    examples="""
    vupdate instance label web-1 gpu site=berlin
    vupdate instance label web-1 --none
    """,
)
async def label(
    call: Call,
    name: Name,
    labels: Annotated[list[str] | None, typer.Argument(metavar="LABEL...", help="All that it has.")] = None,
    *,
    none: Annotated[bool, typer.Option("--none", help="It has no label.")] = False,
) -> None:
    """Give an instance labels, in place of those it had. 'vupdate service place' says what runs by them."""
    if none == bool(labels):
        raise usage("name the labels that the instance has, or give --none")
    found = (await call.ask(documents.LABEL, instance=name, labels=labels or []))["labelInstance"]
    call.out.document(found)
    call.out.say(f"{name} has {', '.join(found['labels']) or 'no label'}, and is to run {_assigned(found)}")


@asking(
    app,
    "move",
    examples="""
    vupdate instance move shop:worker web-1 web-2
    vupdate instance move shop:worker web-1 web-2 --at-once    # web-1 is gone for good
    """,
)
async def move(
    call: Call,
    service: Annotated[str, typer.Argument(metavar="SERVICE[:ROLE]", show_default=False)],
    source: Annotated[str, typer.Argument(metavar="FROM", help="Where it runs now.", show_default=False)],
    target: Annotated[str, typer.Argument(metavar="TO", help="Where it is to run.", show_default=False)],
    *,
    at_once: Annotated[bool, typer.Option("--at-once", help="Do not wait until it has ended there.")] = False,
) -> None:
    """Move a service to another instance: it begins there once it has ended here, so that it never runs twice."""
    found = (await call.ask(documents.MOVE, service=service, source=source, target=target, atOnce=at_once))[
        "moveService"
    ]
    call.out.document(found)
    call.out.say(f"{target} is to run {_assigned(found)}")


def _end(one: dict[str, Any]) -> str:
    """How a run ended, in words."""
    if one["alive"]:
        return "runs"
    if one["error"]:
        return f"never began: {one['error']}"
    if one["ended"] is None:
        return "its end was not seen"
    how = f"killed by SIG{one['signal']}" if one["signal"] else f"exit status {one['status']}"
    return f"stopped ({how})" if one["stopped"] else how


@asking(
    app,
    "runs",
    examples="""
    vupdate instance runs web-1 guestbook
    vupdate logs --instance web-1 --run RUN    # what one of them wrote
    """,
)
async def runs(
    call: Call,
    name: Name,
    service: Annotated[str, typer.Argument(metavar="SERVICE[:ROLE]", show_default=False)],
) -> None:
    """List the runs of a service on an instance, newest first, and how each ended."""
    found = (await call.ask(documents.RUNS, instance=name, service=service))["runs"]
    call.out.document(found)
    call.out.table(
        ("run", "version", "started", "ended", "how", "lost lines"),
        [
            (
                one["run"],
                one["version"],
                moment(one["started"]),
                moment(one["ended"]),
                _end(one),
                f"{one['lostLines']:.0f}" if one["lostLines"] else "",
            )
            for one in found
        ],
        empty=f"no run of {service} on {name} is known",
    )


@asking(app, "revoke", examples="vupdate instance revoke web-1")
async def revoke(call: Call, name: Name) -> None:
    """Turn an agent away from now on: its key opens nothing any more. What it runs, it keeps running."""
    found = (await call.ask(documents.REVOKE, name=name))["revokeInstance"]
    call.out.document(found)
    call.out.say(f"the agent of {name} is turned away; enrol it anew to take it back")

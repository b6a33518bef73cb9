"""Builds versions: of a service from its sources, and of a version for this site."""

from typing import Annotated, Final

import typer

from node.cli import documents
from node.cli.exits import usage
from node.cli.options import Call, NoWait, asking
from node.cli.output import size

app: Final = typer.Typer(rich_markup_mode=None)
On = Annotated[
    list[str] | None,
    typer.Option(
        "--on", metavar="PEER", help="By this peer; may be given several times, 'any' for whichever provider takes it."
    ),
]
Service = Annotated[str, typer.Argument(help="The service's name.", show_default=False)]


def builder_names(on: list[str] | None) -> list[str] | None:
    """What the node is told of ``--on``: nothing for a build here, no name for any peer."""
    return None if on is None else [name for name in on if name != "any"]


@asking(
    app,
    "build",
    examples="""
    vupdate build guestbook
    vupdate build guestbook --version acme-2.0.0 --comment "New look"
    vupdate build guestbook --on acme                # by a peer that granted it
    vupdate build guestbook --on any --no-wait
    vupdate build explain 3f2a…                      # why a build is not at work
    """,
)
async def build(
    call: Call,
    service: Service,
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="After 'explain': the task's id.")] = None,
    *,
    on: On = None,
    version: Annotated[
        str | None, typer.Option("--version", help="The version to make, as in acme-2.0.0.  [default: the next one]")
    ] = None,
    comment: Annotated[str, typer.Option("--comment", help="What is new in it; signed with the version.")] = "",
    no_wait: NoWait = False,
) -> None:
    """Build a developer version of a service from its sources, sign it and make it desired. Its log is shown live."""
    from node.cli.follow import run_task

    if task is not None:
        if service != "explain":
            raise usage(f"what is {task!r}? A build takes the service; 'vupdate build explain TASK' tells of a task")
        await _explain(call, task)
        return
    await run_task(
        call,
        documents.BUILD,
        wait=not no_wait,
        service=service,
        version=version,
        comment=comment,
        on=builder_names(on),
    )


async def _explain(call: Call, task: str) -> None:
    """Say where a task stands, and why it goes no further."""
    one = (await call.ask(documents.TASK, id=task))["task"]
    call.out.document(one)
    state = one["state"].lower()
    if one["waitsFor"]:
        call.out.say(f"{one['title']} is {state}: it {one['waitsFor']}")
    elif one["ended"]:
        call.out.say(f"{one['title']} {state}: {one['error'] or one['result']}")
    else:
        call.out.say(f"{one['title']} is {state}, and nothing holds it up; 'vupdate tasks log {task}' shows its log")


@asking(app, "builders", examples="vupdate builders")
async def builders(call: Call) -> None:
    """List the peers that could build for this node: whether each takes a build now, and why not.

    A consumer is listed once it has called in for work ('vupdate provider builds' there), and builds only where named.
    """
    found = (await call.ask(documents.BUILDERS))["builders"]
    call.out.document(found)
    call.out.table(
        ("peer", "is a", "takes a build", "builds for peers", "load", "free memory", "free disk"),
        [
            (
                one["name"],
                one["kind"].lower(),
                "yes" if one["takes"] else f"no: {one['why']}",
                "" if one["running"] is None else f"{one['running']} of {one['most']}",
                "" if one["load"] is None else f"{one['load']:.1f} on {one['cpus']}",
                "" if one["freeMemoryBytes"] is None else size(one["freeMemoryBytes"]),
                "" if one["freeDiskBytes"] is None else size(one["freeDiskBytes"]),
            )
            for one in found
        ],
        empty="nobody builds for this node: it has no provider, and no consumer that calls in for work",
    )


@asking(
    app,
    "client-build",
    examples="""
    vupdate client-build guestbook
    vupdate client-build guestbook shop
    vupdate client-build --all                       # every service that runs at this site
    vupdate client-build guestbook --no-wait --json
    """,
)
async def client_build(
    call: Call,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE", help="The services' names.", show_default=False)
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every service that runs at this site.")] = False,
    no_wait: NoWait = False,
) -> None:
    """Adapt the desired developer versions of services to this site again, and make the results desired.

    Each is a task of its own: those that succeed count, whatever becomes of the others, which are named.
    """
    from node.cli.batch import run_all, run_each
    from node.cli.follow import run_task

    names = list(dict.fromkeys(services or ()))
    if every == bool(names):
        raise usage("name services, or say --all for every one that runs at this site")
    if every:
        await run_all(call, documents.CLIENT_BUILD_ALL, wait=not no_wait)
    elif len(names) == 1:
        await run_task(call, documents.CLIENT_BUILD, wait=not no_wait, service=names[0])
    else:
        await run_each(call, documents.CLIENT_BUILD, names, wait=not no_wait)

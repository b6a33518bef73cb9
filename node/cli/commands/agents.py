"""Attaches an agent to a node, runs it, shows what it does."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from agent import init
from node.cli import documents
from node.cli.commands import agent_host, agent_orders
from node.cli.onetime import FromFile, Refused, read_text, refuse_argument
from node.cli.options import Call, Home, asking, default_home, group, local
from node.cli.output import Output, ago, moment

app: Final = group(
    "agent",
    "The program that installs, starts, watches and updates services on one host.",
    """
    vupdate agent enrolment web-1 > enrolment.txt      # on the node's machine
    vupdate agent enrol --file enrolment.txt           # on the host
    vupdate agent run                                  # there too
    """,
)


@asking(app, "enrolment", examples="vupdate agent enrolment web-1 > enrolment.txt")
async def enrolment(
    call: Call, instance: Annotated[str, typer.Argument(help="The name of the new instance.", show_default=False)]
) -> None:
    """Make an enrolment: it attaches one agent to this node under a name, once, for a day."""
    made = (await call.ask(documents.ENROLMENT, instance=instance))["createEnrolment"]
    call.out.document(made)
    call.out.raw(made["text"])
    call.out.note(
        f"Whoever has it can attach an agent as {instance} until {moment(made['expires'])}. "
        "There, give it to 'vupdate agent enrol' on standard input."
    )


_ENROL_EXAMPLES: Final = """
    vupdate agent enrol --file enrolment.txt
    vupdate agent enrol --home /srv/agent < enrolment.txt
    vupdate agent enrol --file enrolment.txt --only shop --only mail:worker
    """


async def enrol(
    out: Output,
    refused: Refused = None,
    *,
    file: FromFile = None,
    home: Home = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="SERVICE[:ROLE]", help="Never run another service here, whatever the node says."
        ),
    ] = None,
) -> None:
    """Attach an agent on this host to the node that made the enrolment. It holds a secret, so it is no argument."""
    from agent.enrol import enrol as attach
    from federation.clock import SystemClock
    from federation.names import ServiceKey

    refuse_argument(refused, "enrolment")
    folder = home or default_home()
    fixed = tuple(sorted({ServiceKey(one) for one in only})) if only else None
    attached = await attach(read_text(file, "enrolment"), folder, SystemClock(), fixed=fixed)
    out.document(
        {
            "instance": attached.instance,
            "node": attached.node,
            "nodeId": attached.node_key.id,
            "url": attached.url,
            "home": str(folder),
        }
    )
    out.say(f"This agent is {attached.instance} of node {attached.node}, at {attached.url}")
    if attached.fixed is not None:
        out.say(f"It only ever runs {', '.join(attached.fixed)}: 'services' in {folder / 'agent.toml'} says so")
    if folder.stat().st_mode & 0o077:
        out.say(f"Others on this host can read what it keeps: chmod 700 {folder}, unless that is what you want")
    out.say(f"Start it: vupdate agent run{f' --home {folder}' if home else ''}")


local(app, "enrol", examples=_ENROL_EXAMPLES)(enrol)
local(app, "enroll", examples=_ENROL_EXAMPLES, hidden=True)(enrol)


def _told_to_stop() -> asyncio.Event:
    """Set by SIGTERM or Ctrl-C."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    init.receive()
    return stop


@local(
    app,
    "run",
    examples="""
    vupdate agent run
    vupdate agent run --home /srv/agent --json 2> log.jsonl
    """,
)
async def run(
    out: Output,
    *,
    home: Home = None,
    with_services: Annotated[
        bool, typer.Option("--with-services", help="Stop the services, too, when it is told to stop.")
    ] = False,
) -> None:
    """Run the agent until it is told to stop (Ctrl-C, or SIGTERM). Its services go on without it.

    As the first process of a container it also buries orphans, and stops the services when it is told to stop.
    """
    from agent.runner import run_agent
    from agent.runner import stop_services as stop_all
    from federation.clock import SystemClock
    from node.cli.logging import configure_logging

    if init.is_first():
        init.become([sys.executable, *sys.orig_argv[1:], *([] if with_services else ["--with-services"])])
    configure_logging(as_json=out.as_json)
    folder = home or default_home()

    def ready() -> None:
        out.event({"home": str(folder), "ready": True})
        out.say(f"The agent in {folder} is running")

    await run_agent(folder, SystemClock(), stop=_told_to_stop(), ready=ready)
    if with_services:
        await stop_all(folder)
    out.note("stopped, and its services" if with_services else "stopped; its services go on")


@local(
    app,
    "stop-services",
    examples="""
    vupdate agent stop-services
    vupdate agent stop-services --home /srv/agent
    """,
)
async def stop_services(out: Output, *, home: Home = None) -> None:
    """Stop all services of an agent that does not run. They start again with it."""
    from agent.runner import stop_services as stop_all

    folder: Path = home or default_home()
    await stop_all(folder)
    out.document({"home": str(folder), "stopped": True})
    out.say(f"the services of the agent in {folder} are stopped")


@local(
    app,
    "status",
    examples="""
    vupdate agent status
    vupdate agent status --home /srv/agent --json
    """,
)
async def status(out: Output, *, home: Home = None) -> None:
    """Show what is true of the services on this host, whether the agent runs or not."""
    from agent.status import read_status
    from federation import codec

    found = codec.to_document(await asyncio.to_thread(read_status, home or default_home()))
    out.document(found)
    if found["problem"]:
        out.say(f"! what the node says is refused: {found['problem']}")
    out.table(
        ("service", "phase", "since", "running", "desired", "failed", "why", "last exit", "operator"),
        [
            (
                one["key"],
                one["phase"],
                ago(one["since"]),
                one["running"] or "–",
                one["desired"] or "–",
                one["failed"] or "–",
                one["error"],
                one["last_exit"],
                agent_orders.wishes(one),
            )
            for one in found["services"]
        ],
        empty="no service is assigned to this agent",
    )


agent_orders.add_to(app)
agent_host.add_to(app)

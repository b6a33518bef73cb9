"""An operator's orders to the agent on this host, and what it keeps of the runs of its services."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from node.cli.exits import CommandError, answered
from node.cli.options import Home, default_home, local
from node.cli.output import Output, ago

if TYPE_CHECKING:
    from agent.home import Unit
    from agent.orders import Act, Answer

Service = Annotated[str, typer.Argument(metavar="SERVICE[:ROLE]", help="The service on this host.", show_default=False)]

_ORDERS: Final = {
    "stop": "Stop a service until it is started again. Neither its end nor a restart of the agent starts it.",
    "start": "Start a service that was stopped, at once.",
    "restart": "Stop a service by its own signal and start it again. It counts as no fault.",
    "repair": "Install the version that runs once more, as signed, and start it again. What the service wrote into its "
    "own folder is lost; its data folders stay.",
    "hold": "Let no update of a service begin; what runs goes on.",
    "release": "Let updates of a service begin again.",
    "retry": "Try a version that failed again, and what waits after trouble at once.",
}


def wishes(one: dict[str, Any]) -> str:
    """What an operator wants of a service, in a few words."""
    words = [word for word, key in (("stopped by an operator", "halted"), ("updates held", "held")) if one.get(key)]
    return ", ".join(words)


async def _obeyed(home: Path, act: "Act", service: str) -> "Answer":
    """The answer of the agent, or where none runs, of what is done without one."""
    from agent.control import ask
    from agent.errors import NoAgentError
    from agent.offline import order_offline
    from agent.orders import Request
    from federation.names import ServiceKey

    request = Request(act=act, service=ServiceKey(service))
    try:
        return await ask(home, request)
    except NoAgentError:
        return await order_offline(home, request)


async def _order(out: Output, word: str, service: str, home: Path | None) -> None:
    from agent.orders import Act
    from federation import codec

    answer = await _obeyed(home or default_home(), Act(word), service)
    if answer.state is None:
        raise answered(answer.message, answer.code)
    state = codec.to_document(answer.state)
    out.document(state)
    runs = f"{state['running']} runs" if state["running"] else "nothing of it runs"
    wanted = wishes(state)
    out.say(f"{service}: {state['phase']}, {runs}{f' ({wanted})' if wanted else ''}")


def _declare(app: typer.Typer, word: str, about: str) -> None:
    async def command(out: Output, service: Service, *, home: Home = None) -> None:
        await _order(out, word, service, home)

    command.__doc__ = about
    command.__name__ = word
    local(app, word, examples=f"vupdate agent {word} shop")(command)


async def services(out: Output, *, home: Home = None) -> None:
    """List the services of this host: what is wanted of each by its node and by an operator, and what runs."""
    from agent.status import read_status
    from federation import codec

    found = codec.to_document(await asyncio.to_thread(read_status, home or default_home()))
    out.document(found["services"])
    out.table(
        ("service", "phase", "running", "desired", "operator"),
        [
            (one["key"], one["phase"], one["running"] or "–", one["desired"] or "–", wishes(one))
            for one in found["services"]
        ],
        empty="no service is assigned to this agent",
    )


def _runs(unit: "Unit") -> list[dict[str, Any]]:
    """All runs that are known, oldest first. Blocking."""
    from agent.faults import describe_end
    from agent.history import earlier_runs
    from agent.runrecord import last_run
    from federation import codec

    last = last_run(unit)
    found = []
    for run in [*earlier_runs(unit), *([] if last is None else [last])]:
        document = codec.to_document(run)
        found.append({**document, "alive": run.alive, "how": "runs" if run.alive else describe_end(run.ended)})
    return found


async def _print_log(out: Output, unit: "Unit", run: str) -> None:
    from agent.logs import kept_lines, runs
    from federation.clock import to_text

    if run not in await asyncio.to_thread(runs, unit.logs):
        raise CommandError(f"no log of a run {run!r} is kept: 'vupdate agent history {unit.key}' lists the runs")
    for line in kept_lines(unit.logs / run):
        out.event({"time": to_text(line.time), "stream": line.stream, "text": line.text, "goes_on": line.goes_on})
        out.say(f"{to_text(line.time)} {line.text}")


async def history(
    out: Output,
    service: Service,
    *,
    log: Annotated[
        str | None, typer.Option("--log", metavar="RUN", help="Print what is kept of this run's log.")
    ] = None,
    home: Home = None,
) -> None:
    """List the runs of a service on this host, oldest first, or print the log of one."""
    from agent.home import Home as AgentHome
    from federation.names import ServiceKey

    place = AgentHome.at(home or default_home())
    place.attached()
    unit = place.unit(ServiceKey(service))
    if log is not None:
        await _print_log(out, unit, log)
        return
    found = await asyncio.to_thread(_runs, unit)
    out.document(found)
    out.table(
        ("run", "version", "started", "ended", "how"),
        [
            (
                one["run"],
                one["version"],
                ago(one["started"]),
                ago(one["ended"]["at"]) if one["ended"] else "–",
                one["how"],
            )
            for one in found
        ],
        empty=f"{service} never ran here",
    )


def add_to(app: typer.Typer) -> None:
    """Put the commands into the group ``agent``."""
    declared: Callable[[Callable[..., Awaitable[None]]], object] = local(
        app, "services", examples="vupdate agent services"
    )
    declared(services)
    for word, about in _ORDERS.items():
        _declare(app, word, about)
    local(
        app,
        "history",
        examples="""
    vupdate agent history shop
    vupdate agent history shop --log 00000012-5f0c11d2a9e04b7c
    """,
    )(history)

"""Makes a node, runs it, lets people in, and shows how it stands."""

import asyncio
import contextlib
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.options import Call, Data, Json, asking, default_data, help_of, local
from node.cli.output import Output, ago, moment

if TYPE_CHECKING:
    from node.usecases import Usecases

app: Final = typer.Typer(rich_markup_mode=None)
_ALARMS_SHOWN: Final = 5


class TlsChoice(Enum):
    """Whether the node serves TLS."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class RoleChoice(Enum):
    """What the one who logs in may do."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    ADMINISTRATOR = "administrator"


@local(
    app,
    "init",
    examples="""
    vupdate init --name acme
    vupdate init --name acme --data /srv/acme --host 0.0.0.0 --url https://acme.example:7420
    vupdate init --name acme --tls on
    """,
)
async def init(
    out: Output,
    *,
    name: Annotated[str, typer.Option("--name", help="The node's name: lower-case letters, digits, single '-'.")],
    data: Data = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port to listen at.")] = 7420,
    url: Annotated[
        str | None, typer.Option("--url", help="Where others reach the node.  [default: http(s)://HOST:PORT]")
    ] = None,
    tls: Annotated[
        TlsChoice,
        typer.Option(
            "--tls", help="Serve TLS; auto: unless only this machine can reach the node. off: behind a proxy."
        ),
    ] = TlsChoice.AUTO,
) -> None:
    """Make a node: its settings and its key, in its data folder. Never overwrites one."""
    from federation.keys import PrivateKey
    from federation.link.address import is_nowhere
    from federation.names import NodeName
    from node.config import create_node

    folder = data or default_data()
    settings = create_node(folder, name=NodeName(name), host=host, port=port, url=url, tls=tls.value)
    node_id = PrivateKey.load(settings.key_file).id
    out.document({"name": name, "id": node_id, "data": str(settings.data), "url": settings.url})
    out.say(f"Node {name} is made in {settings.data}.")
    out.say(f"Its id: {node_id}")
    if is_nowhere(settings.url):
        out.say(f"Set 'url' in {settings.data / 'config.toml'} to the address that others reach it by")
    else:
        out.say(f"Others reach it at {settings.url}; 'url' in {settings.data / 'config.toml'} says so")
    out.say(f"Start it: vupdate serve{f' --data {settings.data}' if data else ''}")


def _greet(out: Output, usecases: "Usecases", login: str | None) -> None:
    from federation.link.tls import in_pairs

    identity = usecases.identity
    certificates = usecases.proofs.certificates
    out.event(
        {
            "name": identity.name,
            "id": identity.id,
            "url": identity.url,
            "login": login,
            "certificate": certificates[0] if certificates else None,
        }
    )
    out.say(f"Node {identity.name} is running at {identity.url}")
    out.say(f"Its id: {identity.id}")
    if certificates:
        out.say(f"Its certificate, should a browser ask: SHA-256 {in_pairs(certificates[0])}")
    if login:
        out.say(f"Log in, once, within a quarter of an hour: {login}")
    else:
        out.say("For a link to log in with: vupdate login")


async def _login_at_first_start(usecases: "Usecases") -> str | None:
    """A log-in link if nobody has done anything on this node yet."""
    from node.model.account import Role

    if await usecases.audit.find(first=1):
        return None
    link, _ = await usecases.accounts.login_link(Role.ADMINISTRATOR, who="first start")
    return link


@local(
    app,
    "serve",
    examples="""
    vupdate serve
    vupdate serve --data /srv/acme
    vupdate serve --json 2> log.jsonl     # one line of JSON once it is ready, its log as JSON lines
    """,
)
async def serve(out: Output, *, data: Data = None) -> None:
    """Run a node until it is told to stop (Ctrl-C, or SIGTERM)."""
    from node.bootstrap import serve as run_node
    from node.cli.logging import configure_logging
    from node.config import load_settings

    configure_logging(as_json=out.as_json)
    settings = load_settings(data or default_data())
    started: asyncio.Future[Usecases] = asyncio.get_running_loop().create_future()

    async def greet() -> None:
        usecases = await started
        _greet(out, usecases, await _login_at_first_start(usecases))

    async with asyncio.TaskGroup() as group:
        greeting = group.create_task(greet())
        await run_node(settings, ready=started.set_result)
        greeting.cancel()
    out.note("stopped")


@asking(
    app,
    "login",
    examples="""
    vupdate login
    vupdate login --role viewer
    """,
)
async def login(
    call: Call,
    *,
    role: Annotated[
        RoleChoice, typer.Option("--role", help="What the one who logs in may do.")
    ] = RoleChoice.ADMINISTRATOR,
) -> None:
    """Make a link to log in with, in a browser. It works once, for a quarter of an hour."""
    made = (await call.ask(documents.LOGIN, role=role.name))["createLoginLink"]
    call.out.document(made)
    call.out.raw(made["url"])
    call.out.note(f"It works once, until {moment(made['expires'])}; it is as good as a password until then.")


def _phase(state: dict[str, Any]) -> str:
    text = f"{state['instance']}: {state['running'] or state['desired'] or ''} {state['phase'].lower()}"
    return f"{text} ({state['failed']} failed: {state['error']})" if state["failed"] else text


def _title(out: Output, text: str) -> None:
    out.say("")
    out.say(text)


@asking(
    app,
    "status",
    examples="""
    vupdate status
    vupdate status --json
    """,
)
async def status(call: Call) -> None:
    """Show a node at a glance: its services on their way, its links, its instances, what runs and what failed."""
    found = await call.ask(documents.STATUS)
    out = call.out
    out.document(found)
    node = found["node"]
    out.say(f"{node['name']}  {node['url']}  vUpdate {node['version']}")
    out.say(f"{node['id']}")
    _show_alarms(out, found["alarms"])
    _show_services(out, found["services"])
    _show_links(out, found)
    _show_instances(out, found["instances"])
    _unended_and_failed(out, found)


def _show_alarms(out: Output, alarms: list[dict[str, Any]]) -> None:
    if not alarms:
        return
    _title(out, f"Alarms: {len(alarms)} open, see 'vupdate alarms'")
    for one in alarms[:_ALARMS_SHOWN]:
        out.say(f"! {one['message']}")


def _show_services(out: Output, services: list[dict[str, Any]]) -> None:
    _title(out, "Services")
    out.table(
        ("service", "from", "developer", "client", "running"),
        [
            (
                one["name"],
                "built here" if one["developed"] else one["provider"],
                one["developerDesired"] or "–",
                one["clientDesired"] or "–",
                "; ".join(map(_phase, one["running"])) or "–",
            )
            for one in services
        ],
        empty="none: add one with 'vupdate service add', or link a provider with 'vupdate provider add'",
    )


def _show_links(out: Output, found: dict[str, Any]) -> None:
    _title(out, "Links")
    out.table(
        ("node", "is", "profile", "connected"),
        [
            (one["name"], kind, one["profile"], "yes" if one["connected"] else "no")
            for kind, field in (("provider", "providers"), ("consumer", "consumers"))
            for one in found[field]
        ],
        empty="none",
    )


def _show_instances(out: Output, instances: list[dict[str, Any]]) -> None:
    _title(out, "Instances")
    out.table(
        ("instance", "connected", "seen"),
        [(one["name"], "yes" if one["connected"] else "no", ago(one["seen"])) for one in instances],
        empty="none: attach one with 'vupdate agent enrolment NAME'",
    )


def _unended_and_failed(out: Output, found: dict[str, Any]) -> None:
    running = [one for one in found["tasks"] if one["state"] in ("QUEUED", "RUNNING")]
    if running:
        _title(out, "Tasks")
        out.table(
            ("task", "what", "state"), [(one["id"], one["title"], one["state"].lower()) for one in running], empty=""
        )
    if found["faults"]:
        _title(out, "Latest faults")
        out.table(
            ("when", "service", "version", "instance", "what"),
            [
                (moment(one["occurred"]), one["service"], one["version"], one["instance"], one["message"])
                for one in found["faults"]
            ],
            empty="",
        )


_DEMO_EXAMPLES: Final = """
    vupdate demo            # leaves the chain running, its web addresses printed
    vupdate demo --exit     # checks every step and ends with 0, or with 1 and the step that failed
    """


def demo(
    *,
    leave: Annotated[bool, typer.Option("--exit", help="End after the last step instead of staying.")] = False,
    folder: Annotated[
        Path, typer.Option("--dir", help="An empty folder for its nodes, or one of an earlier demo.")
    ] = Path(".demo"),
    as_json: Json = False,
) -> None:
    """Show the main job on this machine: three real nodes in a chain, two agents, a build, an update, a crash."""
    from node.cli.demo.command import command

    # What is told on the way is for people; with --json, standard output holds the outcome alone.
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        status = command(leave=leave, folder=folder)
    Output(as_json=as_json).document({"done": status == 0, "folder": str(folder.absolute())})
    raise typer.Exit(status)


app.command("demo", help=help_of(demo, _DEMO_EXAMPLES))(demo)

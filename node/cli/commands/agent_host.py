"""Makes an agent part of its host: the unit by which systemd runs it, and the address at which its node is asked."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from node.cli.exits import CommandError
from node.cli.options import Home, default_home, local
from node.cli.output import Output


def _program() -> Path:
    """The whole path of the command that was typed."""
    found = shutil.which(sys.argv[0]) or shutil.which("vupdate")
    if found is None:
        raise CommandError("the program vupdate was not found: put it on the PATH, then ask again")
    # Not resolved: an update may let the link lead elsewhere, and the unit should follow it.
    return Path(found).absolute()


async def unit(
    out: Output,
    *,
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Run it as this user; root otherwise.")] = "",
    home: Home = None,
) -> None:
    """Print the systemd unit of the agent on this host."""
    from agent.home import Home as AgentHome
    from agent.unitfile import AgentUnit

    made = AgentUnit(program=_program(), home=AgentHome.at(home or default_home()).root, user=user)
    out.document({"unit": made.text})
    if not out.as_json:
        typer.echo(made.text, nl=False)
    out.note("As root: put it into /etc/systemd/system, then 'systemctl enable --now vupdate-agent'")


async def address(
    out: Output,
    url: Annotated[str, typer.Argument(help="Where the node is reached by now.", show_default=False)],
    *,
    home: Home = None,
) -> None:
    """Follow the node to another address. It has to prove there, by its key, that it is the same."""
    from agent.moving import move

    moved = await move(home or default_home(), url)
    out.document({"instance": moved.instance, "node": moved.node, "url": moved.url})
    out.say(f"This agent asks {moved.node} at {moved.url}, from its next start: its services run on meanwhile")


def add_to(app: typer.Typer) -> None:
    """Put the commands into the group ``agent``."""
    local(
        app,
        "unit",
        examples="""
    vupdate agent unit --home /srv/agent > /etc/systemd/system/vupdate-agent.service
    systemctl daemon-reload && systemctl enable --now vupdate-agent
    """,
    )(unit)
    local(app, "address", examples="vupdate agent address https://node.example:7420")(address)

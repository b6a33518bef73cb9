"""Says which peers may be handed the secrets that a service is built with."""

from typing import Annotated, Any

import typer

from node.cli import documents
from node.cli.commands.services import app as services
from node.cli.exits import usage
from node.cli.options import Call, asking


@asking(
    services,
    "entrust",
    examples="""
    vupdate service entrust                     # what is entrusted to whom
    vupdate service entrust shop acme
    vupdate service entrust shop --nobody
    """,
)
async def entrust(
    call: Call,
    service: Annotated[str | None, typer.Argument(help="The service's name.", show_default=False)] = None,
    peers: Annotated[list[str] | None, typer.Argument(metavar="PEER...", help="Peers that build it.")] = None,
    *,
    nobody: Annotated[bool, typer.Option("--nobody", help="Hand nothing to anybody any more.")] = False,
) -> None:
    """Show or say which peers are handed, sealed to their key, the private files and credentials that a build needs."""
    if nobody and (peers or service is None):
        raise usage("--nobody takes the service and nothing else")
    if service is None or not (peers or nobody):
        await _show(call, service)
    elif nobody:
        call.out.document(await call.ask(documents.WITHDRAW_TRUST, service=service))
        call.out.say(f"nothing of {service} is handed to any builder any more; what one was given, it had")
    else:
        answer = (await call.ask(documents.ENTRUST, service=service, peers=peers))["entrust"]
        call.out.document(answer)
        call.out.say(
            f"builds of {service} at {_named(answer)} are handed the private files that its recipe names and the "
            "credentials for its sources: whoever runs that node can read them"
        )


def _named(one: dict[str, Any]) -> str:
    return ", ".join(builder["name"] or builder["id"] for builder in one["builders"])


async def _show(call: Call, service: str | None) -> None:
    found = (await call.ask(documents.ENTRUSTED))["entrusted"]
    chosen = [one for one in found if service in (None, one["service"])]
    call.out.document(chosen)
    call.out.table(
        ("service", "its secrets go to"),
        [(one["service"], _named(one)) for one in chosen],
        empty="no builder is handed any secret",
    )

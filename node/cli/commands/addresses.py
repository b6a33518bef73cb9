"""Moves the link to a provider to another address: one more verb of ``provider``."""

from typing import Annotated

import typer

from node.cli import documents
from node.cli.commands.links import Name, providers
from node.cli.options import Call, asking


@asking(
    providers,
    "address",
    examples="""
    vupdate provider address acme https://acme.example:7420
    """,
)
async def address(
    call: Call,
    name: Name,
    place: Annotated[
        str, typer.Argument(metavar="URL", help="Where it is reached now, e.g. https://acme.example:7420.")
    ],
) -> None:
    """Reach a provider at another address from now on. Whoever answers there must prove to hold the provider's key."""
    found = (await call.ask(documents.SET_PROVIDER_ADDRESS, name=name, url=place))["setProviderAddress"]
    call.out.document(found)
    call.out.say(f"{found['name']} is reached at {found['url']} from now on; its key answered there")
    if found["url"].startswith("http:"):
        call.out.note("there is no TLS at this address: whoever stands on the way can read what is sent")

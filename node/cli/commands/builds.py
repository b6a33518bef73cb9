"""Builds versions: of a service from its sources, and of a version for this site."""

from typing import Annotated, Final

import typer

from node.cli import documents
from node.cli.options import Call, NoWait, asking

app: Final = typer.Typer(rich_markup_mode=None)
Service = Annotated[str, typer.Argument(help="The service's name.", show_default=False)]


@asking(
    app,
    "build",
    examples="""
    vupdate build guestbook
    vupdate build guestbook --version acme-2.0.0 --comment "New look"
    vupdate build guestbook --no-wait
    """,
)
async def build(
    call: Call,
    service: Service,
    *,
    version: Annotated[
        str | None, typer.Option("--version", help="The version to make, as in acme-2.0.0.  [default: the next one]")
    ] = None,
    comment: Annotated[str, typer.Option("--comment", help="What is new in it; signed with the version.")] = "",
    no_wait: NoWait = False,
) -> None:
    """Build a developer version of a service from its sources, sign it and make it desired. Its log is shown live."""
    from node.cli.follow import run_task

    await run_task(call, documents.BUILD, wait=not no_wait, service=service, version=version, comment=comment)


@asking(
    app,
    "client-build",
    examples="""
    vupdate client-build guestbook
    vupdate client-build guestbook --no-wait --json
    """,
)
async def client_build(call: Call, service: Service, *, no_wait: NoWait = False) -> None:
    """Adapt the desired developer version of a service to this site again, and make the result desired."""
    from node.cli.follow import run_task

    await run_task(call, documents.CLIENT_BUILD, wait=not no_wait, service=service)

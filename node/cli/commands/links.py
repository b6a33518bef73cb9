"""Links a node to those it takes versions from, and ends such links."""

from enum import Enum
from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.onetime import FromFile, Refused, read_text, refuse_argument
from node.cli.options import Call, NoWait, asking, group
from node.cli.output import ago

providers: Final = group(
    "provider",
    "The nodes that this one takes versions from.",
    """
    vupdate provider add < invitation.txt
    vupdate provider update acme
    """,
)
Name = Annotated[str, typer.Argument(help="The other node's name.", show_default=False)]


class AutoUpdate(Enum):
    """What happens by itself when a provider offers something new."""

    OFF = "off"
    DOWNLOAD = "download"
    INSTALL = "install"


def _offered(one: dict[str, Any]) -> str:
    return ", ".join(f"{entry['service']} {entry['version']}" for entry in one["offered"]) or "nothing"


def _auto_update(one: dict[str, Any]) -> str:
    """What happens by itself, and what it waits for."""
    waits = [one["window"], f"tested by {one['testedBy']}" if one["testedBy"] else ""]
    return "; ".join([one["autoUpdate"].lower(), *filter(None, waits)])


@asking(providers, "list", examples="vupdate provider list")
async def list_providers(call: Call) -> None:
    """List the providers, with what each offers."""
    found = (await call.ask(documents.PROVIDERS))["providers"]
    call.out.document(found)
    call.out.table(
        ("provider", "profile", "connected", "checked", "auto-update", "builds for it", "offers", "trouble"),
        [
            (
                one["name"],
                one["profile"],
                "yes" if one["connected"] else "no",
                ago(one["checked"]),
                _auto_update(one),
                "yes" if one["builds"] else "no",
                _offered(one),
                one["error"],
            )
            for one in found
        ],
        empty="no provider yet: get an invitation, and give it to 'vupdate provider add'",
    )


@asking(
    providers,
    "add",
    examples="""
    vupdate provider add --file invitation.txt
    vupdate provider add < invitation.txt
    vupdate provider add --auto download       # asks for the invitation
    """,
)
async def add(
    call: Call,
    refused: Refused = None,
    *,
    file: FromFile = None,
    auto: Annotated[
        AutoUpdate, typer.Option("--auto", help="What happens by itself when it offers something new.")
    ] = AutoUpdate.INSTALL,
) -> None:
    """Redeem an invitation: take versions from the node that made it. It holds a secret, so it is no argument."""
    refuse_argument(refused, "invitation")
    text = read_text(file, "invitation")
    found = (await call.ask(documents.ACCEPT, text=text, autoUpdate=auto.name))["acceptInvitation"]
    call.out.document(found)
    call.out.say(f"{found['name']} is a provider of this node now, for profile {found['profile']}")
    call.out.say(f"Its id: {found['id']}")


@asking(providers, "check", examples="vupdate provider check acme")
async def check(call: Call, name: Name) -> None:
    """Ask a provider what it offers now, and verify it."""
    found = (await call.ask(documents.CHECK_PROVIDER, name=name))["checkProvider"]
    call.out.document(found)
    call.out.say(f"{name} offers {_offered(found)}")


@asking(
    providers,
    "update",
    examples="""
    vupdate provider update acme
    vupdate provider update acme --no-wait
    """,
)
async def update(call: Call, name: Name, *, no_wait: NoWait = False) -> None:
    """Take what a provider offers: download, verify, adapt to this site, make desired; its log is followed live."""
    from node.cli.follow import run_task

    await run_task(call, documents.UPDATE_PROVIDER, wait=not no_wait, name=name)


@asking(providers, "remove", examples="vupdate provider remove acme")
async def remove_provider(call: Call, name: Name) -> None:
    """End the link to a provider. Its versions stay here, and what runs goes on running."""
    await call.ask(documents.REMOVE_PROVIDER, name=name)
    call.out.document({"removed": name})
    call.out.say(f"{name} is no provider of this node any more")


@asking(
    providers,
    "auto",
    examples="""
    vupdate provider auto acme install
    vupdate provider auto acme off
    """,
)
async def auto_update(
    call: Call,
    name: Name,
    what: Annotated[
        AutoUpdate,
        typer.Argument(help="off: only look; download: have it here; install: make it desired.", show_default=False),
    ],
) -> None:
    """Decide what happens by itself when a provider offers something new."""
    found = (await call.ask(documents.AUTO_UPDATE, provider=name, autoUpdate=what.name))["setAutoUpdate"]
    call.out.document(found)
    call.out.say(f"auto-update from {name}: {found['autoUpdate'].lower()}")

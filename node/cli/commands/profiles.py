"""Shows and sets the profiles of a node, and invites others to them."""

from typing import Annotated, Final

import typer

from node.cli import documents
from node.cli.commands.consumers import USUAL_RIGHTS, Allow, Deny, changed_rights
from node.cli.options import Call, asking, group
from node.cli.output import moment

app: Final = group(
    "profile",
    "The named sets of services that a node shares. Consumers of a profile see nothing else.",
    """
    vupdate profile set public-services guestbook shop
    vupdate profile list
    """,
)
alone: Final = typer.Typer(rich_markup_mode=None)
Name = Annotated[str, typer.Argument(help="The profile's name.", show_default=False)]


@asking(app, "list", examples="vupdate profile list")
async def show(call: Call) -> None:
    """List the profiles with their services."""
    found = (await call.ask(documents.PROFILES))["profiles"]
    call.out.document(found)
    call.out.table(
        ("profile", "read by", "services"),
        [
            (one["name"], "everybody" if one["public"] else "consumers", ", ".join(one["services"]) or "none")
            for one in found
        ],
        empty="no profile yet: make one with 'vupdate profile set NAME SERVICE...'",
    )


@asking(
    app,
    "set",
    examples="""
    vupdate profile set public-services guestbook
    vupdate profile set public-services          # share nothing under it
    vupdate profile set public-services guestbook --public
    """,
)
async def set_profile(
    call: Call,
    name: Name,
    services: Annotated[
        list[str] | None, typer.Argument(metavar="SERVICE...", help="All services of the profile.")
    ] = None,
    *,
    public: Annotated[
        bool | None,
        typer.Option(
            "--public/--private",
            help="Let everybody read its catalogue, or only linked consumers.  [default: as before]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Share exactly these services under a name. Its consumers are told at once."""
    found = (await call.ask(documents.SET_PROFILE, name=name, services=services or [], public=public))["setProfile"]
    call.out.document(found)
    call.out.say(f"{name} shares {', '.join(found['services']) or 'nothing'}")
    if found["public"]:
        call.out.say("Everybody may read its catalogue: names, versions and manifests. Images are for consumers only.")


@asking(app, "remove", examples="vupdate profile remove public-services")
async def remove(call: Call, name: Name) -> None:
    """Forget a profile. Its consumers see nothing from then on."""
    await call.ask(documents.REMOVE_PROFILE, name=name)
    call.out.document({"removed": name})
    call.out.say(f"profile {name} is gone")


@asking(
    alone,
    "invite",
    examples="""
    vupdate invite public-services > invitation.txt
    vupdate invite public-services --deny states
    vupdate invite public-services | ssh globex.example vupdate provider add
    """,
)
async def invite(call: Call, profile: Name, *, allow: Allow = None, deny: Deny = None) -> None:
    """Make an invitation to take the versions of a profile from this node: for one node, once, for a day."""
    rights = changed_rights(USUAL_RIGHTS, allow, deny) if allow or deny else None
    made = (await call.ask(documents.INVITE, profile=profile, rights=rights))["createInvitation"]
    call.out.document(made)
    call.out.raw(made["text"])
    call.out.note(
        f"Whoever has it can link one node to profile {profile} until {moment(made['expires'])}. "
        "There, give it to 'vupdate provider add' on standard input."
    )

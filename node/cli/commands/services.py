"""Says which services a node builds, from what, and how its site adapts each."""

import enum
from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.commands import secrets
from node.cli.exits import CommandError, Exit, usage
from node.cli.options import Call, asking, group
from node.cli.sources import FORM, GitSource, on_this_machine, read_macro, read_source

app: Final = group(
    "service",
    "The services of a node: what is built here, and how its site adapts what it runs.",
    """
    vupdate service add guestbook https://git.example/guestbook.git
    vupdate service list
    """,
)
app.add_typer(secrets.app)
Name = Annotated[str, typer.Argument(help="The service's name.", show_default=False)]


def _as_the_node_sees_them(call: Call, sources: list[GitSource]) -> list[GitSource]:
    """The sources as they are to be written for a node on this machine, or for one elsewhere."""
    return sources if call.url else [on_this_machine(one) for one in sources]


def _sources(one: dict[str, Any]) -> str:
    return ", ".join(GitSource(**source).text for source in one["sources"]) or "–"


@asking(app, "list", examples="vupdate service list")
async def show(call: Call) -> None:
    """List all services known here: built, taken from a provider, or only running."""
    services = (await call.ask(documents.SERVICES))["services"]
    call.out.document(services)
    call.out.table(
        ("service", "from", "latest", "desired", "client", "running", "faults", "sources"),
        [
            (
                one["name"],
                "built here" if one["developed"] else one["provider"] or "–",
                one["latestDeveloper"] or "–",
                one["developerDesired"] or "–",
                one["clientDesired"] or "–",
                len(one["running"]),
                one["faults"],
                _sources(one),
            )
            for one in services
        ],
        empty="no service yet: add one with 'vupdate service add NAME ADDRESS'",
    )


@asking(
    app,
    "add",
    examples="""
    vupdate service add guestbook https://git.example/guestbook.git
    vupdate service add guestbook git@git.example:guestbook.git#main
    vupdate service add shop /srv/git/shop#v2:app --also assets=https://git.example/assets.git
    vupdate service add shop git@git.example:shop.git --tag
    """,
)
async def add(
    call: Call,
    name: Name,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help=f"The repository with vupdate.toml in its root: {FORM}")
    ],
    *,
    also: Annotated[
        list[str] | None, typer.Option("--also", metavar="SOURCE", help="A further repository of the build.")
    ] = None,
    tag: Annotated[
        bool, typer.Option("--tag", help="Tag the sources of each version SERVICE-VERSION, where the node may push.")
    ] = False,
) -> None:
    """Build a service from its Git sources from now on. Adding it again replaces what was said of it before."""
    sources = _as_the_node_sees_them(call, [read_source(source, name), *(read_source(one) for one in also or ())])
    added = await call.ask(documents.ADD_SERVICE, name=name, sources=[one.document for one in sources], tag=tag)
    call.out.document(added["addService"])
    call.out.say(f"{name} is built from {', '.join(one.text for one in sources)}")
    call.out.note(f"Build it: vupdate build {name}")


@asking(app, "remove", examples="vupdate service remove guestbook")
async def remove(call: Call, name: Name) -> None:
    """Build a service no more. Its versions stay, and what runs goes on running."""
    await call.ask(documents.REMOVE_SERVICE, name=name)
    call.out.document({"removed": name})
    call.out.say(f"{name} is built here no more; its versions stay")


class Watch(enum.StrEnum):
    """Whether the settings of a service are watched."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


async def _current(call: Call, name: str) -> dict[str, Any]:
    for one in (await call.ask(documents.SERVICES))["services"]:
        if one["name"] == name:
            site = one["site"] or {"service": name, "overlays": [], "macros": [], "watch": "AUTO"}
            return {**site, "watched": one["watched"], "looks": one["looks"]}
    raise CommandError(f"there is no service {name} here", "not-found", status=Exit.ABSENT)


@asking(
    app,
    "site",
    examples="""
    vupdate service site guestbook                                   # show it
    vupdate service site guestbook --overlay /srv/git/site#main:guestbook --macro title=Hello
    vupdate service site guestbook --watch on         # a commit to them makes a client version
    vupdate service site guestbook --clear
    """,
)
async def site(
    call: Call,
    name: Name,
    *,
    overlay: Annotated[
        list[str] | None,
        typer.Option("--overlay", metavar="SOURCE", help=f"A repository of settings, in order: {FORM}"),
    ] = None,
    macro: Annotated[
        list[str] | None, typer.Option("--macro", metavar="NAME=VALUE", help="The value of %%NAME%% at this site.")
    ] = None,
    watch: Annotated[
        Watch | None,
        typer.Option(
            "--watch",
            help="Whether a commit to the repositories of settings makes a client version by itself; 'auto': where the "
            "service comes by a link that installs by itself. The settings stay as they are.",
        ),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Adapt the service no more.")] = False,
) -> None:
    """Show or set how this site adapts a service. The overlays and macros given replace all that were set before."""
    if clear and (overlay or macro or watch):
        raise usage("--clear removes all settings: give it alone")
    found: dict[str, Any] = {}
    if clear or overlay or macro:
        overlays = _as_the_node_sees_them(call, [read_source(one) for one in overlay or ()])
        changed = await call.ask(
            documents.SET_SITE,
            service=name,
            overlays=[one.document for one in overlays],
            macros=[read_macro(one) for one in macro or ()],
        )
        found = changed["setSite"]
        call.out.note(f"It takes effect with the next client version: vupdate client-build {name}")
    if watch:
        found = (await call.ask(documents.WATCH_SETTINGS, service=name, watch=watch.name))["watchSettings"]
        call.out.note(f"Whether its settings are watched: {watch.value}")
    _tell_site(call, name, found or await _current(call, name))


def _tell_site(call: Call, name: str, found: dict[str, Any]) -> None:
    call.out.document(found)
    call.out.table(
        ("kind", "name", "value"),
        [
            *(("overlay", one["name"], GitSource(**one).text) for one in found["overlays"]),
            *(("macro", one["name"], one["value"]) for one in found["macros"]),
        ],
        empty=f"{name} runs here as its provider made it",
    )
    if found["overlays"] and "looks" in found:
        _tell_watch(call, found)


def _tell_watch(call: Call, site: dict[str, Any]) -> None:
    state = "watched" if site["watched"] else "not watched: a commit to them waits for the next client version"
    call.out.say(f"settings are {state} ({site['watch'].lower()})")
    for one in site["looks"]:
        if one["failed"]:
            call.out.say(f"  {one['url']} {one['ref']} can't be asked: {one['error']}")
        elif one["commit"]:
            call.out.say(f"  {one['url']} {one['ref']} at {one['commit'][:12]}, seen {one['seen']}")


Placed = Annotated[str, typer.Argument(metavar="SERVICE[:ROLE]", show_default=False)]


@asking(app, "placements", examples="vupdate service placements")
async def placements(call: Call) -> None:
    """List which labels an instance must have to run a service."""
    found = (await call.ask(documents.PLACEMENTS))["placements"]
    call.out.document(found)
    call.out.table(
        ("service", "runs where"),
        [(one["service"], ", ".join(one["labels"])) for one in found],
        empty="nothing is placed: each service runs on each instance that runs all that is desired",
    )


@asking(
    app,
    "place",
    examples="""
    vupdate service place shop:worker gpu site=berlin
    vupdate service place shop:worker --anywhere
    """,
)
async def place(
    call: Call,
    service: Placed,
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="LABEL...", help="What an instance must have, all of it.")
    ] = None,
    *,
    anywhere: Annotated[bool, typer.Option("--anywhere", help="Forget where it is to run.")] = False,
) -> None:
    """Have a service run on the instances with these labels only.

    It concerns instances that run all that is desired; those that were given services by name run these.
    """
    if anywhere == bool(labels):
        raise usage("name the labels that an instance must have, or give --anywhere")
    if anywhere:
        await call.ask(documents.FORGET_PLACEMENT, service=service)
        call.out.document({"anywhere": service})
        call.out.say(f"nothing is said any more of where {service} is to run")
        return
    found = (await call.ask(documents.PLACE, service=service, labels=labels))["placeService"]
    call.out.document(found)
    instances = (await call.ask(documents.INSTANCES))["instances"]
    where = ", ".join(one["name"] for one in instances if service in one["due"] and not one["revoked"])
    # A label that nobody has ends the service everywhere: said at once, as it may be a slip.
    now = f"now {where}" if where else "now nowhere: no instance that is to run it has them, or it is not desired"
    call.out.say(f"{service} is to run where an instance has {', '.join(found['labels'])}: {now}")

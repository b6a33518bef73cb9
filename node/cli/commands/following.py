"""Says why a service is as it is, and sets what holds updates from a provider back: more verbs of ``provider``."""

from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.commands.consumers import Switch
from node.cli.commands.links import Name, providers
from node.cli.options import Call, asking
from node.cli.output import ago, moment

_OFF: Final = "off"


@asking(
    providers,
    "explain",
    examples="""
    vupdate provider explain shop
    vupdate provider explain shop --json
    """,
)
async def explain(
    call: Call,
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
) -> None:
    """Say why a service is as it is here: who offers what, what is held back and why, and what would change it."""
    found = (await call.ask(documents.EXPLAIN, service=service))["explain"]
    call.out.document(found)
    call.out.fields(
        {
            "Service": found["service"],
            "Followed": _followed(found["followed"]),
            "Desired": _desired(found),
            "Client version": _client(found),
        }
    )
    call.out.table(
        ("provider", "offers", "what happens", "why"),
        [(one["provider"], one["version"], one["action"].lower(), one["why"]) for one in found["verdicts"]],
        empty="no provider offers it",
    )
    for one in found["unheard"]:
        known = "what it offered before still counts" if one["known"] else "what it offers is not known"
        call.out.say(
            f"{one['provider']} could not be read ({ago(one['checked'])}): {one['error'] or 'not yet'}; {known}"
        )
    if found["running"]:
        call.out.table(
            ("instance", "service", "phase", "running", "desired", "trouble"),
            [
                (one["instance"], one["service"], one["phase"].lower(), one["running"], one["desired"], one["error"])
                for one in found["running"]
            ],
            empty="",
        )


def _followed(followed: dict[str, Any] | None) -> str:
    if followed is None:
        return "from nobody"
    return f"{followed['version']} from {followed['provider']}, since {moment(followed['at'])}"


def _desired(found: dict[str, Any]) -> str:
    by = f", by {found['desiredBy']} at {moment(found['desiredAt'])}" if found["desiredBy"] else ""
    return f"{found['desired'] or 'no version'}{by}"


def _client(found: dict[str, Any]) -> str:
    version, build = found["client"] or "none", found["build"]
    if build["running"]:
        return f"{version}; the next one is being made"
    if build["failed"]:
        return f"{version}; the next one failed {build['failed']} times, last {ago(build['at'])}: {build['error']}"
    return version


@asking(
    providers,
    "window",
    examples="""
    vupdate provider window acme "Mon-Fri 22:00-05:00 Europe/Berlin"
    vupdate provider window acme "Mon-Fri 22:00-05:00; Sat,Sun 00:00-24:00"
    vupdate provider window acme off
    """,
)
async def window(
    call: Call,
    name: Name,
    when: Annotated[
        str,
        typer.Argument(
            metavar="WINDOW",
            help="Days, times and a time zone (UTC without one), several with ';' between them; or off.",
            show_default=False,
        ),
    ],
) -> None:
    """Update by itself from a provider only within time windows. An update by hand is made at any time."""
    text = "" if when == _OFF else when
    found = (await call.ask(documents.SET_UPDATE_WINDOW, provider=name, window=text))["setUpdateWindow"]
    call.out.document(found)
    call.out.say(f"updates from {name} are made by themselves {_within(found['window'])}")


def _within(window: str) -> str:
    return f"within {window}" if window else "at any time"


@asking(
    providers,
    "builds",
    examples="""
    vupdate provider builds acme on
    vupdate provider builds acme off
    """,
)
async def builds(
    call: Call,
    name: Name,
    switch: Annotated[
        Switch, typer.Argument(help="on: call in there for builds to run here; off: no more.", show_default=False)
    ],
) -> None:
    """Run builds for a provider, which can't dial this node: this node calls in there for work.

    What it orders is built within the bounds of [build] peers and peers_sources, as for a consumer that was granted it.
    """
    on = switch is Switch.ON
    found = (await call.ask(documents.SET_PROVIDER_BUILDS, provider=name, builds=on))["setProviderBuilds"]
    call.out.document(found)
    call.out.say(
        f"this node calls in at {name} for builds to run here; on {name}: vupdate build SERVICE --on THIS-NODE"
        if found["builds"]
        else f"this node runs no builds for {name} any more; what it runs now ends within 90 s"
    )


@asking(
    providers,
    "require-tested",
    examples="""
    vupdate provider require-tested acme globex
    vupdate provider require-tested acme off
    """,
)
async def require_tested(
    call: Call,
    name: Name,
    tester: Annotated[
        str, typer.Argument(help="The consumer of the provider that tests for others; or off.", show_default=False)
    ],
) -> None:
    """Take from a provider by itself only what a named test consumer of it has marked as tested."""
    by = None if tester == _OFF else tester
    found = (await call.ask(documents.REQUIRE_TESTED, provider=name, tester=by))["requireTested"]
    call.out.document(found)
    marked = f"what {found['testedBy']} marked as tested" if found["testedBy"] else "whatever it offers"
    call.out.say(f"from {name} is taken by itself {marked}")

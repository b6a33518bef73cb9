"""``vupdate``: puts the commands together, and ends the process with the status of ``exits``."""

import os
import sys
from typing import Annotated, Final

import typer

from node import __version__
from node.cli.commands import (
    addresses,  # noqa: F401  # a verb of the noun provider
    agents,
    alarms,
    builds,
    catalogs,
    consumers,
    credentials,
    desired,
    entrust,  # noqa: F401  # a verb of the noun service
    following,  # noqa: F401  # verbs of the noun provider
    instances,
    keys,
    links,
    nearby,
    nodes,
    outbox,
    profiles,
    provenance,  # noqa: F401  # verbs of the nouns service and versions
    recipe,
    sending,
    services,
    tasks,
    transfers,
    versions,
    watching,
)
from node.cli.exits import CommandError, Exit, innermost, table, usage
from node.cli.output import Output

_ABOUT: Final = f"""Builds, signs, shares, installs and watches versions of services across organisations.

\b
Examples:
  vupdate demo                                   # see it all work on this machine
  vupdate init --name acme && vupdate serve      # a node of your own
  vupdate service add guestbook https://git.example/guestbook.git
  vupdate build guestbook

\b
Exit status:
{table()}

\b
Variables:
  VUPDATE_DATA        the node's data folder
  VUPDATE_AGENT_HOME  the agent's folder
  VUPDATE_TOKEN       the token of the node at --url
  VUPDATE_NODE_ID     the id of the node at --url; needed where its certificate is self-made
  VUPDATE_DEBUG       set: errors are shown with all that is known of them
"""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vupdate {__version__}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Options of the program itself; each acts by its own callback."""


def make_app() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="vupdate",
        help=_ABOUT,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback(help=_ABOUT)(_options)
    for alone in (nodes.app, builds.app, profiles.alone, watching.alone, nearby.alone, keys.alone, transfers.alone):
        app.registered_commands.extend(alone.registered_commands)
    for noun in (
        services.app,
        credentials.app,
        recipe.app,
        versions.app,
        desired.app,
        profiles.app,
        catalogs.app,
        links.providers,
        consumers.app,
        sending.tested,
        outbox.app,
        nearby.pairing,
        instances.app,
        agents.app,
        watching.faults,
        alarms.app,
        keys.own,
        keys.pinned,
        tasks.app,
    ):
        app.add_typer(noun)
    return app


def _misunderstood(error: typer.TyperException) -> CommandError:
    context = getattr(error, "ctx", None)
    hint = f" (see '{context.command_path} --help')" if context is not None else ""
    return usage(error.format_message().removesuffix(".") + hint)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    out = Output(as_json="--json" in given)
    try:
        status = make_app()(given, prog_name="vupdate", standalone_mode=False)
    except typer.TyperException as error:
        if error.format_message().startswith("Usage: "):  # a noun without its verb: its help is shown
            sys.stderr.write(error.format_message() + "\n")
            return Exit.USAGE
        out.error(_misunderstood(error))
        return Exit.USAGE
    except (typer.Abort, KeyboardInterrupt):
        out.error(CommandError("interrupted", "interrupted", status=Exit.INTERRUPTED))
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has had enough of it; Python's own last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except Exception as error:  # the top of the program
        if "VUPDATE_DEBUG" in os.environ:
            raise
        cause = innermost(error)
        out.error(
            CommandError(
                f"something went wrong inside vupdate itself: {type(cause).__name__}: {cause}. "
                "Run it again with VUPDATE_DEBUG=1 for all that is known, and report it",
                "internal",
            )
        )
        return Exit.FAILED
    return int(status or Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())

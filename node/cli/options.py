"""Options that many commands share, and the two ways in which a command is declared.

A command is an asynchronous function; its docstring is its help, its examples stand below. What it raises for people
ends it with the status of ``exits``; anything else goes on to ``main``.
"""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import typer

from node.cli.exits import CommandError, Exit, explained
from node.cli.output import Output

_P = ParamSpec("_P")


def default_data() -> Path:
    """Where a node's data are, when neither an option nor VUPDATE_DATA says."""
    return Path("~/.local/share/vupdate").expanduser()


def default_home() -> Path:
    """Where an agent lives, when neither an option nor VUPDATE_AGENT_HOME says."""
    return Path("~/.local/share/vupdate-agent").expanduser()


Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        envvar="VUPDATE_DATA",
        help="The node's data folder.  [default: ~/.local/share/vupdate]",
        show_default=False,
    ),
]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="VUPDATE_AGENT_HOME",
        help="The agent's folder.  [default: ~/.local/share/vupdate-agent]",
        show_default=False,
    ),
]
Url = Annotated[
    str | None,
    typer.Option("--url", help="Ask the node at this address instead; its token stands in VUPDATE_TOKEN."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; errors too, on standard error.")]
First = Annotated[int, typer.Option("--first", min=1, max=1000, help="How many, newest first.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return at once, and don't follow the log.")]
Why = Annotated[str, typer.Option("--why", help="The reason, kept in the history.")]


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a command that asks a node."""

    out: Output
    data: Path
    url: str | None

    async def ask(self, document: str, **variables: object) -> Any:
        """The data that the node answers.

        Raises:
            CommandError: no node, no answer, or its refusal.
        """
        from node.cli.client import opened

        async with opened(self.data, self.url) as api:
            return await api.ask(document, **variables)


def _finish(work: Awaitable[None], out: Output) -> None:
    """Run ``work`` to its end, and end the command as its outcome demands."""

    async def run() -> None:
        await work

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        out.error(CommandError("interrupted", "interrupted", status=Exit.INTERRUPTED))
        raise typer.Exit(Exit.INTERRUPTED) from None
    except Exception as error:
        found = explained(error)
        if found is None or "VUPDATE_DEBUG" in os.environ:
            raise
        out.error(found)
        raise typer.Exit(found.status) from error


def help_of(function: Callable[..., object], examples: str) -> str:
    """The help of a command: its docstring, then its examples as they stand."""
    return f"{inspect.cleandoc(function.__doc__ or '')}\n\n\b\nExamples:\n{_indented(examples)}"


def _indented(examples: str) -> str:
    return "\n".join(f"  {line}" for line in inspect.cleandoc(examples).splitlines())


def group(name: str, about: str, examples: str) -> typer.Typer:
    """A noun, under which its verbs stand."""
    return typer.Typer(
        name=name,
        help=f"{about}\n\n\b\nExamples:\n{_indented(examples)}",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def _with_options(function: Callable[..., Any], options: dict[str, tuple[Any, Any]]) -> inspect.Signature:
    """The signature of ``function`` without its first parameter and with ``options`` added."""
    signature = inspect.signature(function)
    own = list(signature.parameters.values())[1:]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]
    return signature.replace(parameters=[*own, *added], return_annotation=None)


def _register(
    app: typer.Typer, name: str, run: Callable[..., None], signature: inspect.Signature, text: str, *, hidden: bool
) -> None:
    run.__signature__ = signature  # type: ignore[attr-defined]  # what Typer reads
    run.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    app.command(name, help=text, hidden=hidden)(run)


_JSON: Final = {"as_json": (Json, False)}
_NODE: Final = {"data": (Data, None), "url": (Url, None), **_JSON}


def asking(
    app: typer.Typer, name: str, *, examples: str
) -> Callable[[Callable[Concatenate[Call, _P], Awaitable[None]]], Callable[Concatenate[Call, _P], Awaitable[None]]]:
    """Declare a command that asks a node: it gets a ``Call``, and the options --data, --url and --json."""

    def declare(
        function: Callable[Concatenate[Call, _P], Awaitable[None]],
    ) -> Callable[Concatenate[Call, _P], Awaitable[None]]:
        def run(*, data: Path | None, url: str | None, as_json: bool, **given: Any) -> None:
            out = Output(as_json=as_json)
            _finish(function(Call(out=out, data=data or default_data(), url=url), **given), out)  # type: ignore[call-arg]  # Typer passes by name

        _register(app, name, run, _with_options(function, _NODE), help_of(function, examples), hidden=False)
        return function

    return declare


def overview(
    app: typer.Typer, *, examples: str
) -> Callable[[Callable[Concatenate[Call, _P], Awaitable[None]]], Callable[Concatenate[Call, _P], Awaitable[None]]]:
    """Declare what a noun shows when no verb follows it: as ``asking``."""

    def declare(
        function: Callable[Concatenate[Call, _P], Awaitable[None]],
    ) -> Callable[Concatenate[Call, _P], Awaitable[None]]:
        def run(context: typer.Context, *, data: Path | None, url: str | None, as_json: bool, **given: Any) -> None:
            if context.invoked_subcommand is None:
                out = Output(as_json=as_json)
                _finish(function(Call(out=out, data=data or default_data(), url=url), **given), out)  # type: ignore[call-arg]  # Typer passes by name

        options = _with_options(function, _NODE)
        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        run.__signature__ = options.replace(parameters=[context, *options.parameters.values()])  # type: ignore[attr-defined]  # what Typer reads
        run.__annotations__ = {"context": typer.Context} | {
            one.name: one.annotation for one in options.parameters.values()
        }
        app.callback(invoke_without_command=True, help=help_of(function, examples))(run)
        return function

    return declare


def local(
    app: typer.Typer, name: str, *, examples: str, hidden: bool = False
) -> Callable[[Callable[Concatenate[Output, _P], Awaitable[None]]], Callable[Concatenate[Output, _P], Awaitable[None]]]:
    """Declare a command that works on this machine: it gets an ``Output``, and the option --json."""

    def declare(
        function: Callable[Concatenate[Output, _P], Awaitable[None]],
    ) -> Callable[Concatenate[Output, _P], Awaitable[None]]:
        def run(*, as_json: bool, **given: Any) -> None:
            out = Output(as_json=as_json)
            _finish(function(out, **given), out)  # type: ignore[call-arg]  # Typer passes by name

        _register(app, name, run, _with_options(function, _JSON), help_of(function, examples), hidden=hidden)
        return function

    return declare

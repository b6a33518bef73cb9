"""Works on a recipe in a folder, without a node: checks, explains, starts or converts one, prints the schema of all."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from node.cli.exits import CommandError, Exit
from node.cli.options import group, local
from node.cli.output import Output

if TYPE_CHECKING:
    from build.earlier import Converted
    from build.recipe import Recipe
    from federation.names import ServiceName
    from federation.toml import Mistake

app: Final = group(
    "recipe",
    "The file vupdate.toml: how services are built, installed and run.",
    """
    vupdate recipe init
    vupdate recipe convert
    vupdate recipe check
    vupdate recipe explain --service shop
    """,
)

At = Annotated[Path, typer.Argument(metavar="[PATH]", help="The recipe, or the folder that it lies in.")]
_HERE: Final = Path()


def _file(path: Path) -> Path:
    from federation.service import FILE_NAME

    return path / FILE_NAME if path.is_dir() else path


def _content(file: Path, hint: str = "'vupdate recipe init' writes one to start with") -> bytes:
    from federation.limits import SERVICE_FILE_BYTES

    try:
        with file.open("rb") as stream:
            return stream.read(SERVICE_FILE_BYTES + 1)
    except FileNotFoundError as error:
        message = f"there is no file {file}: {hint}"
        raise CommandError(message, "not-found", status=Exit.ABSENT) from error
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}") from error


def _read(file: Path) -> "tuple[dict[ServiceName, Recipe], tuple[Mistake, ...]]":
    """The recipes in ``file``, or the mistakes in it."""
    from build.recipe import RecipeError, parse_recipe
    from federation.toml import Mistake

    try:
        recipes = parse_recipe(_content(file))
    except RecipeError as error:
        return {}, error.mistakes
    return recipes, () if recipes else (Mistake(0, "services", "no service is described here"),)


def _told(file: Path, mistake: "Mistake") -> str:
    """``mistake`` in the form that editors jump to."""
    place = f"{file}:{mistake.line}" if mistake.line else str(file)
    return ": ".join(part for part in (place, mistake.key, mistake.text) if part)


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _counted(recipe: "Recipe") -> tuple[int, int]:
    install = recipe.service.install
    return len(recipe.commands), len(install.before_stop) + len(install.after_switch)


@local(
    app,
    "check",
    examples="""
    vupdate recipe check
    vupdate recipe check services/shop --json
    """,
)
async def check(out: Output, path: At = _HERE) -> None:
    """Say what is wrong with a recipe, each mistake as FILE:LINE: KEY: TEXT, or what it describes."""
    file = _file(path)
    recipes, mistakes = _read(file)
    counts = {name: _counted(recipe) for name, recipe in recipes.items()}
    out.document(
        {
            "file": str(file),
            "services": [
                {"service": name, "buildCommands": built, "installCommands": installed}
                for name, (built, installed) in counts.items()
            ],
            "mistakes": [{"line": one.line or None, "key": one.key, "text": one.text} for one in mistakes],
        }
    )
    for mistake in mistakes:
        out.say(_told(file, mistake))
    if mistakes:
        raise CommandError(f"{file} has {_count(len(mistakes), 'mistake')}", "recipe")
    out.say(f"{file} is fine: it describes {_count(len(counts), 'service')}")
    for name, (built, installed) in counts.items():
        out.say(f"  {name}: {_count(built, 'build command')}, {_count(installed, 'command')} around an update")


def _chosen(file: Path, recipes: "dict[ServiceName, Recipe]", service: str) -> "Iterable[Recipe]":
    if not service:
        return recipes.values()
    found = [recipe for name, recipe in recipes.items() if name == service]
    if not found:
        message = f"{file} describes no service {service!r}, only: {', '.join(recipes)}"
        raise CommandError(message, "not-found", status=Exit.ABSENT)
    return found


@local(
    app,
    "explain",
    examples="""
    vupdate recipe explain
    vupdate recipe explain services/shop --service shop
    """,
)
async def explain(
    out: Output,
    path: At = _HERE,
    *,
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="This service only.")] = "",
) -> None:
    """Tell in plain sentences what vUpdate will do with each service of a recipe, and what is so by default."""
    from build import recipe_words

    file = _file(path)
    recipes, mistakes = _read(file)
    if mistakes:
        raise CommandError("\n".join(_told(file, mistake) for mistake in mistakes), "recipe")
    told = {one.service.name: recipe_words.explain(one) for one in _chosen(file, recipes, service)}
    out.document(
        [
            {"service": name, "passages": {one.heading: list(one.sentences) for one in passages}}
            for name, passages in told.items()
        ]
    )
    for name, passages in told.items():
        out.say(name)
        for passage in passages:
            out.say(f"  {passage.heading}")
            for sentence in passage.sentences:
                out.say(f"    {sentence}")


@local(
    app,
    "schema",
    examples="""
    vupdate recipe schema > vupdate.schema.json
    """,
)
async def schema(out: Output) -> None:
    """Print the JSON Schema of recipes, for editors: it is made from what the parser itself reads by."""
    import json

    from build.recipe import recipe_schema

    found = recipe_schema()
    out.document(found)
    out.raw(json.dumps(found, indent=2, ensure_ascii=False))


def _write_new(target: Path, content: bytes) -> None:
    """Write ``target`` whole or not at all, and only where nothing is."""
    from federation.files import sync_directory, write_atomic

    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        write_atomic(temporary, content)
        # A rename would replace what someone else wrote there in the meantime; a link is refused then.
        os.link(temporary, target, follow_symlinks=False)
    except FileExistsError as error:
        message = f"{target} is there already: it is left as it is"
        raise CommandError(message, "exists", status=Exit.CONFLICT) from error
    except OSError as error:
        raise CommandError(f"{target} can't be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(target.parent)


@local(
    app,
    "init",
    examples="""
    vupdate recipe init
    vupdate recipe init services/shop --service shop
    """,
)
async def init(
    out: Output,
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="The project's folder.")] = _HERE,
    *,
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", help="The service's name.  [default: the folder's]")
    ] = "",
) -> None:
    """Write a recipe to start with, after a look at how the project is built. It replaces none that is there."""
    from build.recipe_project import default_name, starter_for
    from build.recipe_starter import starter_text
    from federation.names import ServiceName
    from federation.service import FILE_NAME

    name = ServiceName(service) if service else default_name(folder)
    try:
        starter = starter_for(folder, name)
    except OSError as error:
        raise CommandError(f"{folder} is no folder that can be read: {error.strerror}", status=Exit.USAGE) from error
    file = folder / FILE_NAME
    _write_new(file, starter_text(name, starter).encode())
    out.document({"file": str(file), "service": name, "found": starter.found})
    out.say(f"{file}: a recipe for the service {name}: {starter.found}")
    out.note("Look it over, then: vupdate recipe check && vupdate recipe explain")


def _look(folder: Path, path: str) -> Literal["file", "folder"] | None:
    """What stands at ``path`` of the sources in ``folder`` before a build."""
    place = folder / path
    if place.is_dir():
        return "folder"
    return "file" if place.is_file() else None


def _converted(file: Path) -> "Converted":
    from functools import partial

    from build.earlier import convert
    from build.earlier.read import ConvertError

    content = _content(file, "it is the file of the earlier system that is converted")
    try:
        return convert(content, partial(_look, file.parent))
    except ConvertError as error:
        raise CommandError("\n".join(_told(file, mistake) for mistake in error.mistakes), "recipe") from error


@local(
    app,
    "convert",
    examples="""
    vupdate recipe convert
    vupdate recipe convert services/shop --to services/shop/new.toml
    vupdate recipe convert --to -
    """,
)
async def convert(
    out: Output,
    path: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="The update.json, or the folder that it lies in.")
    ] = _HERE,
    *,
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="Where to write it; '-': print it.  [default: beside it]")
    ] = "",
) -> None:
    """Write the recipe for an update.json of the earlier system, and say what differs; it replaces none."""
    from build.earlier import OLD_FILE_NAME
    from federation.service import FILE_NAME

    file = path / OLD_FILE_NAME if path.is_dir() else path
    converted = _converted(file)
    target = Path(to) if to else file.with_name(FILE_NAME)
    if to != "-":
        _write_new(target, converted.text.encode())
    out.document(
        {
            "file": None if to == "-" else str(target),
            "services": list(converted.services),
            "notes": [{"service": one.service, "key": one.place, "text": one.text} for one in converted.notes],
        }
        | ({"recipe": converted.text} if to == "-" else {})
    )
    tell = out.note if to == "-" else out.say
    for one in converted.notes:
        tell(f"{file}: {one.place}: {one.service}: {one.text}")
    if to == "-":
        out.raw(converted.text.removesuffix("\n"))
        return
    out.say(f"{target}: {_count(len(converted.services), 'service')}, {_count(len(converted.notes), 'note')}")
    out.note("Look it over, then: vupdate recipe check && vupdate recipe explain")

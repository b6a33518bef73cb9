"""The recipe, ``vupdate.toml`` in the root of a service's first source: how it is built, installed, run (domain.md §3).

Pure. Decides which keys the section ``build`` has; ``install`` and ``run`` are those of ``federation.servicefile``.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from federation import limits
from federation.names import ServiceName
from federation.service import Command, Install, Run, Service
from federation.servicefile import COMMAND_LIST, RUN_KEYS, file_of
from federation.toml import Key, ListOf, Mistake, Place, Shape, TomlMistakesError, read_document
from federation.toml.kinds import FLAG, PATH, PATTERN_LIST

COPY_RULES: Final = 200


class RecipeError(TomlMistakesError):
    """A recipe has mistakes."""

    code: ClassVar[str] = "recipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRule:
    """What goes from the build's folder into the image.

    ``source``: a file, a folder, or a glob; ``target``: the folder of the image that it lands in. A folder lands with
    what it holds, not with its own name. ``excluded`` and ``expand`` are globs over the paths below ``target``, as they
    are after the copy; the second names the files whose macros a client build fills in.
    """

    source: str
    target: str = "."
    excluded: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one service is built, and what an agent will need to know of it."""

    service: Service
    commands: tuple[Command, ...] = ()
    copy: tuple[CopyRule, ...] = (CopyRule(source="."),)
    network: bool = False


_COPY_RULE: Final = Shape(
    CopyRule,
    (
        Key("from", PATH, ("source",)),
        Key("to", PATH, ("target",)),
        Key("except", PATTERN_LIST, ("excluded",)),
        Key("expand", PATTERN_LIST),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    commands: tuple[Command, ...] = ()
    copy: tuple[CopyRule, ...] = (CopyRule(source="."),)
    network: bool = False


_BUILD: Final = Shape(
    _Build,
    (
        Key("commands", COMMAND_LIST),
        Key("copy", ListOf(_COPY_RULE, "copy rules", COPY_RULES, least=1)),
        Key("network", FLAG),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    run: Run
    install: Install = field(default_factory=Install)
    build: _Build = field(default_factory=_Build)


class _RecipeTable(Shape[_Section]):
    """The table of one service in a recipe: the service's own keys, and ``build``."""

    def read(self, value: object, place: Place) -> Any:
        section = _Section(**self.read_fields(value, place))
        service = Service(name=ServiceName(str(place.path[-1])), run=section.run, install=section.install)
        build = section.build
        return Recipe(service=service, commands=build.commands, copy=build.copy, network=build.network)


_FILE: Final = file_of(_RecipeTable(_Section, (Key("build", _BUILD), *RUN_KEYS)))


def parse_recipe(content: bytes) -> dict[ServiceName, Recipe]:
    """The recipe of each service that ``content`` describes.

    Raises:
        RecipeError: what is wrong with it, each mistake with its line and key.
    """
    recipes: dict[ServiceName, Recipe] = read_document(
        content, _FILE, most_bytes=limits.SERVICE_FILE_BYTES, error=RecipeError
    ).services
    return recipes


def recipe_of(content: bytes, service: ServiceName) -> Recipe:
    """The recipe of ``service`` in ``content``.

    Raises:
        RecipeError: mistakes, or no such service in it.
    """
    recipes = parse_recipe(content)
    if service not in recipes:
        others = ", ".join(recipes) or "none"
        raise RecipeError([Mistake(0, "", f"the recipe describes no service '{service}', only: {others}")])
    return recipes[service]

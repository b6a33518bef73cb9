"""The recipe, ``vupdate.toml`` in the root of a service's first source: how it is built, installed, run (domain.md §3).

Pure. Decides which keys the section ``build`` has; ``install`` and ``run`` are those of ``federation.servicefile``.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from build.private import PrivateRule, clash_of, private_target
from federation import limits
from federation.names import PrivateFileName, ServiceName
from federation.service import FILE_NAME, Command, Install, Run, Service
from federation.servicefile import COMMAND_LIST, RUN_KEYS, file_of
from federation.toml import Key, ListOf, Mistake, Place, Scalar, Shape, TomlMistakesError, read_document
from federation.toml.kinds import FLAG, PATH, PATTERN_LIST
from federation.toml.schema import Schema
from federation.toml.schema import document as schema_document

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
    private: tuple[PrivateRule, ...] = ()
    network: bool = False


_COPY_RULE: Final = Shape(
    CopyRule,
    (
        Key("from", PATH, ("source",), "A file, a folder or a pattern, in the build's folder."),
        Key("to", PATH, ("target",), "The folder of the image that it lands in."),
        Key("except", PATTERN_LIST, ("excluded",), "Patterns, below that folder, of what is left out."),
        Key("expand", PATTERN_LIST, about="Patterns of the files in which a client build fills in macros."),
    ),
)


_PRIVATE_RULE: Final = Shape(
    PrivateRule,
    (
        Key(
            "name",
            Scalar(str, "a name in quotes", PrivateFileName, form={"minLength": 1}),
            about="The name under which the node keeps it: vupdate service secret put SERVICE NAME FILE.",
        ),
        Key(
            "to",
            Scalar(str, "a path in quotes", private_target, form={"minLength": 1}),
            ("target",),
            "The file of the image that it becomes.",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Build:
    commands: tuple[Command, ...] = ()
    copy: tuple[CopyRule, ...] = (CopyRule(source="."),)
    private: tuple[PrivateRule, ...] = ()
    network: bool = False

    def clash(self) -> str | None:
        """What is wrong with its keys taken together, if anything."""
        return clash_of([rule.target for rule in self.private])


_BUILD: Final = Shape(
    _Build,
    (
        Key("commands", COMMAND_LIST, about="What is run, in this order; the first that fails ends the build."),
        Key(
            "copy",
            ListOf(_COPY_RULE, "copy rules", COPY_RULES, least=1),
            about="What goes from the build's folder into the image; of two rules for one path the later one counts.",
        ),
        Key(
            "private",
            ListOf(_PRIVATE_RULE, "private files", limits.PRIVATE_FILES),
            about="Secrets kept by the node that are placed into the image after all else, unseen by the commands.",
        ),
        Key("network", FLAG, about="Whether the build may reach the network."),
    ),
    check=_Build.clash,
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
        return Recipe(
            service=service,
            commands=build.commands,
            copy=build.copy,
            private=build.private,
            network=build.network,
        )


_ABOUT_BUILD: Final = "How the service is built from its sources."
_FILE: Final = file_of(_RecipeTable(_Section, (Key("build", _BUILD, about=_ABOUT_BUILD), *RUN_KEYS)))


def recipe_schema() -> Schema:
    """The JSON Schema of a recipe: it accepts each one that ``parse_recipe`` does."""
    about = f"How services are built, installed and run: {FILE_NAME} in the root of a service's first source."
    return schema_document(_FILE.schema(), title="vUpdate recipe", description=about)


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

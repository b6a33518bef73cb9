"""Turns ``update.json`` of the earlier V-update system into a recipe, and says what is different. Pure.

Decides which section each part becomes. What a recipe can't say is a mistake at the place of the old file; what has no
counterpart, or means something else, is a note and a comment in the recipe.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from build.earlier.commands import (
    build_command,
    command_remarks,
    install_command,
    macro_remarks,
    run_lines,
    stand_in,
)
from build.earlier.copies import Look, copies_of
from build.earlier.read import ConvertError, read_old
from build.earlier.text import Line, Remark, Section, recipe_text
from build.earlier.values import OldCommand, OldInstall, OldService
from build.recipe import RecipeError, parse_recipe
from federation.names import ServiceName
from federation.toml import Mistake

OLD_FILE_NAME: Final = "update.json"

_LAST_STEP = re.compile(r"(?:\.[^.\[\]]+|\[\d+\])$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that an operator should look at: the service, the key of the old file, and a sentence."""

    service: ServiceName
    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A recipe, the services that it describes, and what is different in it, in the order of the recipe."""

    text: str
    services: tuple[ServiceName, ...]
    notes: tuple[Note, ...]


def unseen(_: str) -> None:
    """What is known of sources that nobody can look at."""
    return


def convert(content: bytes, look: Look = unseen) -> Converted:
    """The recipe for the services of the ``update.json`` ``content``: equal input gives equal text.

    Args:
        content: the old file.
        look: what stands at a path of the sources, for simpler copy rules.

    Raises:
        ConvertError: what is wrong with the old file, or can't be said by a recipe, by the place in it.
    """
    services = read_old(content)
    converted = {old.name: tuple(_sections(old, f"update[{row}]", look)) for row, old in enumerate(services)}
    text = recipe_text(converted)
    try:
        parse_recipe(text.encode())
    except RecipeError as error:
        places = dict(_places(converted))
        raise ConvertError([_moved(mistake, places) for mistake in error.mistakes]) from error
    notes = [
        Note(service=name, place=remark.place, text=remark.text)
        for name, sections in converted.items()
        for remark in _remarks(sections)
    ]
    return Converted(text=text, services=tuple(converted), notes=tuple(notes))


def _sections(old: OldService, place: str, look: Look) -> Iterator[Section]:
    yield Section(name="build", lines=tuple(_build_lines(old, f"{place}.build", look)))
    inside = old.build.install is not None
    where = f"{place}.build.install" if inside else f"{place}.install"
    install = old.build.install or old.install or OldInstall()
    lines = (
        *_hooks("before_stop", install.before, f"{where}.installCommands"),
        *_hooks("after_switch", install.after, f"{where}.postInstallCommands"),
    )
    if lines:
        yield Section(name="install", lines=lines)
    run = tuple(run_lines(install.run, f"{where}.runService")) if install.run else stand_in(where)
    yield Section(name="run", lines=run)


def _build_lines(old: OldService, place: str, look: Look) -> Iterator[Line]:
    copies = copies_of(old.build, place, look)
    where = f"{place}.buildCommands"
    own = tuple(build_command(command, f"{where}[{row}]") for row, command in enumerate(old.build.commands))
    if own:
        text = "builds had the network: take this line out if the commands do without"
        yield Line(key="network", value=True, place=where, remarks=(Remark(place=where, text=text),))
    if own or copies.commands:
        remarks = command_remarks(old.build.commands, where) if own else ()
        yield Line(key="commands", value=(*own, *copies.commands), place=where, remarks=remarks)
    yield Line(key="copy", value=copies.rules, place=f"{place}.copyFiles", remarks=copies.remarks)


def _hooks(key: str, commands: tuple[OldCommand, ...], place: str) -> Iterator[Line]:
    if commands:
        texts = [text for one in commands for text in (one.command, *one.args, *one.env.values())]
        items = tuple(install_command(command, f"{place}[{row}]") for row, command in enumerate(commands))
        remarks = (*command_remarks(commands, place), *macro_remarks(texts, place))
        yield Line(key=key, value=items, place=place, remarks=remarks)


def _remarks(sections: tuple[Section, ...]) -> Iterator[Remark]:
    for line in (line for section in sections for line in section.lines):
        yield from line.remarks
        if isinstance(line.value, tuple):
            for item in line.value:
                yield from item.remarks


def _places(services: Mapping[ServiceName, tuple[Section, ...]]) -> Iterator[tuple[str, str]]:
    """The place of the old file that each key of the recipe was made of."""
    for number, (name, sections) in enumerate(services.items()):
        yield f"services.{name}", f"update[{number}]"
        for section in sections:
            for line in section.lines:
                key = f"services.{name}.{section.name}.{line.key}"
                yield key, line.place
                if isinstance(line.value, tuple):
                    yield from ((f"{key}[{row}]", item.place) for row, item in enumerate(line.value))


def _moved(mistake: Mistake, places: Mapping[str, str]) -> Mistake:
    """``mistake`` of the recipe as one of the old file."""
    key = mistake.key
    while key and key not in places:
        key = _LAST_STEP.sub("", key) if _LAST_STEP.search(key) else ""
    return Mistake(0, places.get(key, ""), f"can't be said by a recipe: {mistake.text}")

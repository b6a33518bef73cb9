"""Writes a converted recipe for people: a line or a list per key, and a comment above what needs a hand. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from federation.names import ServiceName

_BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_HEAD: Final = """\
# Converted from update.json; the comments say where the two differ.
# Look it over, then: vupdate recipe check && vupdate recipe explain
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What has no counterpart or means something else, and the key of the old file that it concerns."""

    place: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One table of a list. ``place``: what it was made of."""

    table: Mapping[str, object]
    place: str
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One key of a section; without a value only its remarks are written."""

    key: str
    value: object | None
    place: str
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of a service: its name, such as ``build``, and its keys."""

    name: str
    lines: tuple[Line, ...]


def quoted(text: str) -> str:
    """``text`` in the quotes of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case int():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case Mapping():
            pairs = (
                f"{name if _BARE.issuperset(name) else quoted(name)} = {_value(item)}" for name, item in value.items()
            )
            return f"{{ {', '.join(pairs)} }}"
    raise TypeError(f"{type(value).__name__} is not written as TOML")


def _comments(remarks: Sequence[Remark], indent: str = "") -> Iterator[str]:
    for remark in remarks:
        plain = "".join(sign if sign.isprintable() else "?" for sign in remark.text)
        yield f"{indent}# {plain}\n"


def _line(line: Line) -> Iterator[str]:
    yield from _comments(line.remarks)
    if isinstance(line.value, tuple):
        yield f"{line.key} = [\n"
        for item in line.value:
            yield from _comments(item.remarks, "    ")
            yield f"    {_value(item.table)},\n"
        yield "]\n"
    elif line.value is not None:
        yield f"{line.key} = {_value(line.value)}\n"


def recipe_text(services: Mapping[ServiceName, Sequence[Section]]) -> str:
    """The recipe of ``services``, in their order; a line's value that is a tuple holds the items of a list."""
    blocks = [_HEAD]
    for name, sections in services.items():
        for section in sections:
            lines = "".join(part for line in section.lines for part in _line(line))
            blocks.append(f"[services.{name}.{section.name}]\n{lines}")
    return "\n".join(blocks)

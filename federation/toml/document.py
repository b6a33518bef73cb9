"""A whole document: bytes to a value with all mistakes told together, and tables to text in one spelling.

The spelling is our own: images hold such files, and their digests must not change with a library's release.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from federation.errors import OversizedError
from federation.toml.lines import Path, key_lines
from federation.toml.mistakes import Mistake, Place, Refused, TomlMistakesError
from federation.toml.shape import Kind

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def read_document(content: bytes, kind: Kind, *, most_bytes: int, error: type[TomlMistakesError]) -> Any:
    """What ``kind`` reads from the TOML document ``content``.

    Raises:
        TomlMistakesError: of the class ``error``: too large, no TOML, or mistakes, each with its line and key.
    """
    if len(content) > most_bytes:
        raise error([Mistake(0, "", f"the file is longer than {most_bytes} bytes")])
    try:
        text = content.decode().removeprefix("\ufeff")
        lines = key_lines(text)
        values = tomllib.loads(text)
    except UnicodeDecodeError as fault:
        raise error([Mistake(content.count(b"\n", 0, fault.start) + 1, "", "not UTF-8 text")]) from fault
    except tomllib.TOMLDecodeError as fault:
        raise error([_syntax_mistake(str(fault), text)]) from fault
    except OversizedError as fault:
        raise error([Mistake(0, "", str(fault))]) from fault
    return read_values(values, kind, error=error, lines=lines)


def read_values(
    values: dict[str, Any], kind: Kind, *, error: type[TomlMistakesError], lines: Mapping[Path, int] | None = None
) -> Any:
    """What ``kind`` reads from ``values``; for mistakes, ``lines`` says where their keys stand.

    Raises:
        TomlMistakesError: of the class ``error``.
    """
    place = Place((), lines or {})
    try:
        value = kind.read(values, place)
    except Refused:
        value = None
    if place.mistakes:
        raise error(place.mistakes)
    return value


def _syntax_mistake(message: str, text: str) -> Mistake:
    match = _PLACE.search(message)
    line = int(match[1]) if match and match[1] else text.count("\n") + 1
    reason = _PLACE.sub("", message)
    return Mistake(line, "", f"not TOML: {reason[:1].lower()}{reason[1:]}")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int() | float():
            return repr(value)
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case dict():
            return "{ " + ", ".join(f"{_key(name)} = {_value(item)}" for name, item in value.items()) + " }"
    raise TypeError(f"{type(value).__name__} is not written as TOML")


def write_document(tables: Mapping[str, Mapping[str, object]]) -> bytes:
    """``tables``, by their headers as they are written, as TOML; what is inside a table is written inline."""
    blocks = [
        f"[{header}]\n" + "".join(f"{_key(name)} = {_value(value)}\n" for name, value in table.items())
        for header, table in tables.items()
    ]
    return "\n".join(blocks).encode()

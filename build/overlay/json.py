"""Merges JSON: order and indent of the base stay, and each number in the spelling that it had."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from build.errors import OverlayError
from build.overlay.values import changes, check_bounds, merged

_INDENT = re.compile(r"[\[{]\r?\n([ \t]+)")


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def _refuse(name: str) -> NoReturn:
    raise OverlayError(f"{name} is not a number in JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OverlayError("an object has the same key twice")
    return found


def parse(text: str, which: str) -> dict[str, Any]:
    """The object in ``text``."""
    try:
        value = json.loads(
            text, parse_int=_Number, parse_float=_Number, parse_constant=_refuse, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        raise OverlayError(f"{which} is not JSON that can be used: {error}") from error
    if not isinstance(value, dict):
        raise OverlayError(f"{which} is not a JSON object at its top: it can't be merged")
    check_bounds(value)
    return value


def merge(base: str, overlay: str) -> str:
    """``base`` with the values of ``overlay``.

    Raises:
        OverlayError: one of them is no JSON object, or an object clashes with a single value.
    """
    old, new = parse(base, "the base"), parse(overlay, "the overlay")
    wanted = merged(old, new)
    if not any(True for _ in changes(old, new)):
        return base
    match = _INDENT.search(base)
    end = "\n" if base.endswith("\n") else ""
    return "".join(_written(wanted, match[1] if match else None, "\n")) + end


def _written(value: Any, indent: str | None, line: str) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        inner = line + (indent or "")
        first, between, last = (inner, f",{inner}", line) if indent is not None else ("", ", ", "")
        yield ("{" if isinstance(value, dict) else "[") + first
        pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
        for position, (key, item) in enumerate(pairs):
            yield between if position else ""
            yield "" if key is None else json.dumps(key, ensure_ascii=False) + ": "
            yield from _written(item, indent, inner)
        yield last + ("}" if isinstance(value, dict) else "]")
    else:
        yield str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)

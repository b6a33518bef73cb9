"""Merges TOML by ``tomlkit``: comments, order and spelling of the base stay."""

import tomllib
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from build.errors import OverlayError
from build.overlay.values import changes, check_bounds, merged, same
from federation.errors import OversizedError
from federation.toml.lines import key_lines


def parse(text: str, which: str) -> dict[str, Any]:
    """The values in ``text``."""
    try:
        key_lines(text)
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, OversizedError) as error:
        raise OverlayError(f"{which} is not TOML that can be used: {error}") from error
    check_bounds(values)
    return values


def merge(base: str, overlay: str) -> str:
    """``base`` with the values of ``overlay``.

    Raises:
        OverlayError: one of them is no TOML, or a table clashes with a single value.
    """
    old, new = parse(base, "the base"), parse(overlay, "the overlay")
    wanted = merged(old, new)
    changed = list(changes(old, new))
    if not changed:
        return base
    try:
        text = _edited(base, changed)
        if same(tomllib.loads(text), wanted):
            return text
    except (TOMLKitError, tomllib.TOMLDecodeError, ValueError, TypeError, AttributeError):
        pass  # a layout that the library can't edit: the values are right without the comments
    return tomlkit.dumps(wanted)


def _edited(base: str, changed: list[tuple[tuple[str, ...], Any]]) -> str:
    document = tomlkit.parse(base)
    for (*folders, key), value in changed:
        table: Any = document
        for name in folders:
            table = table[name]
        table[key] = value
    return tomlkit.dumps(document)

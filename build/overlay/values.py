"""What a merge means, whatever the format: tables merge key by key, anything else the overlay replaces. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from build.errors import OverlayError

VALUES: Final = 200_000
"""Bound of the values in one file, with what its aliases repeat."""

DEPTH: Final = 60

Path = tuple[str, ...]


def merged(base: Any, overlay: Any, path: Path = ()) -> Any:
    """``base`` with ``overlay`` over it; neither is changed.

    Raises:
        OverlayError: one has a table where the other has something else.
    """
    if not isinstance(base, dict) or not isinstance(overlay, dict):
        check_same_shape(base, overlay, path)
        return overlay
    result = dict(base)
    for key, value in overlay.items():
        result[key] = merged(base[key], value, (*path, str(key))) if key in base else value
    return result


def check_same_shape(base: Any, overlay: Any, path: Path) -> None:
    """Refuse to put something else in a table's place, or a table in its.

    Raises:
        OverlayError: they clash.
    """
    if isinstance(base, dict) != isinstance(overlay, dict):
        one, other = ("table", "single value") if isinstance(base, dict) else ("single value", "table")
        raise OverlayError(f"{'.'.join(path) or 'the whole'}: the base has a {one} here and the overlay a {other}")


def changes(base: Any, overlay: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The keys that ``overlay`` gives another value than ``base`` has, in order, each with the new value.

    Raises:
        OverlayError: one has a table where the other has something else.
    """
    for key, value in overlay.items():
        here = (*path, key)
        if key not in base:
            yield here, value
        elif isinstance(base[key], dict) and isinstance(value, dict):
            yield from changes(base[key], value, here)
        else:
            check_same_shape(base[key], value, tuple(map(str, here)))
            if not same(base[key], value):
                yield here, value


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in type as well: ``1``, ``1.0`` and ``true`` are three; a NaN is itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124  # only a NaN differs from itself


def check_bounds(value: Any) -> None:
    """Refuse what is too deep or too large to handle, also by aliases that repeat.

    Raises:
        OverlayError: over ``VALUES`` or ``DEPTH``.
    """
    left = VALUES
    stack = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        left -= 1
        if left < 0 or depth > DEPTH:
            raise OverlayError(f"holds more than {VALUES} values or is nested deeper than {DEPTH}")
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        stack += ((part, depth + 1) for part in inner)

"""What a query may name in a document, and what a document holds there: one meaning for every storage.

A field is a dotted path through objects; ``""`` is the key. What is found there counts as nothing (``None``: missing,
null, a list, an object), a number (true is 1, false is 0, as in Python) or a text. Nothing sorts before numbers,
numbers before texts; texts sort by code point. A comparison holds between two numbers or two texts only.
"""

import re
from typing import Any

from federation.errors import InvalidValueError

Scalar = str | int | float | bool | None

KEY = ""
"""The name by which a query calls a document's key."""

_PATH = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)*", re.ASCII)
_COLLECTION = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)
_NAME_CHARS = 100
_KEY_CHARS = 1000


def check_field(field: str) -> str:
    """``field`` if it is a path of lower-case identifiers; it becomes part of a statement, so nothing else passes.

    Raises:
        InvalidValueError: it is not.
    """
    if len(field) > _NAME_CHARS or not _PATH.fullmatch(field):
        raise InvalidValueError(f"{field[:_NAME_CHARS]!r} is not a field: identifiers joined by '.'")
    return field


def check_collection(name: str) -> str:
    """``name`` if a collection may have it.

    Raises:
        InvalidValueError: it may not.
    """
    if len(name) > _NAME_CHARS or not _COLLECTION.fullmatch(name):
        raise InvalidValueError(f"{name[:_NAME_CHARS]!r} is not the name of a collection")
    return name


def check_key(key: str) -> str:
    """``key`` if a document may have it: any text that is not empty, not too long and has no NUL.

    Raises:
        InvalidValueError: it may not.
    """
    if not 0 < len(key) <= _KEY_CHARS or "\0" in key:
        raise InvalidValueError(f"{key[:80]!r} is not a document's key")
    return str(key)


def index_fields(index: str) -> tuple[str, ...]:
    """The fields of one declared index: one, or several joined by ``,``."""
    return tuple(check_field(field) for field in index.split(","))


def scalar(body: dict[str, Any], field: str) -> str | int | float | None:
    """What ``body`` holds at ``field``."""
    value: Any = body
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, str | int | float) else None


def rank(value: Scalar) -> tuple[int, Any]:
    """A key that sorts values of all kinds."""
    if value is None:
        return (0, 0)
    return (2, value) if isinstance(value, str) else (1, value)

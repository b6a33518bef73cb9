"""Globs over paths with ``/``: ``*`` and ``?`` stay inside one name, ``**`` spans folders, ``[…]`` is a set. Pure.

A pattern without ``/`` is for a name at any depth, one with ``/`` for the whole path; either also covers all that is
inside a folder it matches. Letters' case counts, and a leading dot is nothing special.
"""

import functools
import re
from collections.abc import Iterable
from typing import Final

_SIGNS: Final = frozenset("*?[")


def is_glob(text: str) -> bool:
    """Whether ``text`` is more than a plain path."""
    return not _SIGNS.isdisjoint(text)


def fixed_part(pattern: str) -> str:
    """The leading folders of ``pattern`` that hold no signs; ``""`` if there are none."""
    fixed: list[str] = []
    for part in pattern.split("/")[:-1]:
        if is_glob(part):
            break
        fixed.append(part)
    return "/".join(fixed)


def _name_regex(part: str) -> str:
    regex = ""
    position = 0
    while position < len(part):
        sign = part[position]
        end = part.find("]", position + 2) if sign == "[" else -1
        if end > 0:
            inside = part[position + 1 : end]
            negated = inside[0] in "!^"
            # Doubled signs are kept by Python's expressions for operations on sets: here they stand for themselves.
            escaped = re.sub(r"([\\\[\]^&~|]|-(?=-)|(?<=-)-)", r"\\\1", inside[negated:])
            regex += f"(?!/)[{'^' * negated}{escaped}]"
            position = end + 1
            continue
        regex += {"*": "[^/]*", "?": "[^/]"}.get(sign) or re.escape(sign)
        position += 1
    return re.sub(r"(?:\[\^/\]\*){2,}", "[^/]*", regex)


@functools.lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression for whole paths that ``pattern`` covers, folders' contents included."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    parts = parts if len(parts) > 1 else ["**", *parts]
    regex = ""
    for part, last in zip(parts, [*[False] * (len(parts) - 1), True], strict=True):
        if part == "**":
            regex = regex if regex.endswith("(?:.+/)?") and not last else regex + (".+" if last else "(?:.+/)?")
        else:
            regex += _name_regex(part) + ("" if last else "/")
    try:
        return re.compile(f"{regex}(?:/.*)?", re.DOTALL)
    except re.error:
        return re.compile(f"(?:.+/)?{re.escape(pattern)}(?:/.*)?", re.DOTALL)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of ``patterns`` covers ``path``, or a folder that it is in."""
    return any(compiled(pattern).fullmatch(path) for pattern in patterns)

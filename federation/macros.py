"""Macros: ``%%name%%`` in a text stands for a value. Pure; which values there are is for the caller to decide.

Values are put in as they are: a macro inside a value is not expanded again, so expansion always ends. An unknown macro
is an error, because a service that starts with a placeholder for its port fails later and less clearly.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from federation.errors import InvalidValueError, OversizedError

BUILT_IN: Final = frozenset({"version", "service", "role", "node", "instance"})
"""The names that vUpdate gives values to; a site can't give them other ones."""

EXPANDED_CHARS: Final = 16 * 1024 * 1024
"""Bound of a text after its macros were expanded."""

_NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,99}"
_MACRO = re.compile(f"%%({_NAME})%%", re.ASCII)
_WHOLE_NAME = re.compile(_NAME, re.ASCII)


class UnknownMacroError(InvalidValueError):
    """A text uses a macro that has no value."""

    code = "unknown-macro"

    def __init__(self, name: str, known: AbstractSet[str], where: str = "") -> None:
        place = f"{where}: " if where else ""
        names = ", ".join(sorted(known)[:20]) or "none"
        super().__init__(f"{place}unknown macro %%{name}%%: give it a value in the site's settings (known: {names})")
        self.name = name


def is_macro_name(text: str) -> bool:
    """Whether ``text`` can be the name of a macro."""
    return _WHOLE_NAME.fullmatch(text) is not None


def macro_names(text: str) -> frozenset[str]:
    """The names of the macros in ``text``."""
    return frozenset(_MACRO.findall(text))


def expand(text: str, values: Mapping[str, str], *, keep: AbstractSet[str] = frozenset(), where: str = "") -> str:
    """``text`` with each macro replaced by its value; those named in ``keep`` stay for a later expansion.

    Args:
        text: what holds the macros.
        values: the value of each name.
        keep: names to leave alone.
        where: what an error calls the text, such as a file's path.

    Raises:
        UnknownMacroError: a macro is in neither ``values`` nor ``keep``.
        OversizedError: the result would be over ``EXPANDED_CHARS``.
    """
    pieces: list[str] = []
    position = length = 0
    for match in _MACRO.finditer(text):
        name = match[1]
        if name not in values and name not in keep:
            raise UnknownMacroError(name, values.keys() | keep, where)
        value = match[0] if name not in values else values[name]
        pieces += (text[position : match.start()], value)
        position = match.end()
        length += len(value)
        if length > EXPANDED_CHARS:
            raise OversizedError(f"{where or 'a text'} grows over {EXPANDED_CHARS} characters by its macros")
    return "".join(pieces) + text[position:]

"""Macros that were filled in while building, as variables of a shell, since build commands know no macros. Pure."""

import re
import shlex
from collections.abc import Iterable
from typing import Final

_VARIABLES: Final = {"version": "VUPDATE_VERSION", "PATH": "PATH"}
_FILLED = re.compile(r"%%(version|PATH)%%")


def is_filled(texts: Iterable[str]) -> bool:
    """Whether one of ``texts`` holds a macro that a variable stands for."""
    return any(_FILLED.search(text) for text in texts)


def left_over(texts: Iterable[str]) -> tuple[str, ...]:
    """The macros in ``texts`` that no variable stands for."""
    found = {name for text in texts for name in re.findall(r"%%([^%\s]{1,100})%%", text)}
    return tuple(f"%%{name}%%" for name in sorted(found - _VARIABLES.keys()))


def shell_word(text: str) -> str:
    """``text`` as one word of a shell's script, with variables for its macros."""
    parts = _FILLED.split(text)
    words = [f'"${_VARIABLES[part]}"' if row % 2 else part and shlex.quote(part) for row, part in enumerate(parts)]
    return "".join(words) or "''"


def replacement(macro: str, value: str) -> str:
    """A word for ``sed -e`` that puts ``value``, in which macros are filled in, for ``%%macro%%``."""
    name = re.sub(r"([\[\]\\/.*^$])", r"\\\1", macro)
    text = re.sub(r"([\\/&\n])", r"\\\1", value)
    return shlex.quote(f"s/%%{name}%%/") + shell_word(f"{text}/g")

"""Reads ``name.ext.defines``: lines ``key=value`` that give macro values for ``name.ext``, as they stand."""

from build.errors import OverlayError
from federation.macros import BUILT_IN, is_macro_name


def parse(text: str) -> dict[str, str]:
    """The values that ``text`` defines; empty lines and those that begin with ``#`` mean nothing.

    Raises:
        OverlayError: a line of another form, a name twice, or one that vUpdate itself gives a value.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        name, sign, value = (part.strip() for part in line.partition("="))
        if (not name and not sign) or name.startswith("#"):
            continue
        if not sign or not is_macro_name(name):
            raise OverlayError(f"line {number}: not of the form name=value")
        if name in BUILT_IN:
            raise OverlayError(f"line {number}: {name!r} is given by vUpdate")
        if name in values:
            raise OverlayError(f"line {number}: {name!r} stands twice")
        values[name] = value
    return values

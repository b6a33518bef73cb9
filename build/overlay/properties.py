"""Merges Java properties by ``javaproperties``: comments and order of the base stay."""

from javaproperties import InvalidUEscapeError, PropertiesFile

from build.errors import OverlayError


def parse(text: str, which: str) -> PropertiesFile:
    """The properties in ``text``."""
    try:
        return PropertiesFile.loads(text)
    except (InvalidUEscapeError, ValueError) as error:
        raise OverlayError(f"{which} is not a properties file that can be used: {error}") from error


def merge(base: str, overlay: str) -> str:
    """``base`` with the values of ``overlay``.

    Raises:
        OverlayError: one of them is not a properties file.
    """
    found, new = parse(base, "the base"), parse(overlay, "the overlay")
    changed = {key: value for key, value in new.items() if found.get(key) != value}
    if not changed:
        return base
    for key, value in changed.items():
        found[key] = value
    return found.dumps()

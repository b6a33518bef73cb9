"""Merges HOCON: the overlay goes to the end of the base, under a line that says so, and every byte of the base stays.

By the specification a later value wins, objects merge, ``+=`` adds to what stood before, and a substitution sees the
result of all: so this is the exact merge, also where the values can't be known here. ``include`` stays text. JSON on
both sides merges as JSON, so that what reads only that still can.
"""

from typing import Final

from build.errors import OverlayError
from build.overlay import hocon, json
from build.overlay.hocon import Document, NotHoconError, Unknown, Value
from build.overlay.values import Path, check_same_shape

_MARK: Final = "# From an overlay; what stands here wins over what stands above."
_SPACE: Final = " \t\n"


def replaces(base: bytes, overlay: bytes) -> bool:
    """Whether the overlay can only replace the base whole: many a ``.conf`` is no HOCON, as those of nginx.

    A base without any key takes whatever the overlay is.

    Raises:
        OverlayError: HOCON that can't be merged.
    """
    old = _document(base, "the base")
    return old is None or (_is_silent(old) and _document(overlay, "the overlay") is None)


def _document(content: bytes, which: str) -> Document | None:
    try:
        return hocon.parse(content.decode().removeprefix("\ufeff"), which)
    except (UnicodeDecodeError, NotHoconError):
        return None


def merge(base: str, overlay: str) -> str:
    """``base`` with the values of ``overlay``.

    Raises:
        OverlayError: one of them is not HOCON, or an object clashes with a single value.
    """
    if _is_json(base) and _is_json(overlay):
        return json.merge(base, overlay)
    old, new = hocon.parse(base, "the base"), hocon.parse(overlay, "the overlay")
    _check_clashes(old.values, new.values)
    if base == overlay or _is_silent(new) or _says(old, new):
        return base
    text = _appended(base, old, _without_braces(overlay, new))
    hocon.parse(text, "the result")
    return text


def _is_json(text: str) -> bool:
    try:
        json.parse(text, "")
    except OverlayError:
        return False
    return True


def _is_silent(document: Document) -> bool:
    return not document.values and not document.has_includes


def _says(base: Document, overlay: Document) -> bool:
    """Whether the base says already all that the overlay does; with an ``include`` in one that can't be told."""
    return not (base.has_includes or overlay.has_includes) and _holds(base.values, overlay.values)


def _holds(base: Value, overlay: Value) -> bool:
    if isinstance(base, dict) and isinstance(overlay, dict):
        return all(key in base and _holds(base[key], value) for key, value in overlay.items())
    return base == overlay


def _check_clashes(base: Value, overlay: Value, path: Path = ()) -> None:
    """Refuse a table in the place of a single value, and the other way; ``null`` may take the place of both."""
    if isinstance(base, dict) and isinstance(overlay, dict):
        for key, value in overlay.items():
            if key in base:
                _check_clashes(base[key], value, (*path, key))
    elif not any(isinstance(side, Unknown) or side == "null" for side in (base, overlay)):
        check_same_shape(base, overlay, path)


def _without_braces(text: str, document: Document) -> str:
    if document.braces:
        opening, closing = document.braces
        text = text[:opening] + text[opening + 1 : closing] + text[closing + 1 :]
    return text.strip(_SPACE)


def _appended(base: str, document: Document, addition: str) -> str:
    """``base`` with ``addition`` at its end, inside the braces around it; as it is if that is its end already."""
    first, last = (document.braces[0] + 1, document.braces[1]) if document.braces else (0, len(base))
    block = f"{_MARK}\n{addition}\n"
    within = base[first:last]
    if within.endswith(block):
        return base
    gap = "\n" if within.endswith("\n") else "\n\n" if within else "\n" * bool(document.braces)
    return base[:last] + gap + block + base[last:]

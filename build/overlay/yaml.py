"""Merges YAML by ``ruamel.yaml``: comments, order, anchors and quotes of the base stay."""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.util import load_yaml_guess_indent

from build.errors import OverlayError
from build.overlay.values import changes, check_bounds, merged, same

_WIDTH = 4096


def parse(text: str, which: str) -> dict[str, Any]:
    """The values in ``text``; an empty file is an empty table."""
    try:
        value = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError, TypeError) as error:
        raise OverlayError(f"{which} is not YAML that can be used: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise OverlayError(f"{which} is not a YAML mapping at its top: it can't be merged")
    check_bounds(value)
    return value


def merge(base: str, overlay: str) -> str:
    """``base`` with the values of ``overlay``.

    Raises:
        OverlayError: one of them is no YAML mapping, or a mapping clashes with a single value.
    """
    old, new = parse(base, "the base"), parse(overlay, "the overlay")
    wanted = merged(old, new)
    changed = list(changes(old, new))
    if not changed:
        return base
    try:
        text = _edited(base, changed)
        if same(parse(text, "the result"), wanted):
            return text
    except (YAMLError, OverlayError, ValueError, TypeError, KeyError, AttributeError):
        pass  # a layout that the library can't edit, or an alias that the change would reach: values count more
    return _dumped(_writer(base), wanted)


def _writer(base: str) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    _, indent, offset = load_yaml_guess_indent(base)
    if indent is not None:
        yaml.indent(mapping=indent, sequence=indent, offset=offset or 0)
    return yaml


def _edited(base: str, changed: list[tuple[tuple[str, ...], Any]]) -> str:
    yaml = _writer(base)
    document = yaml.load(base)
    if document is None:
        document = CommentedMap()
    for (*folders, key), value in changed:
        table: Any = document
        for name in folders:
            table = table[name]
        table[key] = value
    return _dumped(yaml, document)


def _dumped(yaml: YAML, value: Any) -> str:
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()

"""Merges INI files line by line: all that the overlay does not name stays as it stands, comments included.

``configparser`` of the standard library drops comments. A key is found by its exact spelling, else without regard to
case, as most readers of such files do. A key that stands several times is a list: the overlay's replaces the base's.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from build.errors import OverlayError

_SECTION = re.compile(r"\s*\[([^\]]+)\]\s*(?:[#;].*)?")
_OPTION = re.compile(r"(\s*)([^=:\s\[#;](?:[^=:]*[^=:\s])?)(?:(\s*[=:][ \t]*)(.*)|\s*)")
_COMMENT: Final = ("#", ";")
OPTIONS: Final = 2000
"""As many options an overlay may set: each is looked for among all lines of the base."""


@dataclass(slots=True)
class _Option:
    """An option: its key as it is spelled, the sign before its value (none for a key alone), the value's lines."""

    section: str
    indent: str
    key: str
    sign: str
    value: list[str]

    @property
    def lines(self) -> list[str]:
        return [self.indent + self.key + self.sign + self.value[0], *self.value[1:]]

    def with_value_of(self, other: "_Option") -> "_Option":
        """This option with the value of ``other``, and its sign where this one has none."""
        sign = (self.sign or other.sign) if other.sign else ""
        return _Option(self.section, self.indent, self.key, sign, list(other.value))


@dataclass(slots=True)
class _Other:
    """A comment, an empty line or a section's header."""

    line: str
    section: str
    header: bool = False

    @property
    def lines(self) -> list[str]:
        return [self.line]


@dataclass(slots=True)
class _File:
    items: list[_Option | _Other] = field(default_factory=list)

    def options(self, section: str, key: str) -> list[_Option]:
        """The options of that name: of that spelling, else of that word."""
        here = [item for item in self.items if isinstance(item, _Option) and item.section == section]
        exact = [item for item in here if item.key == key]
        return exact or [item for item in here if item.key.lower() == key.lower()]

    def end_of(self, section: str) -> int | None:
        """The position behind the last line of ``section`` that is not empty; ``None`` if there is no such section."""
        ends = [
            position
            for position, item in enumerate(self.items, 1)
            if item.section == section and (isinstance(item, _Option) or item.header)
        ]
        return ends[-1] if ends else None

    @property
    def text(self) -> str:
        return "\n".join(line for item in self.items for line in item.lines)


def parse(text: str, which: str) -> _File:
    """The lines of ``text`` with what they mean."""
    file = _File()
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        last = file.items[-1] if file.items else None
        if not line.strip() or line.lstrip().startswith(_COMMENT):
            file.items.append(_Other(line, section))
        elif isinstance(last, _Option) and _indent(line) > len(last.indent):
            last.value.append(line)
        elif header := _SECTION.fullmatch(line):
            section = header[1].strip()
            file.items.append(_Other(line, section, header=True))
        elif option := _OPTION.fullmatch(line):
            file.items.append(_Option(section, option[1], option[2], option[3] or "", [option[4] or ""]))
        else:
            raise OverlayError(f"{which}, line {number}: neither a [section] nor key = value")
    return file


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def merge(base: str, overlay: str) -> str:
    """``base`` with the values of ``overlay``.

    Raises:
        OverlayError: a line of one of them means nothing.
    """
    found, new = parse(base, "the base"), parse(overlay, "the overlay")
    groups: dict[tuple[str, str], list[_Option]] = {}
    for item in new.items:
        if isinstance(item, _Option):
            groups.setdefault((item.section, item.key), []).append(item)
    if len(groups) > OPTIONS:
        raise OverlayError(f"the overlay sets more than {OPTIONS} options")
    for (section, key), options in groups.items():
        _put(found, section, key, options)
    return found.text


def _put(file: _File, section: str, key: str, options: list[_Option]) -> None:
    old = file.options(section, key)
    if [(bool(item.sign), item.value) for item in old] == [(bool(item.sign), item.value) for item in options]:
        return
    if old:
        fresh = [old[0].with_value_of(item) for item in options]
        position = next(place for place, item in enumerate(file.items) if item is old[0])
        file.items = [item for item in file.items if not any(item is gone for gone in old)]
        file.items[position:position] = fresh
        return
    position = _room_for(file, section)
    file.items[position:position] = [
        _Option(section, item.indent, key, item.sign, list(item.value)) for item in options
    ]


def _room_for(file: _File, section: str) -> int:
    """Where a new option of ``section`` goes; a section that is missing is added at the end."""
    end = file.end_of(section)
    if end is not None:
        return end
    if not section:
        return 0
    while file.items and isinstance(file.items[-1], _Other) and not file.items[-1].line.strip():
        file.items.pop()
    if file.items:
        file.items.append(_Other("", section))
    file.items += [_Other(f"[{section}]", section, header=True), _Other("", section)]
    return len(file.items) - 1

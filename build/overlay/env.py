"""Merges dotenv files: lines ``KEY=value``, with ``export`` before them, quotes around them, a comment behind them.

``set_key`` of ``python-dotenv`` writes to a file by its name, quotes anew what it sets, and drops the comment of that
line: here a value goes over as it is spelled. Of a key that stands twice the last counts, as for those who read it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from build.errors import OverlayError

_BINDING = re.compile(
    r"""(?P<head>[ \t]*(?:export[ \t]+)?)(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)(?P<sign>[ \t]*=)
    (?:(?P<quoted>[ \t]*(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"))(?P<rest>[^\n]*)|(?P<plain>[^\n]*))""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"(?<=[ \t])#")
_SILENT = re.compile(r"[ \t]*(?:#[^\n]*)?(?=\n|\Z)")
_NOT_TEXT = re.compile(r"[\0\r]")
_BLANKS: Final = " \t"


@dataclass(frozen=True, slots=True)
class _Binding:
    """A key with its value, each part as it is spelled; ``rest`` is what stands behind the value."""

    head: str
    key: str
    sign: str
    value: str
    rest: str

    @property
    def text(self) -> str:
        return self.head + self.key + self.sign + self.value + self.rest

    @property
    def is_exported(self) -> bool:
        return "export" in self.head

    def with_value_of(self, other: "_Binding") -> "_Binding":
        """This line with the value of ``other``; its own comment stays."""
        head = other.head if other.is_exported and not self.is_exported else self.head
        if self.value == other.value:
            return replace(self, head=head)
        rest = self.rest if self.rest.strip(_BLANKS) else other.rest
        if rest.startswith("#"):
            rest = f" {rest}"  # without quotes, the value would go on
        return replace(self, head=head, sign=other.sign, value=other.value, rest=rest)


_Item: TypeAlias = _Binding | str
"""A binding; or a line that is empty, or a comment."""


def parse(text: str, which: str) -> list[_Item]:
    """The lines of ``text`` with what they mean.

    Raises:
        OverlayError: a line is neither a comment nor ``KEY=value``.
    """
    if match := _NOT_TEXT.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise OverlayError(f"{which}, line {line}: a NUL byte or a carriage return")
    return list(_items(text, which))


def _items(text: str, which: str) -> Iterator[_Item]:
    place, line = 0, 1
    while place <= len(text):
        silent = _SILENT.match(text, place)
        item = silent[0] if silent else _binding(text, place, f"{which}, line {line}")
        spelled = item if isinstance(item, str) else item.text
        yield item
        place += len(spelled) + 1
        line += spelled.count("\n") + 1


def _binding(text: str, place: int, where: str) -> _Binding:
    match = _BINDING.match(text, place)
    if not match:
        raise OverlayError(f"{where}: not of the form KEY=value")
    value, rest = (match["quoted"], match["rest"]) if match["quoted"] is not None else _parted(match["plain"])
    if match["quoted"] is None and value.lstrip(_BLANKS)[:1] in {"'", '"'}:
        raise OverlayError(f"{where}: the quote that begins the value is not closed")
    if rest.strip(_BLANKS) and not rest.lstrip(_BLANKS).startswith("#"):
        raise OverlayError(f"{where}: text behind the quote that ends the value")
    return _Binding(match["head"], match["key"], match["sign"], value, rest)


def _parted(plain: str) -> tuple[str, str]:
    """A value without quotes, and the comment behind it with the blanks between."""
    comment = _COMMENT.search(plain)
    value = plain[: comment.start() if comment else len(plain)].rstrip(_BLANKS)
    return value, plain[len(value) :]


def merge(base: str, overlay: str) -> str:
    """``base`` with the values of ``overlay``.

    Raises:
        OverlayError: a line of one of them means nothing.
    """
    items, new = parse(base, "the base"), parse(overlay, "the overlay")
    found = {item.key: (place, item) for place, item in enumerate(items) if isinstance(item, _Binding)}
    added: list[_Item] = []
    for binding in {item.key: item for item in new if isinstance(item, _Binding)}.values():
        if binding.key in found:
            place, old = found[binding.key]
            items[place] = old.with_value_of(binding)
        else:
            added.append(binding)
    end = max((place for place, item in enumerate(items, 1) if not isinstance(item, str) or item.strip()), default=0)
    items[end:end] = added
    return "\n".join(item if isinstance(item, str) else item.text for item in items)

"""What a HOCON text says as far as it says it itself: substitutions stay unresolved, and no ``include`` is followed.

Written here because ``pyhocon``, the one library there is, opens files and URLs while it parses, changes settings of
``pyparsing`` for all threads, has no bound on depth, takes seconds for a few thousand lines, and lets ``[1,,2]`` pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from build.errors import OverlayError
from build.overlay.hocon.tokens import NotHoconError, Tokens
from build.overlay.values import DEPTH, VALUES


class Unknown:
    """A value that depends on what is not in this text, or on what stood under its key before: equal to no other."""


Value: TypeAlias = "dict[str, Value] | tuple[Value, ...] | str | Unknown"
"""A table, a list, a single value (words as they are spelled, strings in double quotes), or one that is not known."""

Table: TypeAlias = dict[str, Value]

_SIMPLE: Final = frozenset({"word", "quoted", "triple", "substitution"})


@dataclass(frozen=True, slots=True)
class Document:
    """What a text says; ``braces`` are the places of the two around all of it, if they are there."""

    values: Table
    has_includes: bool
    braces: tuple[int, int] | None


def parse(text: str, which: str) -> Document:
    """What ``text`` says; ``which`` side it is stands in the errors.

    Raises:
        NotHoconError: not HOCON.
        OverlayError: a list at its top, or over ``VALUES`` or ``DEPTH``.
    """
    if "\0" in text:
        raise NotHoconError(f"{which} is not HOCON that can be used: it holds a NUL byte")
    return _Parser(text, which).document()


class _Parser:
    def __init__(self, text: str, which: str) -> None:
        self._tokens = Tokens(text, which)
        self._which = which
        self._left = VALUES
        self._has_includes = False

    def document(self) -> Document:
        tokens = self._tokens
        values: Table = {}
        braces = None
        tokens.skip()
        is_list = tokens.at("[")
        if is_list:
            self._list(0)
        elif tokens.at("{"):
            braces = (tokens.start, self._braced(values, 0))
        else:
            self._fields(values, 0)
        tokens.skip()
        if not tokens.at_end():
            raise tokens.error(f"{tokens.described} after the end of the whole")
        if is_list:
            raise OverlayError(f"{self._which} is a list at its top: it can't be merged")
        return Document(values, self._has_includes, braces)

    def _braced(self, table: Table, depth: int) -> int:
        """Read an object into ``table``; the place of its closing brace."""
        self._tokens.advance()
        self._fields(table, depth)
        if not self._tokens.at("}"):
            raise self._tokens.error("a brace '{' is not closed")
        closing = self._tokens.start
        self._tokens.advance()
        return closing

    def _fields(self, table: Table, depth: int) -> None:
        tokens = self._tokens
        tokens.skip()
        while not (tokens.at("}") or tokens.at_end()):
            if tokens.skip_include():
                self._has_includes = True
            else:
                self._field(table, depth)
            self._separator("}")

    def _separator(self, closing: str) -> None:
        tokens = self._tokens
        newline = tokens.skip()
        if tokens.at(","):
            tokens.advance()
            tokens.skip()
        elif not (newline or tokens.at(closing) or tokens.at_end()):
            raise tokens.error(f"{tokens.described} where a comma or a new line has to be")

    def _field(self, table: Table, depth: int) -> None:
        tokens = self._tokens
        path = tokens.path()
        tokens.skip()
        adds = tokens.at("+=")
        if tokens.at(":", "=", "+="):
            tokens.advance()
            tokens.skip()
        elif not tokens.at("{"):
            raise tokens.error("no '=' after the key that stands before")
        value = self._value(depth + len(path))
        _put(table, path, Unknown() if adds else value)

    def _value(self, depth: int) -> Value:
        """A value, or several on one line that make one together."""
        tokens = self._tokens
        self._left -= 1
        if self._left < 0 or depth > DEPTH:
            raise OverlayError(f"{self._which} holds more than {VALUES} values or is nested deeper than {DEPTH}")
        parts: list[Value] = []
        texts: list[str] = []
        while tokens.kind in _SIMPLE or tokens.at("{", "[") or (tokens.kind == "blank" and parts):
            if tokens.kind == "blank":
                texts.append(tokens.text)
                tokens.advance()
            else:
                texts.append(self._text())
                parts.append(self._part(depth))
        if not parts:
            raise tokens.error("a value is missing")
        return self._joined(parts, "".join(texts).rstrip())

    def _text(self) -> str:
        """What the next token is in a text that is made of several."""
        tokens = self._tokens
        return tokens.literal() if tokens.kind in {"quoted", "triple"} else tokens.text if tokens.kind == "word" else ""

    def _part(self, depth: int) -> Value:
        tokens = self._tokens
        if tokens.at("["):
            return self._list(depth)
        if tokens.at("{"):
            table: Table = {}
            self._braced(table, depth)
            return table
        value: Value
        if tokens.kind == "substitution":
            self._check_substitution()
            value = Unknown()
        else:
            value = tokens.text if tokens.kind == "word" else f'"{tokens.literal()}"'
        tokens.advance()
        return value

    def _check_substitution(self) -> None:
        path = self._tokens.text[2:-1].removeprefix("?").removesuffix("[]")
        try:
            inner = Tokens(path, self._which)
            inner.path()
        except NotHoconError as error:
            raise self._tokens.error("a substitution that does not hold a path") from error
        if not inner.at_end():
            raise self._tokens.error("a substitution that does not hold a path")

    def _joined(self, parts: Sequence[Value], text: str) -> Value:
        kinds = {type(part) for part in parts if not isinstance(part, Unknown)}
        if len(kinds) > 1:
            raise self._tokens.error("an object, a list and a text can't be one value together")
        if len(parts) == 1:
            return parts[0]
        if any(isinstance(part, Unknown) for part in parts):
            return Unknown()
        if kinds == {str}:
            return f'"{text}"'
        if kinds == {tuple}:
            return tuple(item for part in parts if isinstance(part, tuple) for item in part)
        table: Table = {}
        for part in parts:
            _lay(table, part)
        return table

    def _list(self, depth: int) -> tuple[Value, ...]:
        tokens = self._tokens
        tokens.advance()
        tokens.skip()
        items: list[Value] = []
        while not (tokens.at("]") or tokens.at_end()):
            items.append(self._value(depth + 1))
            self._separator("]")
        if tokens.at_end():
            raise tokens.error("a bracket '[' is not closed")
        tokens.advance()
        return tuple(items)


def _put(table: Table, path: Sequence[str], value: Value) -> None:
    """Give the ``path`` under ``table`` its ``value``: objects merge, anything else overrides what stood there."""
    for name in path[:-1]:
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            table[name] = Unknown()
            return
        table = inner
    name = path[-1]
    old = table.get(name)
    if old is None or not isinstance(value, dict):
        table[name] = value
    elif isinstance(old, dict):
        _lay(old, value)
    else:
        # An object in the place of something else: laid over another text, it would not merge with the object there.
        table[name] = Unknown()


def _lay(table: Table, over: Value) -> None:
    if isinstance(over, dict):
        for key, value in over.items():
            _put(table, (key,), value)

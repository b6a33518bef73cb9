"""Version numbers of developer and client versions: reading, writing, order, the next one (domain.md §2).

A version is a string in its one spelling, so it can stand wherever its text can; its order is that of its numbers.
"""

import re
from collections.abc import Iterable
from typing import Any, Self

from federation import limits
from federation.errors import InvalidValueError
from federation.names import NodeName

_NUMBER = re.compile(r"0|[1-9][0-9]*", re.ASCII)


def _number(text: str, what: str, whole: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise InvalidValueError(
            f"version {whole!r}: {what} {text[:20]!r} is not a number without leading zeros; "
            "a version looks like acme-1.4.2 or acme-1.4.2_1"
        )
    if len(text) > limits.BUILD_COMPONENT_DIGITS:
        raise InvalidValueError(f"version {whole!r}: {what} has more than {limits.BUILD_COMPONENT_DIGITS} digits")
    return int(text)


class _Version(str):
    """A string ordered by ``_order`` instead of by its letters."""

    _order: tuple[Any, ...]

    def __lt__(self, other: str) -> bool:
        return self._order < other._order if isinstance(other, type(self)) else NotImplemented

    def __le__(self, other: str) -> bool:
        return self._order <= other._order if isinstance(other, type(self)) else NotImplemented

    def __gt__(self, other: str) -> bool:
        return self._order > other._order if isinstance(other, type(self)) else NotImplemented

    def __ge__(self, other: str) -> bool:
        return self._order >= other._order if isinstance(other, type(self)) else NotImplemented


class DeveloperVersion(_Version):
    """``<node>-<a.b.c…>``: the node that made it, and the build's components.

    Ordered by node, then by components as numbers; a prefix is smaller.
    """

    node: NodeName
    build: tuple[int, ...]

    def __new__(cls, text: str) -> Self:
        """The developer version that ``text`` spells.

        Raises:
            InvalidValueError: with the reason.
        """
        if type(text) is cls:
            return text
        if len(text) > limits.VERSION_CHARS:
            raise InvalidValueError(f"a version is at most {limits.VERSION_CHARS} characters long")
        node, dash, build = text.rpartition("-")
        if not dash:
            raise InvalidValueError(f"version {text!r} has no '-' between node and build, as in acme-1.4.2")
        parts = build.split(".")
        if len(parts) > limits.BUILD_COMPONENTS:
            raise InvalidValueError(f"version {text!r} has more than {limits.BUILD_COMPONENTS} build components")
        self = super().__new__(cls, text)
        self.node = NodeName(node)
        self.build = tuple(_number(part, "build component", text) for part in parts)
        self._order = (str(self.node), self.build)
        return self

    @classmethod
    def of(cls, node: NodeName, build: Iterable[int]) -> Self:
        """The version of ``node`` with the components ``build``."""
        return cls(f"{node}-{'.'.join(map(str, build))}")

    @classmethod
    def first(cls, node: NodeName) -> Self:
        """``<node>-1.0.0``."""
        return cls.of(node, (1, 0, 0))

    def next(self) -> Self:
        """The same with its last component raised by one."""
        return self.of(self.node, (*self.build[:-1], self.build[-1] + 1))

    __hash__ = str.__hash__


class ClientVersion(_Version):
    """``<developer version>`` or ``<developer version>_N``: adapted to one site for the N-th time after the first."""

    base: DeveloperVersion
    number: int

    def __new__(cls, text: str) -> Self:
        """The client version that ``text`` spells; ``_0`` is read and means no suffix.

        Raises:
            InvalidValueError: with the reason.
        """
        if type(text) is cls:
            return text
        if len(text) > limits.VERSION_CHARS:
            raise InvalidValueError(f"a version is at most {limits.VERSION_CHARS} characters long")
        base_text, mark, number_text = text.rpartition("_")
        base = DeveloperVersion(base_text if mark else text)
        number = _number(number_text, "client number", text) if mark else 0
        self = super().__new__(cls, f"{base}_{number}" if number else base)
        self.base = base
        self.number = number
        self._order = (str(base.node), base.build, number)
        return self

    @classmethod
    def of(cls, base: DeveloperVersion, number: int = 0) -> Self:
        """The client version ``number`` of ``base``."""
        return cls(f"{base}_{number}")

    def next(self) -> Self:
        """The client version after this one for the same developer version."""
        return self.of(self.base, self.number + 1)

    __hash__ = str.__hash__

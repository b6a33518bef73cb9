"""The tokens of HOCON, one at a time, and the paths that keys and substitutions are made of."""

import json
import re
from typing import Final

from build.errors import OverlayError

_BLANK: Final = r"\t\v\f\r\x1c-\x1f \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_ANY_BLANK: Final = rf"[\n{_BLANK}]*"
_UNQUOTED: Final = rf"(?:[^\n{_BLANK}$\"{{}}\[\]:=,+#`^?!@*&\\/]|/(?!/))"
_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]+)?[eE][+][0-9]+"
"""The one form of a number with a sign in it that no unquoted string may hold."""

_QUOTED: Final = r'(?!""")"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
_TOKEN = re.compile(
    rf"""(?P<blank>[{_BLANK}]+)
    |(?P<newline>\n)
    |(?P<comment>(?:\#|//)[^\n]*)
    |(?P<sign>\+=|[{{}}\[\],:=])
    |(?P<triple>\"\"\"[\s\S]*?\"{{3,}})
    |(?P<quoted>{_QUOTED})
    |(?P<substitution>\$\{{(?:{_QUOTED}|[^"}}\n])*+\}})
    |(?P<word>{_NUMBER}{_UNQUOTED}*+|{_UNQUOTED}++)""",
    re.VERBOSE,
)
_RESOURCE: Final = rf"(?:{_QUOTED}|(?:url|file|classpath|package)\({_ANY_BLANK}{_QUOTED}{_ANY_BLANK}\))"
_INCLUDE = re.compile(rf"include{_ANY_BLANK}(?:{_RESOURCE}|required\({_ANY_BLANK}{_RESOURCE}{_ANY_BLANK}\))")
_PATH: Final = frozenset({"word", "quoted", "triple", "blank"})
_END: Final = "end"


class NotHoconError(OverlayError):
    """The text breaks the rules of HOCON: it may be a file of another format."""


class Tokens:
    """The text of one side, and the token that is next: its ``kind``, its ``text``, where it begins and ends."""

    def __init__(self, text: str, which: str) -> None:
        self._source = text
        self._which = which
        self.kind = self.text = ""
        self.start = self.end = 0
        self.advance()

    def advance(self) -> None:
        """Go on to the next token.

        Raises:
            NotHoconError: there is none here.
        """
        self.start = self.end
        match = _TOKEN.match(self._source, self.start)
        if match:
            self.kind, self.text, self.end = match.lastgroup or "", match[0], match.end()
        elif self.start == len(self._source):
            self.kind, self.text = _END, ""
        else:
            raise self.error(_reason(self._source, self.start))

    def at(self, *signs: str) -> bool:
        """Whether one of the ``signs`` is next."""
        return self.kind == "sign" and self.text in signs

    @property
    def described(self) -> str:
        """What is next, for an error: a text may be a secret, and is not told."""
        return repr(self.text) if self.kind == "sign" else "a text"

    def at_end(self) -> bool:
        return self.kind == _END

    def skip(self) -> bool:
        """Pass over blanks, comments and line ends; whether there was a line end."""
        newline = False
        while self.kind in {"blank", "comment", "newline"}:
            newline |= self.kind == "newline"
            self.advance()
        return newline

    def skip_include(self) -> bool:
        """Pass over an ``include``, if one is next: it is text here, and nothing is opened.

        Raises:
            NotHoconError: ``include`` with something else than a name in quotes.
        """
        if self.kind != "word" or self.text != "include":
            return False
        match = _INCLUDE.match(self._source, self.start)
        if not match:
            raise self.error("'include' without a name in quotes; as a key it has to be in quotes itself")
        self.end = match.end()
        self.advance()
        return True

    def path(self) -> tuple[str, ...]:
        """The path expression that is next: dots outside quotes part it.

        Raises:
            NotHoconError: there is none, or a part of it is empty.
        """
        start = self.start
        parts: list[list[str]] = [[]]  # each by its pieces: with none it is empty, but "" in quotes is one
        gap = ""
        while self.kind in _PATH:
            if self.kind == "blank":
                gap = self.text
            else:
                first, *others = self.text.split(".") if self.kind == "word" else [self.literal()]
                if first or gap or self.kind != "word":
                    parts[-1].append(gap + first)
                parts += ([other] if other else [] for other in others)
                gap = ""
            self.advance()
        if parts == [[]]:
            raise self.error("a key is missing", start)
        if not all(parts):
            raise self.error("a part of a key is empty: it would have to be in quotes", start)
        return tuple(map("".join, parts))

    def literal(self) -> str:
        """The text that a quoted or triple-quoted token stands for."""
        return str(json.loads(self.text)) if self.kind == "quoted" else self.text[3:-3]

    def error(self, reason: str, place: int | None = None) -> NotHoconError:
        """The error that a rule is broken at ``place``, else at what is next."""
        line = self._source.count("\n", 0, self.start if place is None else place) + 1
        return NotHoconError(f"{self._which} is not HOCON that can be used: line {line}: {reason}")


def _reason(source: str, place: int) -> str:
    if source[place] == '"':
        return "a quote that is not closed, or holds what has to be escaped"
    if source.startswith("${", place):
        return "a substitution that is not closed"
    return f"the sign {source[place]!r} has to be in quotes"

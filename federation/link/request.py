"""An HTTP request as far as its signature goes: what both ends must see alike, to the byte."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from federation.errors import InvalidValueError

TARGET_CHARS: Final = 4096

# Paths without percent escapes have one spelling: a server that decodes them sees what was signed. A path in which an
# escaped "?" was decoded would otherwise pass for a path with a query.
_PATH = re.compile(r"(/[A-Za-z0-9._~:@-]*)+", re.ASCII)
_QUERY = re.compile(r"([A-Za-z0-9._~:@/?!$'()*,;=&+-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_METHOD = re.compile(r"[A-Z]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """``path`` and ``query`` as they stand in the request line, ``query`` without its ``?``.

    Names in ``headers`` are lower-case whatever they were given as; lines of one name are joined (RFC 9110 §5.3).
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        if not _METHOD.fullmatch(self.method):
            raise InvalidValueError("a signed request has a method in capital letters")
        if len(self.path) + len(self.query) > TARGET_CHARS:
            raise InvalidValueError(f"the path and query of a signed request have at most {TARGET_CHARS} characters")
        if not _PATH.fullmatch(self.path):
            raise InvalidValueError(f"the path of a signed request has no escapes: {self.path[:80]!r}")
        if not _QUERY.fullmatch(self.query):
            raise InvalidValueError(f"the query of a signed request is percent-encoded: {self.query[:80]!r}")
        object.__setattr__(self, "headers", joined_headers(self.headers.items()))

    @classmethod
    def received(
        cls, *, method: str, path: str, query: bytes | str, headers: Iterable[tuple[str, str]], body: bytes
    ) -> Self:
        """A request as a server got it; ``headers`` are all lines in order, repeated names and all.

        Raises:
            InvalidValueError: a request line that no vUpdate peer sends.
        """
        text = query.decode("latin-1") if isinstance(query, bytes) else query
        return cls(method=method, path=path, query=text, headers=joined_headers(headers), body=body)

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path


def joined_headers(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """``lines`` by lower-case name; the values of one name joined by commas (RFC 9110 §5.3)."""
    headers: dict[str, str] = {}
    for name, value in lines:
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers

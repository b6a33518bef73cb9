"""Credentials that a node keeps for Git servers: for which addresses each is good. Pure.

A credential belongs to a prefix of addresses: transport, user (of SSH), host and port exactly, the path by whole
segments. An address whose path could lead elsewhere when a server reads it (``..``, ``%2e%2e``, an empty segment) is
under no prefix. How one is given to Git is for ``presenting``.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol, Self
from urllib.parse import unquote, urlsplit

from build.giturl import GitUrl
from federation.errors import InvalidValueError

PREFIX_CHARS: Final = 500
_PORTS: Final = {"https": 443, "ssh": 22}


@dataclass(frozen=True, slots=True, order=True)
class Reach:
    """A prefix of addresses. ``user``: of SSH; of HTTPS empty, as that is no part of an address without credentials."""

    scheme: str
    user: str
    host: str
    port: int
    path: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """The prefix that ``text`` spells.

        Raises:
            InvalidValueError: not ``https://host/…`` or ``ssh://user@host/…``, or it holds more than that.
        """
        if not text or len(text) > PREFIX_CHARS or not text.isascii() or not text.isprintable() or " " in text:
            raise InvalidValueError(
                f"a prefix of addresses has 1 to {PREFIX_CHARS} characters and no spaces; others than ASCII as %XX"
            )
        try:
            parts = urlsplit(text)
            secret = parts.password is not None or (parts.scheme == "https" and parts.username is not None)
        except ValueError as error:
            raise InvalidValueError("the prefix is not the beginning of an address") from error
        if secret:
            raise InvalidValueError("the prefix holds a name or password: give the user and the secret beside it")
        found = None if parts.query or parts.fragment else cls._of_url(text)
        if found is None:
            raise InvalidValueError(
                f"{text!r} is not the beginning of an address: write https://host/folder/ or ssh://git@host/folder/"
            )
        return found

    @classmethod
    def of(cls, url: GitUrl) -> Self | None:
        """All of ``url``, as the prefix of itself alone; ``None`` if it can be under no prefix."""
        if url.local:
            return None
        if "://" in url.plain:
            return cls._of_url(url.plain)
        place, _, path = url.plain.partition(":")
        user, _, host = place.rpartition("@")
        segments = _segments(path)
        return None if segments is None else cls("ssh", user, host.lower(), _PORTS["ssh"], segments)

    @classmethod
    def _of_url(cls, text: str) -> Self | None:
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        segments = _segments(parts.path)
        # Quotes, backslashes and the like are in no name of a host, and could mean something to who reads it next.
        plain = all(sign.isalnum() or sign in "-._:" for sign in host + (parts.username or ""))
        if parts.scheme not in _PORTS or not host or not plain or host.startswith("-") or segments is None:
            return None
        return cls(parts.scheme, parts.username or "", host, port or _PORTS[parts.scheme], segments)

    def covers(self, url: GitUrl) -> bool:
        """Whether ``url`` begins with it."""
        other = Reach.of(url)
        return (
            other is not None
            and (self.scheme, self.user, self.host, self.port) == (other.scheme, other.user, other.host, other.port)
            and other.path[: len(self.path)] == self.path
        )

    @property
    def text(self) -> str:
        """The prefix in its one spelling."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        path = "".join(f"{segment}/" for segment in self.path)
        return f"{self.scheme}://{self.user}{'@' if self.user else ''}{host}{port}/{path}"


def _segments(path: str) -> tuple[str, ...] | None:
    """The parts of ``path``; ``None`` if one could lead elsewhere."""
    inner = path.removeprefix("/").removesuffix("/")
    found = tuple(inner.split("/")) if inner else ()
    return found if all(_is_plain(unquote(one)) for one in found) else None


def _is_plain(segment: str) -> bool:
    return segment.isprintable() and segment not in ("", ".", "..") and not set(segment) & set("/\\'\"")


def longest(reaches: Iterable[Reach], url: GitUrl) -> Reach | None:
    """The longest of ``reaches`` that covers ``url``."""
    return max((one for one in reaches if one.covers(url)), key=lambda one: len(one.path), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What opens the repositories under ``reach``. ``secret``: of HTTPS a token or password of ``user``, of SSH a key.

    ``known_hosts``: the host's keys as OpenSSH writes them; empty: those that the node's user knows.
    """

    reach: Reach
    user: str = ""
    secret: bytes = field(repr=False)
    known_hosts: bytes = field(default=b"", repr=False)

    def hidden_in(self, text: str) -> str:
        """``text`` without the secret, should a server have sent it back."""
        if self.reach.scheme == "ssh":
            return text
        plain = self.secret.decode(errors="replace")
        pair = base64.b64encode(f"{self.user}:{plain}".encode()).decode()
        return text.replace(pair, "***").replace(plain, "***")


class CredentialSource(Protocol):
    """The credentials that builds of this node may give to Git."""

    async def find(self, url: GitUrl) -> Credential | None:
        """The one for ``url``, if any.

        Raises:
            CorruptError: what is kept of it can't be opened.
        """
        ...


class NoCredentials(CredentialSource):
    """A node that keeps none."""

    async def find(self, url: GitUrl) -> Credential | None:  # noqa: ARG002  # none for any
        return None


NO_CREDENTIALS: Final = NoCredentials()

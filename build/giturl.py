"""Which Git URLs and refs are used, and how a URL is written where people can see it. Pure.

Allowed: ``https://``, ``ssh://``, ``user@host:path``, and, as the operator's own, ``file://`` and absolute paths.
Refused: anything that Git would take as an option or hand to a program (``ext::``), and unencrypted transports.
Credentials in a URL are taken out of it: they go to Git alone, by a header, and never into a log, a manifest or a
command line.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from build.errors import SourceError
from federation.errors import InvalidValueError
from federation.toml.kinds import relative_path

URL_CHARS: Final = 2000
REF_CHARS: Final = 250

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", re.ASCII)
_SCP = re.compile(r"([A-Za-z0-9_.-]+@)?[A-Za-z0-9][A-Za-z0-9_.-]*:(?!/{2})[^:\s-][^\s]*", re.ASCII)
_REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock$|/$|\.$")


@dataclass(frozen=True, slots=True)
class GitUrl:
    """A URL that Git may use. ``plain`` holds no credentials; ``header`` is what Git sends to its host, if anything."""

    plain: str
    local: bool
    header: str = ""
    header_for: str = ""

    @classmethod
    def read(cls, text: str) -> "GitUrl":
        """The URL that ``text`` spells.

        Raises:
            SourceError: a transport that is not allowed, or a form that Git could take for something else.
        """
        if not text or len(text) > URL_CHARS or text.startswith("-") or not text.isprintable():
            raise SourceError("a repository's URL is empty, too long, begins with '-' or holds control characters")
        if text.startswith("/"):
            return cls(text, local=True)
        if "://" in text and "::" not in text.partition("://")[0]:
            return cls._of_parts(text)
        if _SCP.fullmatch(text) and "::" not in text:
            return cls(text, local=False)
        raise SourceError(
            f"{masked(text)!r} is not a repository that can be used: give https://…, ssh://…, user@host:path "
            "or an absolute path"
        )

    @classmethod
    def _of_parts(cls, text: str) -> "GitUrl":
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise SourceError(f"{masked(text)!r} is not a URL") from error
        if parts.scheme == "file" and not host and parts.path.startswith("/"):
            return cls(text, local=True)
        if parts.scheme not in ("https", "ssh") or not host or host.startswith("-"):
            raise SourceError(f"{masked(text)!r}: only https, ssh and file with an absolute path are allowed")
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        if parts.scheme == "ssh":
            user = f"{parts.username}@" if parts.username and not parts.username.startswith("-") else ""
            return cls(urlunsplit(("ssh", user + place, parts.path, "", "")), local=False)
        plain = urlunsplit(("https", place, parts.path, parts.query, ""))
        return cls(plain, local=False, header=_basic(parts), header_for=f"https://{place}/")

    @property
    def protocols(self) -> str:
        """The transports that Git, and a submodule of such a repository, may use."""
        return "file:https:ssh" if self.local else "https:ssh"


def _basic(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"


def masked(text: str) -> str:
    """``text`` with what stands before an ``@`` in each URL in it hidden."""
    return re.sub(r"(?<=://)[^/\s'\"]*@", "***@", text[: 4 * URL_CHARS])


def checked_ref(text: str) -> str:
    """``text`` if it can be a branch, a tag, a commit or ``HEAD``; empty stands for ``HEAD``.

    Raises:
        SourceError: Git could take it for an option, a range or an expression.
    """
    if text.startswith("-") or len(text) > REF_CHARS or _REF_FORBIDDEN.search(text):
        raise SourceError(f"{text[:80]!r} is not the name of a branch, a tag or a commit")
    return text or "HEAD"


def checked_name(text: str) -> str:
    """``text`` if it can be the name of a source's folder.

    Raises:
        SourceError: it could be a path, or is not plain.
    """
    if not _NAME.fullmatch(text):
        raise SourceError(f"{text[:80]!r} is not a source's name: letters, digits, '_', '.', '-', no sign first")
    return text


def checked_directory(text: str) -> str:
    """``text`` as a folder inside a repository; empty stands for its root.

    Raises:
        SourceError: it leads out of the repository.
    """
    try:
        return relative_path(text or ".")
    except InvalidValueError as error:
        raise SourceError(f"a source's directory: {error}") from error

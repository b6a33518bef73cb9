"""Reads how a Git source is written on the command line: ``[NAME=]ADDRESS[#REF[:FOLDER]]``."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from node.cli.exits import usage

_NAMED: Final = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]*)=(.+)", re.DOTALL)
_ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/]+:")
FORM: Final = "[NAME=]ADDRESS[#REF[:FOLDER]]"


@dataclass(frozen=True, slots=True)
class GitSource:
    """A source as it was written."""

    name: str
    url: str
    ref: str
    directory: str

    @property
    def document(self) -> dict[str, str]:
        """The source as the API takes it."""
        return {"name": self.name, "url": self.url, "ref": self.ref, "directory": self.directory}

    @property
    def text(self) -> str:
        """The source as it can be written."""
        place = f"{self.ref}:{self.directory}" if self.directory else self.ref
        return f"{self.name}={self.url}#{place}"


def _own_name(url: str) -> str:
    """The last part of an address, without ``.git``."""
    return re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")


def read_source(text: str, name: str | None = None) -> GitSource:
    """The source that ``text`` writes; its name is the one in the text, else ``name``, else the repository's.

    Raises:
        CommandError: it has no address.
    """
    named = _NAMED.fullmatch(text)
    given, rest = (named[1], named[2]) if named else (None, text)
    url, _, place = rest.partition("#")
    ref, _, directory = place.partition(":")
    found = given or name or _own_name(url)
    if not url or not found:
        raise usage(f"{text!r} does not name a Git repository: write {FORM}")
    return GitSource(name=found, url=url, ref=ref or "HEAD", directory=directory)


def on_this_machine(source: GitSource) -> GitSource:
    """The same; a folder that is written relative to this one is named in full, as the node runs elsewhere."""
    folder = Path(source.url).expanduser()
    if _ELSEWHERE.match(source.url) or not folder.is_dir():
        return source
    return replace(source, url=str(folder.absolute()))


def read_macro(text: str) -> dict[str, str]:
    """The macro that ``NAME=VALUE`` writes, as the API takes it.

    Raises:
        CommandError: there is no ``=`` in it, or no name before it.
    """
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise usage(f"--macro: {text!r} is not NAME=VALUE")
    return {"name": name, "value": value}


def read_versions(texts: list[str]) -> list[dict[str, str | None]]:
    """The changes that ``SERVICE=VERSION`` texts write, as the API takes them.

    Raises:
        CommandError: one has another form.
    """
    found: list[dict[str, str | None]] = []
    for text in texts:
        service, mark, version = text.partition("=")
        if not mark or not service or not version:
            raise usage(f"{text!r} is not SERVICE=VERSION, as in guestbook=acme-1.0.0")
        found.append({"service": service, "version": version})
    return found

"""Turns arguments into values, within bounds; a refusal names the argument."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import urlsplit

from federation.errors import InvalidValueError
from federation.limits import PATH_BYTES

MOST_ITEMS: Final = 1000
WHY_CHARS: Final = 1000
SEARCH_CHARS: Final = 1000
URL_CHARS: Final = 2000
REF_CHARS: Final = 250
SOURCES: Final = 32
MACROS: Final = 1000
MACRO_CHARS: Final = 16_384
NAME_CHARS: Final = 100
ID_CHARS: Final = 100

_T = TypeVar("_T")
_R = TypeVar("_R")


def read(argument: str, kind: Callable[[str], _T], content: str) -> _T:
    """The ``kind`` that ``content`` spells.

    Raises:
        InvalidValueError: with the argument's name.
    """
    try:
        return kind(content)
    except InvalidValueError as error:
        raise InvalidValueError(f"{argument}: {error}") from error


def maybe(argument: str, kind: Callable[[str], _T], content: str | None) -> _T | None:
    """The same, or ``None`` for nothing given."""
    return None if content is None else read(argument, kind, content)


def page(first: int, argument: str = "first") -> int:
    """How many are asked for: 1 to 1000."""
    if not 1 <= first <= MOST_ITEMS:
        raise InvalidValueError(f"{argument}: {first} is not from 1 to {MOST_ITEMS}")
    return first


def counted(argument: str, number: int) -> int:
    """A number that counts: a revision or a sequence."""
    if number < 0:
        raise InvalidValueError(f"{argument}: {number} is less than 0")
    return number


def text(argument: str, content: str, most: int) -> str:
    """Free text of at most ``most`` characters."""
    if len(content) > most:
        raise InvalidValueError(f"{argument}: longer than {most} characters")
    if "\0" in content:
        raise InvalidValueError(f"{argument}: holds a NUL character")
    return content


def items(argument: str, content: Sequence[_T], most: int, convert: Callable[[_T], _R]) -> tuple[_R, ...]:
    """At most ``most`` items, each converted."""
    if len(content) > most:
        raise InvalidValueError(f"{argument}: more than {most} items")
    return tuple(convert(one) for one in content)


def repository_url(argument: str, content: str) -> str:
    """The address of a Git repository, without credentials: it is shown to all who may look."""
    url = text(argument, content.strip(), URL_CHARS)
    if not url or url.startswith("-"):
        raise InvalidValueError(f"{argument}: {url!r} is not the address of a Git repository")
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or (parts.scheme in ("http", "https") and parts.username is not None)
    except ValueError as error:
        raise InvalidValueError(f"{argument}: not an address: {error}") from error
    if secret:
        raise InvalidValueError(
            f"{argument}: holds a name or password; leave it out and have an administrator put it on the node "
            "by 'vupdate credential put'"
        )
    return url


def git_ref(argument: str, content: str) -> str:
    """A branch, a tag or a commit."""
    ref = text(argument, content, REF_CHARS)
    if ref.startswith("-") or not ref.isprintable() or " " in ref:
        raise InvalidValueError(f"{argument}: {ref!r} is not a branch, a tag or a commit")
    return ref


def directory(argument: str, content: str) -> str:
    """A folder inside a repository; empty: its root."""
    path = text(argument, content, PATH_BYTES)
    if path.startswith("/") or ".." in path.split("/"):
        raise InvalidValueError(f"{argument}: {path!r} leads out of the repository")
    return path

"""The names of a catalogue's files (TUF specification §6.2, consistent snapshots); none can lead out of its folder."""

import re
from typing import Final

from federation import limits
from federation.catalog.roles import Role
from federation.digest import Digest
from federation.errors import AbsentError, InvalidValueError

TIMESTAMP_FILE: Final = "timestamp.json"
_VERSIONED = re.compile(r"([1-9][0-9]{0,9})\.(root|targets|snapshot)\.json", re.ASCII)
_PART = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{limits.CATALOG_PATH_PART_CHARS - 1}}}", re.ASCII)


def versioned(role: Role, version: int) -> str:
    """The name of the metadata of ``role`` with this version; timestamp's has none."""
    return f"{version}.{role.value}.json"


def read_versioned(name: str) -> tuple[Role, int] | None:
    """Role and version in the name of a metadata file, if it is the name of one with a version."""
    found = _VERSIONED.fullmatch(name)
    return (Role(found[2]), int(found[1])) if found else None


def checked_metadata(name: str) -> str:
    """``name`` if metadata may be called so.

    Raises:
        AbsentError: there is never such a file.
    """
    if name != TIMESTAMP_FILE and not _VERSIONED.fullmatch(name):
        raise AbsentError(f"a catalogue has no metadata called {name[:80]!r}")
    return name


def checked_target(path: str) -> str:
    """``path`` if a target may be called so: at most four parts of lower-case letters, digits, ``.``, ``_``, ``-``.

    Raises:
        InvalidValueError: another form; so it could lead out of the folder or the address it stands under.
    """
    parts = path.split("/", limits.CATALOG_PATH_PARTS)
    if len(parts) > limits.CATALOG_PATH_PARTS or not all(_PART.fullmatch(part) for part in parts):
        raise InvalidValueError(f"{path[:80]!r} is not the path of a target")
    return path


def prefixed(path: str, digest: Digest) -> str:
    """Where the content of the target ``path`` with this digest stands: ``a/<digest>.b`` for ``a/b``."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{digest}.{name}"


def checked_prefixed(path: str) -> str:
    """``path`` if it has the form that ``prefixed`` gives.

    Raises:
        AbsentError: there is never such a file.
    """
    folder, slash, name = path.rpartition("/")
    digest, _, plain = name.partition(".")
    try:
        checked_target(f"{folder}{slash}{plain}")
        Digest(digest)
    except InvalidValueError as error:
        raise AbsentError(f"a catalogue has no target called {path[:160]!r}") from error
    return path

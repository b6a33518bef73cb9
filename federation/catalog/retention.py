"""Which old metadata and targets of a published catalogue are still kept, and the removing of the rest.

A reader who took the timestamp a moment ago is not cut off: what was replaced stays for a while. Not for long: it may
name services that were taken out of the profile since. All roots stay: each reader follows them one by one.
"""

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from federation.catalog.filenames import prefixed
from federation.catalog.roles import VALID, Role
from federation.catalog.store import CatalogFiles
from federation.digest import Digest

GRACE: Final = timedelta(minutes=10)
MOST_REPLACED: Final = 32
"""How many replaced versions stay at most, however fast they follow one another."""


class _Target(msgspec.Struct):
    hashes: dict[str, str]


class _Signed(msgspec.Struct):
    expires: datetime
    targets: dict[str, _Target] = {}


class _Metadata(msgspec.Struct):
    signed: _Signed


def replaced_long_ago(issued: Sequence[tuple[int, datetime]], now: datetime) -> list[int]:
    """The versions that may go. ``issued``: each version with the time it was signed, oldest first.

    A version was replaced when the next one was signed; the newest is not.
    """
    replaced = [(version, at) for (version, _), (_, at) in itertools.pairwise(issued)]
    surplus = len(replaced) - MOST_REPLACED
    return [version for place, (version, at) in enumerate(replaced) if place < surplus or now - at > GRACE]


def collect(files: CatalogFiles, in_force: Mapping[Role, int], now: datetime) -> None:
    """Remove from ``files`` the versions that may go, and the targets that none of the others names.

    ``in_force``: the versions that timestamp leads to. A higher one was left by a publishing that was interrupted.
    """
    removed = False
    for role, newest in in_force.items():
        versions = [version for version in files.versions(role) if version <= newest]
        if len(versions) < 2:
            continue  # nothing was replaced: not even read
        known = [(version, found.expires - VALID[role]) for version, found in _read(files, role, versions)]
        gone = replaced_long_ago(known, now)
        files.remove(role, gone)
        removed = removed or bool(gone)
    if removed:
        kept = _read(files, Role.TARGETS, files.versions(Role.TARGETS))
        files.keep_targets({_prefixed(path, target) for _, one in kept for path, target in one.targets.items()})


def _read(files: CatalogFiles, role: Role, versions: Sequence[int]) -> list[tuple[int, _Signed]]:
    """What those of ``versions`` say that can be read; one that can't leads nobody anywhere."""
    found = []
    for version in versions:
        content = files.read(role, version)
        with contextlib.suppress(msgspec.DecodeError):
            found.append((version, msgspec.json.decode(content or b"", type=_Metadata).signed))
    return found


def _prefixed(path: str, target: _Target) -> str:
    return prefixed(path, Digest(target.hashes["sha256"]))

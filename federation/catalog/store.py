"""The files of a published catalogue, each written whole and durably, served by validated names, collected when old."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from federation.catalog.filenames import (
    TIMESTAMP_FILE,
    checked_metadata,
    checked_prefixed,
    read_versioned,
    versioned,
)
from federation.catalog.roles import Role
from federation.errors import AbsentError
from federation.files import explained_disk_errors, sync_directory, write_atomic
from federation.transfer.durable import sync_all


class CatalogFiles:
    """``metadata/`` and ``targets/`` in ``folder``, in the layout that TUF clients ask for."""

    def __init__(self, folder: Path) -> None:
        self._metadata = folder / "metadata"
        self._targets = folder / "targets"

    def metadata(self, name: str) -> Path:
        """The file of the metadata ``name``.

        Raises:
            AbsentError: there is none.
        """
        path = self._metadata / checked_metadata(name)
        if not path.is_file():
            raise AbsentError(f"the catalogue has no {name}")
        return path

    def target(self, path: str) -> Path:
        """The file of the target at ``path``, as it is asked for: with its digest before its name.

        Raises:
            AbsentError: there is none.
        """
        file = self._targets / checked_prefixed(path)
        if not file.is_file():
            raise AbsentError(f"the catalogue has no target {path}")
        return file

    def versions(self, role: Role) -> list[int]:
        """The versions of ``role`` that are here, oldest first."""
        if not self._metadata.is_dir():
            return []
        read = (read_versioned(path.name) for path in self._metadata.iterdir())
        return sorted(one[1] for one in read if one is not None and one[0] is role)

    def read(self, role: Role, version: int) -> bytes | None:
        """The metadata of ``role`` with this version, if it is here."""
        return _content(self._metadata / versioned(role, version))

    def timestamp(self) -> bytes | None:
        """The timestamp metadata, if there is any."""
        return _content(self._metadata / TIMESTAMP_FILE)

    def write(self, role: Role, version: int, content: bytes) -> None:
        """Keep metadata of ``role``; durable on return.

        Raises:
            DiskFullError: no room; nothing was changed.
        """
        name = TIMESTAMP_FILE if role is Role.TIMESTAMP else versioned(role, version)
        write_atomic(self._metadata / name, content)

    def write_targets(self, contents: Mapping[str, bytes]) -> None:
        """Keep ``contents`` by their prefixed paths; durable on return. What is here already is left as it is.

        All contents are made durable together before the first gets its name: one wait for the disk, not thousands.

        Raises:
            DiskFullError: no room; no target of these is here that was not before.
        """
        new = {path: content for path, content in contents.items() if not _is_here(self._targets / path, content)}
        if not new:
            return
        temporary: dict[Path, Path] = {}
        try:
            with explained_disk_errors(self._targets):
                for path, content in new.items():
                    target = self._targets / path
                    temporary[target] = _written_beside(target, content)
                sync_all(list(temporary.values()), self._targets)
                for target, written in temporary.items():
                    written.replace(target)
        except BaseException:
            for written in temporary.values():
                written.unlink(missing_ok=True)
            raise
        # The folders themselves may be new: their names are made durable too.
        for folder in {*(target.parent for target in temporary), self._targets, self._targets.parent}:
            sync_directory(folder)

    def remove(self, role: Role, versions: Iterable[int]) -> None:
        """Remove these versions of the metadata of ``role``."""
        for version in versions:
            (self._metadata / versioned(role, version)).unlink(missing_ok=True)

    def keep_targets(self, paths: set[str]) -> None:
        """Remove all targets but those at the prefixed ``paths``, and what an interrupted write left behind."""
        kept = {self._targets / path for path in paths}
        for path in self._targets.rglob("*"):
            if path not in kept and not path.is_dir():
                path.unlink()
        for path in self._metadata.glob(".*.tmp"):
            path.unlink()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _is_here(path: Path, content: bytes) -> bool:
    # The name tells the digest, and files get their names only when whole: the length is enough.
    try:
        return path.stat().st_size == len(content)
    except FileNotFoundError:
        return False


def _written_beside(target: Path, content: bytes) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(content)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)

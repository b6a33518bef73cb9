"""What a consumer has verified of a provider's catalogue, on the disk: what later answers are measured against.

Four metadata files and the listing. The newest root is kept as soon as it is verified, since it may take trust from a
stolen key; the others only when all of a catalogue was verified, so that what is refused leaves no trace.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from federation.catalog.roles import CONTENT_ROLES, Role
from federation.errors import AbsentError
from federation.files import explained_disk_errors, sync_directory, write_atomic

_LISTING: Final = "listing.json"


def _file(role: Role) -> str:
    return f"{role.value}.json"


class TrustedState:
    """The verified state in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._trial = folder / "trial"

    @property
    def root(self) -> bytes:
        """The newest trusted root.

        Raises:
            AbsentError: trust has not begun.
        """
        try:
            return (self._folder / _file(Role.ROOT)).read_bytes()
        except FileNotFoundError:
            raise AbsentError("no root is trusted for this provider: link to it with a new invitation") from None

    @property
    def listing(self) -> bytes | None:
        """The listing that was verified last."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / _LISTING).read_bytes()
        return None

    def begin(self, root: bytes) -> None:
        """Trust ``root``, and forget what was trusted before; durable on return."""
        write_atomic(self._folder / _file(Role.ROOT), root)
        for name in (*map(_file, CONTENT_ROLES), _LISTING):
            (self._folder / name).unlink(missing_ok=True)
        sync_directory(self._folder)

    def forget(self) -> None:
        """Remove all."""
        if self._folder.exists():
            shutil.rmtree(self._folder)

    @contextlib.contextmanager
    def trial(self) -> Iterator[Path]:
        """A folder with a copy of the verified metadata without root, for a client to work in; removed at the end.

        Raises:
            DiskFullError: no room.
        """
        shutil.rmtree(self._trial, ignore_errors=True)  # of a read that was interrupted
        try:
            with explained_disk_errors(self._folder):
                self._trial.mkdir(parents=True)
                for role in CONTENT_ROLES:
                    with contextlib.suppress(FileNotFoundError):
                        shutil.copyfile(self._folder / _file(role), self._trial / _file(role))
                yield self._trial
        finally:
            shutil.rmtree(self._trial, ignore_errors=True)

    def keep_root(self, version: int) -> None:
        """Keep the root with this version, which the client in ``trial`` has verified; durable on return."""
        self._keep(_file(Role.ROOT), (self._trial / "root_history" / f"{version}.root.json").read_bytes())

    def keep(self, listing: bytes) -> None:
        """Keep the metadata in ``trial`` and the listing, all of it verified; durable on return.

        A stop in between does no harm: each file is one that was verified, and only newer ones are taken from then on.
        """
        for role in reversed(CONTENT_ROLES):
            self._keep(_file(role), (self._trial / _file(role)).read_bytes())
        self._keep(_LISTING, listing)

    def _keep(self, name: str, content: bytes) -> None:
        path = self._folder / name
        with contextlib.suppress(FileNotFoundError):
            if path.read_bytes() == content:
                return
        write_atomic(path, content)

"""The private keys of a catalogue's roles: one file each, which only their owner may read.

Which of them count is said by the root metadata alone. A file that root does not name yet is pending; one that it
names no longer is removed once the metadata it signed is replaced.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from federation.catalog.roles import Role
from federation.catalog.tufkeys import key_id
from federation.errors import CorruptError
from federation.files import sync_directory
from federation.keys import PrivateKey, PublicKey

_ID_DIGITS: Final = 8
_OURS: Final = re.compile(
    rf"({'|'.join(role.value for role in Role)})-[0-9a-f]{{{_ID_DIGITS}}}\.pem|\..*\.tmp", re.ASCII
)


class RoleKeys:
    """The key files in ``folder`` (mode 0700), called ``<role>-<first 8 digits of the key id>.pem`` (mode 0600)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, role: Role, key: PublicKey) -> Path:
        return self._folder / f"{role.value}-{key_id(key)[:_ID_DIGITS]}.pem"

    def make(self, role: Role) -> PublicKey:
        """A new key for ``role``, kept here; it counts from the root on that names it."""
        key = PrivateKey.generate()
        key.save(self._path(role, key.public))
        return key.public

    def held(self, role: Role, keys: Collection[PublicKey]) -> list[PrivateKey]:
        """Those of ``keys`` whose private part is here.

        Raises:
            CorruptError: a key file is damaged, holds another key or can be read by others.
        """
        found = []
        for public in keys:
            path = self._path(role, public)
            if not path.exists():
                continue
            key = PrivateKey.load(path)
            if key.public != public:
                raise CorruptError(f"key file {path} holds another key than its name says: restore it from a backup")
            found.append(key)
        return found

    def remove_all_but(self, named: Collection[tuple[Role, PublicKey]]) -> None:
        """Remove the key files of all but the ``named`` keys, and what an interrupted write left behind."""
        if not self._folder.is_dir():
            return
        kept = {self._path(role, key) for role, key in named}
        gone = [path for path in self._folder.iterdir() if path not in kept and _OURS.fullmatch(path.name)]
        for path in gone:
            path.unlink()
        if gone:
            sync_directory(self._folder)

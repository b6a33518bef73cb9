"""The node's keys on disk: the one in use, the statements by which it took the place of others, and its change.

``<data>/keys/``: ``node.pem`` the key in use; ``changes/<n>.json`` its changes, each signed by both keys; ``next.pem``
the key that a change under way leads to; ``old/<n>.pem`` keys given up, where they were to be kept.

A change is written in an order that leaves a usable node wherever it is broken off: the new key, the statement, then
the new key takes the place of the old one. Until the statement is there, nothing has happened; from then on the next
start finishes what was begun.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from federation import limits
from federation.errors import CorruptError, OversizedError, TamperedError
from federation.files import sync_directory, write_atomic
from federation.keychange import KeyChain, KeyChange
from federation.keys import PrivateKey
from federation.names import NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """The key of a node, and how it came to it. ``finished``: a change that was broken off, and is done now."""

    key: PrivateKey
    chain: KeyChain
    finished: KeyChange | None = None


class KeyFolder:
    """The folder ``keys`` of the node ``node``. Blocking; used by one process, which holds the node's lock."""

    def __init__(self, folder: Path, node: NodeName) -> None:
        self._folder = folder
        self._node = node

    @property
    def current(self) -> Path:
        """The key in use."""
        return self._folder / "node.pem"

    @property
    def upcoming(self) -> Path:
        """The key that a change under way leads to."""
        return self._folder / "next.pem"

    def change(self, number: int) -> Path:
        """The statement of change ``number``."""
        return self._folder / "changes" / f"{number}.json"

    def old(self, number: int) -> Path:
        """The key that change ``number`` gave up, where it was kept."""
        return self._folder / "old" / f"{number}.pem"

    def load(self) -> OwnKeys:
        """The key in use and its history; a change that was broken off after its statement is finished first.

        Raises:
            CorruptError: a key or a statement is damaged, or they don't belong together.
        """
        key, chain = PrivateKey.load(self.current), self._chain()
        if not chain.changes or chain.keys[-1] == key.public:
            return OwnKeys(key=key, chain=chain)
        last = chain.changes[-1]
        upcoming = PrivateKey.load(self.upcoming) if self.upcoming.exists() else None
        if last.old != key.public or upcoming is None or upcoming.public != last.new:
            raise CorruptError(
                f"{self.current} does not hold the key that {self.change(last.number)} names: "
                "restore the whole folder of keys from one backup"
            )
        self._switch()
        return OwnKeys(key=upcoming, chain=chain, finished=last)

    def rotate(self, now: datetime, *, keep_old: bool) -> OwnKeys:
        """Give the node a new key; where a change was broken off, only that one is finished.

        Without ``keep_old`` the old private key is removed once the statement is durable: nobody can sign by it again.

        Raises:
            CorruptError: as ``load``.
            DiskFullError: no room; the node keeps its key.
        """
        own = self.load()
        if own.finished is not None:
            return own
        number = own.chain.changes[-1].number + 1 if own.chain.changes else 1
        upcoming = self._upcoming()
        change = KeyChange(node=self._node, old=own.key.public, new=upcoming.public, at=now, number=number)
        if keep_old:
            own.key.save(self.old(number))
        else:
            self.old(number).unlink(missing_ok=True)  # one that a change broken off had kept
        write_atomic(self.change(number), change.sign(own.key, upcoming), mode=0o600)
        self._switch()
        return self.load()

    def _upcoming(self) -> PrivateKey:
        """A new key, or the one that a change broken off has left."""
        if not self.upcoming.exists():
            PrivateKey.generate().save(self.upcoming)
        return PrivateKey.load(self.upcoming)

    def _switch(self) -> None:
        self.upcoming.replace(self.current)
        sync_directory(self._folder)

    def _chain(self) -> KeyChain:
        """The newest changes: as many as others take."""
        found = (path.stem for path in (self._folder / "changes").glob("*.json"))
        numbers = sorted(int(name) for name in found if name.isascii() and name.isdigit())
        try:
            kept = [self.change(number).read_bytes() for number in numbers[-limits.KEY_CHANGES_KEPT :]]
            return KeyChain.read(self._node, kept)
        except (TamperedError, OversizedError) as error:
            raise CorruptError(
                f"the key changes in {self._folder / 'changes'} are damaged ({error}): restore them from a backup"
            ) from error

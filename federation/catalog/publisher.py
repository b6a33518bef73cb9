"""Publishes a profile as a TUF repository on the disk: signs what changed or grows old, and puts it in force at once.

What is in force is what ``timestamp.json`` leads to. All else is written before it, under names of its own that are
never used twice, so a stop between any two writes leaves the old state in force and whole, and the next publishing
goes on from there. Blocking; called in a thread. One object per folder and process.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Snapshot, T, TargetFile, Targets, Timestamp

from federation import limits
from federation.catalog import retention
from federation.catalog.ceremony import Ceremony, RootInfo
from federation.catalog.filenames import checked_target, prefixed, read_versioned
from federation.catalog.roles import Role, due, expiry
from federation.catalog.rootkeeper import RootKeeper
from federation.catalog.store import CatalogFiles
from federation.catalog.tufkeys import add_signature
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import CorruptError, OversizedError
from federation.keys import PublicKey

_TARGETS_FILE = "targets.json"
_REPLACED = (Role.TARGETS, Role.SNAPSHOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What is in force now; parts that are missing or can't be read are None and made anew."""

    timestamp: Metadata[Timestamp] | None
    snapshot: Metadata[Snapshot] | None
    targets: Metadata[Targets] | None


class CatalogPublisher:
    """The catalogue of one profile in ``folder``, which bears the profile's name."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._files = CatalogFiles(folder)
        self._root = RootKeeper(folder, self._files, clock)
        self._clock = clock
        self._lock = threading.RLock()

    def create(self) -> None:
        """Make the keys and the first root, whose key is here, unless there is one.

        Raises:
            DiskFullError: no room.
        """
        with self._lock:
            self._root.create()

    def publish(self, targets: Mapping[str, bytes]) -> bool:
        """Make ``targets``, contents by path, all that the catalogue holds; whether that changed it.

        Raises:
            InvalidValueError: a path that no target may have.
            OversizedError: too many targets for one catalogue; it is as it was.
            CorruptError: a key or a part of the catalogue on this disk is missing or damaged.
            DiskFullError: no room; it is as it was.
        """
        wanted = {checked_target(path): _target_file(path, content) for path, content in targets.items()}
        with self._lock:
            self.create()
            state = self._state()
            changed = state.targets is None or state.targets.signed.targets != wanted
            # Also when nothing changed: a file that was lost is written again.
            self._files.write_targets({_prefixed(file): targets[path] for path, file in wanted.items()})
            self._bring_up(state, wanted)
            return changed

    def refresh(self) -> bool:
        """Sign again what is due, remove what nobody needs any more; whether anything was signed.

        Raises:
            CorruptError: a key or a part of the catalogue on this disk is missing or damaged.
            DiskFullError: no room.
        """
        with self._lock:
            state = self._state()
            if state.timestamp is None:
                return self._root.renew_if_due(self._clock.now())
            if state.targets is None:
                raise CorruptError(f"targets metadata of catalogue {self._folder.name} is damaged: publish it again")
            return self._bring_up(state, state.targets.signed.targets)

    @property
    def root(self) -> bytes:
        """The newest root metadata.

        Raises:
            AbsentError: the catalogue was not made yet.
        """
        return self._root.document

    def metadata(self, name: str) -> Path:
        """The file of the metadata called ``name``, e.g. ``timestamp.json`` or ``3.root.json``.

        What was replaced a while ago is gone, though nothing was published since: it may name what was taken away.

        Raises:
            AbsentError: there is none, or such a name can't be.
        """
        asked = read_versioned(name)
        if asked is not None and asked[0] in _REPLACED and asked[1] < max(self._files.versions(asked[0]), default=0):
            with self._lock:
                self._collect()
        return self._files.metadata(name)

    def target(self, path: str) -> Path:
        """The file of the target that TUF clients ask for as ``path``, e.g. ``manifests/<sha256>.<digest>.json``.

        Raises:
            AbsentError: there is none, or such a name can't be.
        """
        return self._files.target(path)

    def info(self) -> RootInfo:
        """The root in force, its keys, and which of them are here."""
        with self._lock:
            return self._root.info()

    def warnings(self, now: datetime) -> list[str]:
        """What the operator must do by hand for the catalogue to stay valid, one sentence each."""
        with self._lock:
            return self._root.warnings(now)

    def rotate(self, *roles: Role) -> Ceremony:
        """Give ``roles`` new keys; snapshot and timestamp together are the way out of a fast-forward attack.

        Raises:
            InvalidValueError: no role is named, or root, and none of its keys is here.
        """
        with self._lock:
            result = self._root.rotate(roles)
            self._sign_again()
            return result

    def prepare_root(
        self,
        *,
        add: Sequence[PublicKey] = (),
        remove: Sequence[PublicKey] = (),
        threshold: int | None = None,
        rotate: Sequence[Role] = (),
    ) -> Ceremony:
        """Prepare the next root for signing elsewhere: root keys to ``add`` and ``remove``, and their threshold.

        ``rotate``: roles that get new keys here with it. ``Ceremony.document`` is what is to be signed.

        Raises:
            InvalidValueError: the keys or the threshold don't fit.
        """
        with self._lock:
            return self._root.prepare(add=add, remove=remove, threshold=threshold, rotate=rotate)

    def publish_root(self, *documents: bytes) -> Ceremony:
        """Put the prepared root in force. ``documents``: its signed copies.

        Raises:
            InvalidValueError: signatures are missing; the message says whose.
            TamperedError: not a root, or not the next one.
            ConflictError: not the one prepared here last.
        """
        with self._lock:
            result = self._root.publish(documents)
            self._sign_again()
            return result

    def _sign_again(self) -> None:
        """Follow a new root: what keys signed that it no longer names is signed by the new ones."""
        if self._files.timestamp() is not None:
            self.refresh()
        else:
            self._root.remove_old_keys()

    def _state(self) -> _State:
        timestamp = self._timestamp()
        if timestamp is None:
            return _State(timestamp=None, snapshot=None, targets=None)
        snapshot = _parsed(Snapshot, self._files.read(Role.SNAPSHOT, timestamp.signed.snapshot_meta.version))
        named = snapshot.signed.meta.get(_TARGETS_FILE) if snapshot else None
        targets = _parsed(Targets, self._files.read(Role.TARGETS, named.version)) if named else None
        return _State(timestamp=timestamp, snapshot=snapshot, targets=targets)

    def _collect(self) -> None:
        timestamp = self._timestamp()
        if timestamp is None:
            return
        version = timestamp.signed.snapshot_meta.version
        snapshot = _parsed(Snapshot, self._files.read(Role.SNAPSHOT, version))
        if snapshot is not None and _TARGETS_FILE in snapshot.signed.meta:
            in_force = {Role.SNAPSHOT: version, Role.TARGETS: snapshot.signed.meta[_TARGETS_FILE].version}
            retention.collect(self._files, in_force, self._clock.now())

    def _timestamp(self) -> Metadata[Timestamp] | None:
        content = self._files.timestamp()
        timestamp = _parsed(Timestamp, content)
        if content is not None and timestamp is None:
            raise CorruptError(
                f"timestamp.json of catalogue {self._folder.name} is damaged: restore it from a backup, or remove it "
                f"and run 'vupdate catalog rotate {self._folder.name} snapshot timestamp'"
            )
        return timestamp

    def _bring_up(self, state: _State, wanted: Mapping[str, TargetFile]) -> bool:
        """Write, in order, the metadata that does not say ``wanted`` or is due; whether any was written."""
        now = self._clock.now()
        renewed = self._root.renew_if_due(now)
        named = self._bring_up_targets(state, wanted, now)
        snapshot = self._bring_up_snapshot(state, named, now)
        stale = state.timestamp is None or state.timestamp.signed.snapshot_meta != snapshot
        signed = stale or self._is_stale(Role.TIMESTAMP, state.timestamp, now)
        if signed:
            version = state.timestamp.signed.version + 1 if state.timestamp else 1
            expires = expiry(Role.TIMESTAMP, now)
            self._write(Role.TIMESTAMP, Timestamp(version=version, expires=expires, snapshot_meta=snapshot))
        self._root.remove_old_keys()
        self._collect()
        return renewed or signed

    def _bring_up_targets(self, state: _State, wanted: Mapping[str, TargetFile], now: datetime) -> MetaFile:
        named = state.snapshot.signed.meta.get(_TARGETS_FILE) if state.snapshot else None
        same = state.targets is not None and state.targets.signed.targets == wanted
        if named is not None and same and not self._is_stale(Role.TARGETS, state.targets, now):
            return named
        version = self._next(Role.TARGETS)
        return self._write(
            Role.TARGETS, Targets(version=version, expires=expiry(Role.TARGETS, now), targets=dict(wanted))
        )

    def _bring_up_snapshot(self, state: _State, named: MetaFile, now: datetime) -> MetaFile:
        same = state.snapshot is not None and state.snapshot.signed.meta == {_TARGETS_FILE: named}
        if state.timestamp is not None and same and not self._is_stale(Role.SNAPSHOT, state.snapshot, now):
            return state.timestamp.signed.snapshot_meta
        version = self._next(Role.SNAPSHOT)
        return self._write(
            Role.SNAPSHOT, Snapshot(version=version, expires=expiry(Role.SNAPSHOT, now), meta={_TARGETS_FILE: named})
        )

    def _next(self, role: Role) -> int:
        # One above all that are here, in force or not: a version is never used twice.
        return max(self._files.versions(role), default=0) + 1

    def _is_stale(self, role: Role, metadata: Metadata[Any] | None, now: datetime) -> bool:
        if metadata is None or due(role, metadata.signed.expires, now):
            return True
        appointed = self._root.newest.roles[role.value]
        return len(set(appointed.keyids) & metadata.signatures.keys()) < appointed.threshold

    def _write(self, role: Role, signed: T) -> MetaFile:
        metadata = Metadata(signed)
        for key in self._root.signers(role):
            add_signature(metadata, key)
        content = metadata.to_bytes()
        if role is Role.TARGETS and len(content) > limits.CATALOG_TARGETS_BYTES:
            raise OversizedError(
                f"the list of targets of catalogue {self._folder.name} would have {len(content)} bytes, more than the "
                f"{limits.CATALOG_TARGETS_BYTES} that consumers read: share fewer versions in one profile"
            )
        self._files.write(role, signed.version, content)
        return MetaFile.from_data(signed.version, content, ["sha256"])


def _target_file(path: str, content: bytes) -> TargetFile:
    return TargetFile(len(content), {"sha256": str(Digest.of(content))}, path)


def _prefixed(file: TargetFile) -> str:
    return prefixed(file.path, Digest(file.hashes["sha256"]))


def _parsed(kind: type[T], content: bytes | None) -> Metadata[T] | None:
    """The metadata in ``content``; None where it is missing, damaged or of another kind."""
    if content is None:
        return None
    try:
        metadata = Metadata[T].from_bytes(content)
    except RepositoryError:
        return None
    return metadata if isinstance(metadata.signed, kind) else None

"""A file that arrives piece by piece: kept beside its place until it is whole, and continued after a break.

What has come stands in ``<target>.part``; what it is a part of stands in ``<target>.part.json``: from whom and by
which request it came, the entity tag of the whole, and how much of it surely survived a power cut. A part of anything
else is never continued. All of it blocks; who has an event loop calls it in a thread.
"""

import contextlib
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation import codec
from federation.errors import ConflictError, DiskFullError, InvalidValueError
from federation.files import explained_disk_errors, sync_directory, write_atomic
from federation.limits import KIB, MIB

NOTED_BYTES: Final = 1 * MIB
"""A file that ends before it is this big is not worth a note: it starts over after a kill."""

SYNCED_BYTES: Final = 64 * MIB
"""How much may be lost by a power cut, and be fetched again."""

_NOTE_BYTES: Final = 64 * KIB
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What stands beside a partial file. ``synced``: its bytes that were on the disk in the run ``boot`` of Linux."""

    origin: str
    etag: str
    total: int | None
    boot: str
    synced: int


def part_of(target: Path) -> Path:
    """Where the arriving ``target`` is kept."""
    return target.with_name(f"{target.name}.part")


def _note_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json")


def clear_part(target: Path) -> None:
    """Forget what has come of ``target``."""
    part_of(target).unlink(missing_ok=True)
    _note_of(target).unlink(missing_ok=True)


def _boot() -> str:
    """The present run of the system: what a killed process wrote in it is still there, synced or not."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether ``path`` still leads to the open file: whoever had it before may have put it in its place by now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


class Landing:
    """The arriving file ``target``, asked for at ``origin``.

    Attributes:
        size: the bytes that are here.
        etag: the entity tag of the whole that they are a part of; empty: none, and they can't be continued.
        total: the bytes of the whole, if known.
    """

    def __init__(self, target: Path, origin: str) -> None:
        self._target = target
        self._origin = origin
        self._descriptor = -1
        self._noted = 0
        self._synced = 0
        self.size = 0
        self.etag = ""
        self.total: int | None = None

    def look(self) -> None:
        """Find what came in an earlier call or process; nothing is made or opened."""
        try:
            with _note_of(self._target).open("rb") as stream:
                note = codec.decode(stream.read(_NOTE_BYTES), _Note)
            size = part_of(self._target).lstat().st_size
        except (FileNotFoundError, InvalidValueError):
            return
        if note.origin != self._origin:
            return
        same_run = note.boot and note.boot == _boot()
        self.size = size if same_run else min(size, note.synced)
        self.etag, self.total = note.etag, note.total

    def begin(self, etag: str, total: int | None) -> None:
        """What comes from now on is the whole from its first byte, under ``etag``."""
        self._open()
        _note_of(self._target).unlink(missing_ok=True)
        os.ftruncate(self._descriptor, 0)
        self.etag, self.total = etag, total
        self.size = self._noted = self._synced = 0

    def go_on(self) -> bytes:
        """What comes from now on follows what is here: its last byte, to compare."""
        self._open()
        os.ftruncate(self._descriptor, self.size)
        self._noted = self.size
        return os.pread(self._descriptor, 1, self.size - 1)

    def _open(self) -> None:
        if self._descriptor >= 0:
            return
        self._target.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(part_of(self._target), flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise ConflictError(f"{self._target} is being fetched already: wait for it") from error
        if not _is_at(descriptor, part_of(self._target)):
            os.close(descriptor)
            raise ConflictError(f"{self._target} was fetched just now: ask again")
        self._descriptor = descriptor

    def append(self, chunk: bytes) -> None:
        """Add ``chunk``.

        Raises:
            DiskFullError: no room.
        """
        with explained_disk_errors(self._target):
            view = memoryview(chunk)
            while view:
                written = os.write(self._descriptor, view)
                self.size += written
                view = view[written:]
            if self.size - self._synced >= SYNCED_BYTES:
                self._sync()
            if self.etag and self.size - self._noted >= (SYNCED_BYTES if self._noted else NOTED_BYTES):
                self._note()

    def _sync(self) -> None:
        os.fsync(self._descriptor)
        self._synced = self.size

    def _note(self) -> None:
        note = _Note(origin=self._origin, etag=self.etag, total=self.total, boot=_boot(), synced=self._synced)
        write_atomic(_note_of(self._target), codec.encode(note), mode=0o600)
        self._noted = self.size

    def pause(self) -> None:
        """Let go for now: what came is kept if it can be continued, else removed."""
        if self._descriptor < 0:
            return
        if not self.etag or not self.size:
            self.discard()
            return
        try:
            self._sync()
            self._note()
        except (OSError, DiskFullError):  # without a note it can't be continued
            self.discard()
        self._close()

    def discard(self) -> None:
        """Forget what came."""
        clear_part(self._target)
        self.size, self.etag, self.total = 0, "", None
        self._close()

    def finish(self) -> None:
        """All has come: it takes its place, synced.

        Raises:
            DiskFullError: no room.
        """
        with explained_disk_errors(self._target):
            os.fchmod(self._descriptor, 0o644)
            os.fsync(self._descriptor)
            part_of(self._target).replace(self._target)
            _note_of(self._target).unlink(missing_ok=True)
            sync_directory(self._target.parent)
        self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)

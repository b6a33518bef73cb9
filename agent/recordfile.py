"""A file that holds one small record and survives a power cut or a full disk at any moment.

Two slots are written in turn, in place and synced, so the newer whole one is the record: a torn write leaves the one
before it. The room is taken when the file is made, so that a full disk can't stop an update from being put back.
What a record means is for others. Nothing but the standard library: the shim loads this.
"""

import contextlib
import os
import zlib
from pathlib import Path

SLOT_BYTES = 16 * 1024
_HEAD_BYTES = 34
_FILE_BYTES = 2 * SLOT_BYTES


def _head(number: int, body: bytes) -> bytes:
    rest = b"%016x %08x" % (number, len(body))
    return b"%08x %b\n" % (zlib.crc32(rest + body), rest)


def _parse(slot: bytes) -> tuple[int, bytes] | None:
    """The number and body of a whole slot."""
    try:
        number, length = int(slot[9:25], 16), int(slot[26:34], 16)
    except ValueError:
        return None
    body = slot[_HEAD_BYTES + 1 : _HEAD_BYTES + 1 + length]
    return (number, body) if slot[: _HEAD_BYTES + 1] == _head(number, body) else None


def _newest(content: bytes) -> tuple[int, bytes] | None:
    found = (_parse(content[start : start + SLOT_BYTES]) for start in (0, SLOT_BYTES))
    return max((slot for slot in found if slot is not None), default=None)


class RecordFile:
    """One record at ``path``; one process writes it, any may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes | None:
        """The last record written whole; ``None``: there is none."""
        try:
            found = _newest(self._path.read_bytes())
        except FileNotFoundError:
            return None
        return None if found is None else found[1]

    def prepare(self) -> None:
        """Make the file and take its room, so that later writes need none.

        Raises:
            OSError: no room.
        """
        if self._path.exists():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f".{self._path.name}.new")
        with contextlib.ExitStack() as undo:
            undo.callback(fresh.unlink, missing_ok=True)
            with fresh.open("wb") as stream:
                stream.write(b"\n" * _FILE_BYTES)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self._path)
        self._sync_folder()

    def write(self, body: bytes) -> None:
        """Make ``body`` the record, durable when this returns.

        Raises:
            ValueError: larger than a slot.
            OSError: the record is as it was.
        """
        if len(body) > SLOT_BYTES - _HEAD_BYTES - 1:
            raise ValueError(f"a record of {len(body)} bytes does not fit a slot")
        self.prepare()
        descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            newest = _newest(os.pread(descriptor, _FILE_BYTES, 0))
            number = 0 if newest is None else newest[0] + 1
            os.pwrite(descriptor, _head(number, body) + body + b"\n", (number % 2) * SLOT_BYTES)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """Forget the record, durably."""
        self._path.unlink(missing_ok=True)
        self._sync_folder()

    def _sync_folder(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Writing files so that a reader, or a start after a power cut, sees the old content or the new, never a mixture."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from federation.errors import DiskFullError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def sync_directory(folder: Path) -> None:
    """Make renames inside ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def explained_disk_errors(target: Path) -> Iterator[None]:
    """Turn "no space left" while writing ``target`` into ``DiskFullError``; let other errors through."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFullError(
                f"no room left on the disk for {target}: free some space and try again; nothing was changed"
            ) from error
        raise


@contextlib.contextmanager
def atomic_file(target: Path, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A temporary file beside ``target`` that takes its place, synced, when the block ends without an error.

    Raises:
        DiskFullError: no room; ``target`` is as it was.
    """
    with explained_disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_directory(target.parent)


def write_atomic(target: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace ``target`` by ``content`` in one durable step; secrets pass ``mode=0o600``."""
    with atomic_file(target, mode) as stream:
        stream.write(content)

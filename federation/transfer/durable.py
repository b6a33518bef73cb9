"""Making many written files survive a power cut at the cost of one commit, and the small steps of writing a tree."""

import ctypes
import errno
import fcntl
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

_FEW: Final = 32
_FICLONE: Final = 0x40049409
"""``ioctl`` number of "share the blocks of that file" on Linux (btrfs, XFS, bcachefs)."""


def write_all(descriptor: int, pieces: Iterable[bytes]) -> None:
    """Write all of ``pieces``."""
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]


def new_file(path: Path) -> int:
    """A descriptor of a file that did not exist before, not even as a link."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def shares_blocks(source: int, target: int) -> bool:
    """Let the empty file ``target`` share the blocks of ``source``; false where the file system can't."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        return False
    return True


def sync_all(paths: Sequence[Path], within: Path) -> None:
    """Make the content of ``paths``, files or folders of the file system of ``within``, survive a power cut.

    Many files are synced by one call for the whole file system: one commit of its journal instead of thousands.
    """
    if len(paths) > _FEW and _sync_file_system(within):
        return
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync_file_system(within: Path) -> bool:
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return False
    descriptor = os.open(within, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if call(descriptor) == 0:
            return True
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(within))
    finally:
        os.close(descriptor)

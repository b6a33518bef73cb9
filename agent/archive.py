"""Packs the files that were put aside with a fault, as far as they are small enough to be sent. Blocking."""

import io
import tarfile
from pathlib import Path
from typing import Final

from federation import limits

MOST_UNPACKED_BYTES: Final = 16 * limits.MIB
"""As much is packed at most: text and most dumps shrink, and the service waits for it before it starts again."""


def packed(folder: Path) -> bytes | None:
    """The files below ``folder`` as a gzipped tar file, the smallest first; ``None``: not even one is small enough.

    What does not fit is left out; the report names it all the same.

    Raises:
        OSError: one can't be read.
    """
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    room, chosen = MOST_UNPACKED_BYTES, []
    for path in files:
        room -= path.stat().st_size
        if room >= 0:
            chosen.append(path)
    while chosen:
        content = _packed(folder, chosen)
        if len(content) <= limits.FAULT_ARCHIVE_BYTES:
            return content
        chosen.pop()
    return None


def _packed(folder: Path, files: list[Path]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as archive:
        for path in sorted(files):
            archive.add(path, arcname=path.relative_to(folder).as_posix(), recursive=False)
    return target.getvalue()

"""Bytes moved for an update between real releases: packs against the archive and against a patch of the whole tar.

``python -m tests.bench.packs [level ...]``; levels are 3 and 12 unless given. Needs the registries.
"""

import io
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from federation.image import Image
from federation.transfer import LocalBlobs, add_tree, install_pack, scan_tree, zstd
from federation.transfer.pack import make_pack
from tests.support.releases import RegistryError, Release, npm_release, python_release

_Getter = Callable[[str, str, Path], Release]

UPDATES: Final[tuple[tuple[str, _Getter, str, str], ...]] = (
    ("django", python_release, "5.2.4", "5.2.5"),
    ("django", python_release, "5.2.6", "5.2.7"),
    ("awscli", python_release, "1.42.40", "1.42.41"),
    ("@esbuild/linux-x64", npm_release, "0.25.9", "0.25.10"),
    ("ruff", python_release, "0.13.2", "0.13.3"),
)


@dataclass
class _Update:
    """Both releases, their images, and a store with their contents."""

    before: Release
    after: Release
    old: Image
    new: Image
    blobs: LocalBlobs
    folder: Path

    def pack(self, level: int, *, full: bool = False) -> tuple[int, float, Path]:
        """Bytes, seconds and file of a pack."""
        target = self.folder / f"{'full' if full else 'delta'}-{level}"
        start = time.perf_counter()
        base = None if full else self.old
        size = make_pack(base=base, image=self.new, source=self.blobs, target=target, level=level)
        return size, time.perf_counter() - start, target

    def install(self, pack: Path) -> float:
        """Seconds to unpack beside the old version, made durable."""
        target = self.folder / f"installed-{pack.name}"
        start = time.perf_counter()
        install_pack(pack, expected=self.new.digest, base=self.old, base_tree=self.before.tree, target=target)
        return time.perf_counter() - start

    def whole_tar(self, level: int) -> int:
        """What ``zstd --patch-from`` makes of the two tars."""
        old, new = _tar(self.before.tree), _tar(self.after.tree)
        bits = zstd.window_bits(len(old) + len(new))
        return sum(map(len, zstd.compressed([new], size=len(new), bits=bits, level=level, prefix=old)))


def _tar(tree: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(tree.rglob("*")):
            archive.add(path, str(path.relative_to(tree)), recursive=False, filter=_timeless)
    return packed.getvalue()


def _timeless(info: tarfile.TarInfo) -> tarfile.TarInfo:
    return info.replace(mtime=0, deep=False)


def _update(name: str, get: _Getter, versions: tuple[str, str], folder: Path) -> _Update:
    before, after = (get(name, version, folder) for version in versions)
    old, new = scan_tree(before.tree), scan_tree(after.tree)
    blobs = LocalBlobs(folder / "blobs")
    add_tree(before.tree, old, blobs)
    add_tree(after.tree, new, blobs)
    return _Update(before, after, old, new, blobs, folder)


def _share(size: int, whole: int) -> str:
    return f"{size:,} = {100 * size / whole:.3g} %"


def _row(update: _Update, levels: list[int]) -> list[str]:
    archive = update.after.archive_bytes
    full, full_seconds, _ = update.pack(levels[0], full=True)
    cells = [f"{len(update.new):,}", f"{archive:,}", f"{_share(full, archive)}, {full_seconds:.2f} s"]
    for level in levels:
        size, seconds, path = update.pack(level)
        cells.append(f"{_share(size, archive)}, {seconds:.2f} s, in {update.install(path):.2f} s")
        cells.append(_share(update.whole_tar(level), archive))
    return cells


def main() -> None:
    """Print the table."""
    levels = [int(level) for level in sys.argv[1:]] or [3, 12]
    table = Table(title="bytes to move, part of the archive, time to make, time to install")
    for heading in ("update", "entries", "archive", f"full, level {levels[0]}"):
        table.add_column(heading)
    for level in levels:
        table.add_column(f"delta, level {level}")
        table.add_column(f"whole tar, level {level}")
    for name, get, before, after in UPDATES:
        title = f"{name} {before} → {after}"
        with tempfile.TemporaryDirectory() as folder:
            try:
                table.add_row(title, *_row(_update(name, get, (before, after), Path(folder)), levels))
            except RegistryError as error:
                table.add_row(title, f"skipped: {error}")
    Console(width=200).print(table)


if __name__ == "__main__":
    main()

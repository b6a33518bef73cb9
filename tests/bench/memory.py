"""Memory that a big image takes: ``python -m tests.bench.memory [MiB]``; 2,048 MiB unless given.

The image has one file of three quarters of that, and some smaller ones; the next version changes a little in each.
Each step runs in a process of its own, whose peak resident size stands in the table; an idle one is there to compare.
Needs about four times the image on the disk, and some minutes.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from federation.digest import Digest
from federation.image import Image
from federation.limits import KIB, MIB
from federation.transfer import LocalBlobs, add_tree, install_pack, load_image, make_pack, scan_tree, store_image
from federation.transfer.unpack import salvage, unpack

_PIECE: Final = MIB


def write_file(path: Path, size: int, seed: int, changes: int) -> None:
    """A file of ``size`` bytes, half of which compress; ``changes`` small stretches of it are other ones."""
    rng, changed = random.Random(seed), random.Random(seed + 1000)
    at = {changed.randrange(size // _PIECE): changed.randbytes(200) for _ in range(changes)}
    with path.open("wb") as file:
        for number in range(size // _PIECE):
            noise = rng.randbytes(_PIECE // 2)
            piece = bytearray(noise + noise[: 4 * KIB] * (_PIECE // 2 // (4 * KIB)))
            if number in at:
                piece[1000:1200] = at[number]
            file.write(piece)


def write_tree(root: Path, mib: int, changes: int) -> None:
    """One file of three quarters of ``mib``, and four that share the rest."""
    root.mkdir()
    write_file(root / "big", mib * MIB * 3 // 4, 1, changes)
    for number in range(4):
        write_file(root / f"part-{number}", mib * MIB // 16, 10 + number, changes and 1)


# What each process does; it works in ``folder``.


def idle(_folder: Path) -> None:
    """Nothing: what the interpreter and the modules take."""


def store(folder: Path) -> None:
    """Scan both trees and store them, as a build does."""
    blobs = LocalBlobs(folder / "maker")
    for name in ("old", "new"):
        image = scan_tree(folder / name)
        add_tree(folder / name, image, blobs)
        store_image(blobs, image)
        (folder / f"{name}.digest").write_text(image.digest)


def _image(folder: Path, name: str, place: str = "maker") -> Image:
    return load_image(LocalBlobs(folder / place), Digest((folder / f"{name}.digest").read_text()))


def make_full(folder: Path, level: int = 3) -> None:
    target = folder / "full.pack"
    make_pack(base=None, image=_image(folder, "old"), source=LocalBlobs(folder / "maker"), target=target, level=level)


def make_delta(folder: Path, level: int = 3) -> None:
    old, new = _image(folder, "old"), _image(folder, "new")
    target = folder / "delta.pack"
    make_pack(base=old, image=new, source=LocalBlobs(folder / "maker"), target=target, level=level)


def read_full(folder: Path) -> None:
    """Into a store, as a consumer does."""
    blobs, image = LocalBlobs(folder / "reader"), _image(folder, "old")
    unpack(folder / "full.pack", expected=image.digest, base=None, old=None, sink=blobs)
    store_image(blobs, image)


def read_delta(folder: Path) -> None:
    blobs, old = LocalBlobs(folder / "reader"), _image(folder, "old", "reader")
    expected = _image(folder, "new").digest
    done = salvage(folder / "delta.pack", expected=expected, base=old, old=blobs, sink=blobs)
    assert not done.missing


def install_full(folder: Path) -> None:
    """Unpacked beside the running version, as an agent does."""
    expected = _image(folder, "old").digest
    install_pack(folder / "full.pack", expected=expected, base=None, base_tree=None, target=folder / "installed")


def install_delta(folder: Path) -> None:
    expected, old = _image(folder, "new").digest, _image(folder, "old")
    target = folder / "installed-next"
    install_pack(folder / "delta.pack", expected=expected, base=old, base_tree=folder / "installed", target=target)


STEPS: Final[dict[str, Callable[[Path], None]]] = {
    "idle": idle,
    "store both": store,
    "make the full pack": make_full,
    "read the full pack": read_full,
    "install the full pack": install_full,
    "make the delta": make_delta,
    "make the delta, level 12": partial(make_delta, level=12),
    "read the delta": read_delta,
    "install the delta": install_delta,
}


def _peak_bytes() -> int:
    """The most that this program had resident. What ``getrusage`` tells includes that of its parent before the exec."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * KIB


def step(name: str, folder: Path) -> None:
    """The process of one step: says what it took."""
    started = time.monotonic()
    STEPS[name](folder)
    peak = _peak_bytes()
    print(json.dumps({"peak": peak, "seconds": time.monotonic() - started}))


def measured(name: str, folder: Path) -> tuple[int, float]:
    """Peak bytes and seconds of a step in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.memory", "step", name, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(done.stdout)
    return said["peak"], said["seconds"]


def main() -> None:
    """Print the table, or be one step."""
    if sys.argv[1:2] == ["step"]:
        step(sys.argv[2], Path(sys.argv[3]))
        return
    mib = int(sys.argv[1]) if sys.argv[1:] else 2048
    table = Table(title=f"an image of {mib:,} MiB, and one with little changed in each file")
    for heading in ("step", "peak resident", "time", "pack"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory(prefix="memory-") as name:
        folder = Path(name)
        write_tree(folder / "old", mib, 0)
        write_tree(folder / "new", mib, 8)
        for title in STEPS:
            peak, seconds = measured(title, folder)
            pack = folder / ("delta.pack" if "delta" in title else "full.pack")
            size = f"{pack.stat().st_size / MIB:,.2f} MiB" if "make" in title else ""
            table.add_row(title, f"{peak / MIB:,.0f} MiB", f"{seconds:.1f} s", size)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

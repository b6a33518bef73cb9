"""What a catalogue costs: to publish and to read it, on this disk, and what python-tuf adds to a process.

``python -m tests.bench.catalogs``.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from federation.catalog.catalogue import Catalogue
from federation.catalog.listing import LISTING_TARGET, manifest_target
from federation.catalog.publisher import CatalogPublisher
from federation.catalog.reader import CatalogReader
from federation.digest import Digest
from tests.support.catalogs import Answer, listing, served
from tests.support.clock import FakeClock
from tests.support.trees import noise

SIZES: Final = (10, 1_000)
MANIFEST_BYTES: Final = 2_000
_IMPORT: Final = """
import sys, time, psutil
import federation.keys, federation.catalog.listing, federation.transfer
before, start = psutil.Process().memory_info().rss, time.perf_counter()
import federation.catalog.publisher, federation.catalog.reader
print(f"{(time.perf_counter() - start) * 1e3:.0f} ms, {(psutil.Process().memory_info().rss - before) / 2**20:.1f} MiB")
"""


def milliseconds(act: Callable[[], object]) -> str:
    start = time.perf_counter()
    act()
    return f"{(time.perf_counter() - start) * 1e3:.1f}"


def read(reader: CatalogReader, publisher: CatalogPublisher, clock: FakeClock) -> None:
    """One whole reading, the answers being there at once."""
    got: dict[str, Answer] = {}
    while not isinstance(step := reader.read(got, clock.now()), Catalogue):
        got[step.path] = served(publisher, step.path)


def row(folder: Path, size: int) -> list[str]:
    """What each step takes for ``size`` targets."""
    clock = FakeClock()
    publisher = CatalogPublisher(folder / f"p{size}", clock)
    manifests = [noise(MANIFEST_BYTES, number) for number in range(size)]
    targets = {manifest_target(Digest.of(one)): one for one in manifests} | {LISTING_TARGET: listing(1).encode()}
    reader = CatalogReader(folder / f"r{size}")
    steps = [milliseconds(lambda: publisher.publish(targets)), milliseconds(lambda: publisher.publish(targets))]
    changed = targets | {LISTING_TARGET: listing(2).encode()}
    steps.append(milliseconds(lambda: publisher.publish(changed)))
    clock.advance(3600)
    steps.append(milliseconds(publisher.refresh))
    reader.trust(publisher.root)
    steps += [milliseconds(lambda: read(reader, publisher, clock)) for _ in range(2)]
    return steps


def main() -> None:
    table = Table(title="milliseconds; targets of 2 kB, all of it durable")
    for name in ("targets", "publish all", "the same", "one changed", "hourly refresh", "first reading", "unchanged"):
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for size in SIZES:
            table.add_row(str(size), *row(Path(folder), size))
    Console().print(table)
    added = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True)
    print(f"python-tuf adds to the start of a process: {added.stdout.strip()}")


if __name__ == "__main__":
    main()

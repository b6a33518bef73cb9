"""Time to make the image and the signed manifest of a tree, against what hashes the same files: ``sha256sum`` and git.

``python -m tests.bench.images [files]``; 50,000 unless given. All run in turns over the same files, in the page cache:
the ratio counts, of the medians of one run.
"""

import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from federation.clock import SystemClock
from federation.digest import Digest
from federation.image import Image
from federation.keys import PrivateKey
from federation.manifest import Maker, Manifest, SignedManifest
from federation.names import NodeName, ServiceName
from federation.transfer.tree import scan_tree
from federation.versions import DeveloperVersion

ROUNDS: Final = 5
_PER_FOLDER: Final = 40


def make_files(folder: Path, count: int) -> int:
    """Write ``count`` files as programs have them, most of a few kB and some large; their bytes in all."""
    rng, total = random.Random(1), 0
    for number in range(count):
        place = folder / f"part{number // (_PER_FOLDER * 25)}" / f"module{number // _PER_FOLDER}"
        place.mkdir(parents=True, exist_ok=True)
        content = rng.randbytes(min(int(rng.lognormvariate(7.5, 1.3)), 2_000_000))
        (place / f"file{number}.py").write_bytes(content)
        total += len(content)
    return total


def signed(image: Image, key: PrivateKey) -> SignedManifest:
    manifest = Manifest(
        service=ServiceName("shop"),
        version=DeveloperVersion("acme-1.0.0"),
        image=image.digest,
        size_bytes=image.size,
        entries=len(image),
        recipe=Digest.of(b"recipe"),
        sources=(),
        maker=Maker(node=NodeName("acme"), key=key.public),
        created=SystemClock().now(),
    )
    return SignedManifest.make(manifest, key)


def sha256sum(folder: Path) -> None:
    words = f"find {folder} -type f -print0 | xargs -0 -P2 -n 2000 sha256sum > /dev/null"
    subprocess.run(["sh", "-c", words], check=True)


def git_add(folder: Path, repository: Path) -> None:
    """Into a fresh repository: what git has already, it does not read again."""
    git = ["git", f"--git-dir={repository}", f"--work-tree={folder}"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)


def taken(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _scan(folder: Path, into: list[Image]) -> None:
    into.append(scan_tree(folder))


def _sign(images: list[Image], key: PrivateKey) -> None:
    signed(images[0], key)


def rounds(folder: Path, repository: Path) -> dict[str, list[float]]:
    key = PrivateKey.generate()
    found: dict[str, list[float]] = {}
    sha256sum(folder)
    for number in range(ROUNDS):
        images: list[Image] = []
        steps: dict[str, Callable[[], object]] = {
            "scan and hash": partial(_scan, folder, images),
            "index and sign": partial(_sign, images, key),
            "sha256sum, xargs -P2": partial(sha256sum, folder),
        }
        if number == 0:
            # So much slower than the others that once is enough.
            steps["git add -A"] = partial(git_add, folder, repository)
        for name, work in steps.items():
            found.setdefault(name, []).append(taken(work))
    return found


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if sys.argv[1:] else 50_000
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        size = make_files(tree, count)
        times = {name: statistics.median(each) for name, each in rounds(tree, Path(folder) / "git").items()}
    whole = times["scan and hash"] + times["index and sign"]
    times = {"image and manifest": whole, **times}
    print(f"{count:,} files, {size / 1e6:,.0f} MB, median of {ROUNDS}")
    print(f"{'':<24}{'seconds':>10}{'files/s':>12}{'image takes ×':>16}")
    for name, seconds in times.items():
        print(f"{name:<24}{seconds:>10.2f}{count / seconds:>12,.0f}{whole / seconds:>16.2f}")


if __name__ == "__main__":
    main()

"""Big images take no more memory than small ones, at either end of a link: each step in a process of its own."""

from pathlib import Path

import pytest

from federation.limits import MIB
from tests.bench.memory import measured, write_tree

pytestmark = pytest.mark.e2e

IMAGE_MIB = 160
BOUND = 100 * MIB
"""Far less than the image, and than the 120 MiB of its one big file."""


def test_a_full_pack_streams_through_its_maker_and_its_readers(tmp_path: Path) -> None:
    """Scanned, stored, packed, unpacked into a store and installed, with a peak far below the size of the image."""
    write_tree(tmp_path / "old", IMAGE_MIB, 0)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "small").write_bytes(b"another image")
    for step in ("store both", "make the full pack", "read the full pack", "install the full pack"):
        peak, _ = measured(step, tmp_path)
        assert peak < BOUND, f"{step}: {peak / MIB:.0f} MiB"

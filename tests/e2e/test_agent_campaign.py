"""A short kill −9 campaign; a long one is ``python -m tests.campaign``."""

from pathlib import Path

import pytest

from tests.campaign.__main__ import campaign

pytestmark = pytest.mark.e2e


async def test_whatever_is_killed_one_right_version_runs(tmp_path: Path) -> None:
    """Agent, shim, service or all, killed at any moment of any update: the next agent puts everything in order."""
    right, _ = await campaign(tmp_path, runs=12, seed=7)
    assert right.total() == 24

"""Holds one build to its bounds: by the kernel where it can, and by a watch that says what was too much."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from build.bounds import Bounds, over_bounds
from build.controlgroups import Groups, make_groups, remove_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """``folders``: those that the build may write, its own first."""

    folders: Sequence[Path]
    bounds: Bounds
    groups: Groups

    async def problem(self, leader: int) -> str:
        """Wait until what ``leader`` started is over its bounds; by what, in a sentence."""
        return await over_bounds(leader, self.folders, self.bounds)

    @property
    def kernels_word(self) -> str:
        """What the kernel refused the build so far, in a sentence; empty: nothing."""
        if self.groups.ran_out_of_memory:
            return self.bounds.too_much_memory()
        return self.bounds.too_many_processes if self.groups.ran_out_of_processes else ""


@contextlib.asynccontextmanager
async def guarded(folders: Sequence[Path], bounds: Bounds) -> AsyncIterator[Guard]:
    """A guard for the block; all that it is for has ended before the block does."""
    groups = await asyncio.to_thread(make_groups, bounds)
    try:
        yield Guard(folders=folders, bounds=bounds, groups=groups)
    finally:
        await asyncio.shield(asyncio.to_thread(remove_groups, groups))

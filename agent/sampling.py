"""Decides which of many crashes that come fast are reported in full; all are counted. Pure."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from federation.codec import Moment

WINDOW: Final = timedelta(minutes=1)
IN_FULL: Final = 5
"""As many crashes of one service in a window are each reported in full."""

EVERY: Final = 10
"""Of those after them in the same window, every tenth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """The crashes of one service that came fast: since when, how many, how many of them no report has told of yet.

    ``last`` is the run that was counted last, so that it is never counted twice. Another version's first crash is news.
    """

    began: Moment | None = None
    seen: int = 0
    untold: int = 0
    last: str = ""
    version: str = ""

    def after(self, run: str, version: str, at: Moment) -> "Burst":
        """With one more crash, that of ``run`` of ``version``, at ``at``."""
        counted = replace(self, untold=self.untold + 1, last=run, version=version)
        is_new = version != self.version or self.began is None or not timedelta() <= at - self.began < WINDOW
        return replace(counted, began=at, seen=1) if is_new else replace(counted, seen=self.seen + 1)

    @property
    def is_full(self) -> bool:
        """Whether the crash counted last is reported in full."""
        return self.seen <= IN_FULL or self.seen % EVERY == 0

    @property
    def told(self) -> "Burst":
        """After a report that tells of all so far."""
        return replace(self, untold=0)

"""What a provider's lies cost it: for a time it is asked for whole images only, longer with each further lie."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from federation.codec import Moment
from federation.names import NodeName

FIRST: Final = timedelta(minutes=10)
MOST: Final = timedelta(days=1)
FORGIVEN_AFTER: Final = timedelta(days=7)
REASON_CHARS: Final = 500
_MOST_DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """``provider`` lied ``count`` times in succession, last at ``last``, by ``reason``; it weighs ``until``."""

    provider: NodeName
    count: int
    reason: str
    last: Moment
    until: Moment

    def weighs(self, now: datetime) -> bool:
        """Whether it holds now."""
        return now < self.until


def after_lie(before: Penalty | None, provider: NodeName, reason: str, now: datetime) -> Penalty:
    """The penalty once ``provider`` lied again: twice as long as the last one, but anew after a good week."""
    count = before.count + 1 if before is not None and now < before.until + FORGIVEN_AFTER else 1
    length = min(MOST, FIRST * 2 ** min(count - 1, _MOST_DOUBLINGS))
    return Penalty(provider=provider, count=count, reason=reason[:REASON_CHARS], last=now, until=now + length)

"""The time by which requests to a peer are signed: our own clock's, set right by the peer's where that refused it.

A host whose clock is wrong could not speak to its node at all, and the operator would not even hear of it. The peer's
word on the time is taken only where nobody can stand in between: who could make us sign for tomorrow would have
requests in hand that are believed tomorrow.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from federation.clock import Clock
from federation.link.address import is_loopback
from federation.link.refusals import ExpiredSignatureError, FutureSignatureError

_OF_TIME: Final = frozenset({ExpiredSignatureError.code, FutureSignatureError.code})
_LEAST_SECONDS: Final = 2.0
"""HTTP dates have whole seconds."""


def _read_date(text: str) -> datetime | None:
    """The time in an HTTP date (RFC 9110 §5.6.7)."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


class PeerTime:
    """The time as the peer at ``url`` sees it. ``on_skew`` is told by how many seconds it is ahead of our clock.

    Without ``on_skew`` it is our own clock's, whatever the peer says.
    """

    def __init__(self, url: str, clock: Clock, on_skew: Callable[[float], None] | None) -> None:
        parts = urlsplit(url)
        self._is_believed = parts.scheme == "https" or is_loopback(parts.hostname or "")
        self._clock = clock
        self._on_skew = on_skew
        self.ahead = timedelta()
        """How far the peer's clock is taken to be ahead of ours."""

    def now(self) -> datetime:
        """The time to sign a request by."""
        return self._clock.now() + self.ahead

    def learn(self, code: str, date: str) -> None:
        """Take up what a refusal with ``code`` and the header ``date`` tells."""
        if self._on_skew is None or not self._is_believed or code not in _OF_TIME:
            return
        found = _read_date(date)
        if found is not None and abs((found - self.now()).total_seconds()) >= _LEAST_SECONDS:
            self.ahead = found - self._clock.now()
            self._on_skew(self.ahead.total_seconds())

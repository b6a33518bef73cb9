"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta
from typing import Final

FIXED_START: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """A ``federation.clock.Clock`` whose wall and monotonic time move together, and only by ``advance``."""

    def __init__(self, start: datetime = FIXED_START) -> None:
        self._start = start
        self._elapsed_seconds = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_seconds)

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed_seconds

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._elapsed_seconds += seconds

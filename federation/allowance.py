"""Decides how often something may happen: a bucket of turns that fills up again evenly (a token bucket).

Pure: time is handed in, in seconds of a clock that never goes back.
"""

from dataclasses import dataclass, field

from federation.errors import InvalidValueError


@dataclass(slots=True)
class Allowance:
    """Up to ``most`` turns at once, and ``most`` more over each ``seconds`` that pass."""

    most: int
    seconds: float
    _left: float = field(init=False)
    _at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.most < 1 or self.seconds <= 0:
            raise InvalidValueError("an allowance has at least one turn, and takes time to fill up again")
        self._left = float(self.most)

    def take(self, at: float) -> bool:
        """Use one turn at ``at``; whether there was one left."""
        self._left = min(self.most, self._left + max(0.0, at - self._at) * self.most / self.seconds)
        self._at = max(self._at, at)
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

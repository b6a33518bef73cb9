"""Decides whether a run keeps within the recipe's ``limits``. Pure: measurements come in, a sentence goes out."""

from dataclasses import dataclass, replace
from typing import Final

from federation.service import RunLimits

_MIB: Final = 1024 * 1024
_LOOKS_PER_WINDOW: Final = 6
_LEAST_LOOK_SECONDS: Final = 0.2
_MOST_LOOK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement: ``at`` in seconds of a monotonic clock, ``cpu_seconds`` used since the run's start."""

    at: float
    memory_bytes: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits of a run, and what was measured within the window of its processor time, oldest first."""

    limits: RunLimits
    samples: tuple[Sample, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep within."""
        return self.limits.memory_bytes is None and self.limits.cpu_percent is None

    @property
    def look_seconds(self) -> float:
        """How long until the next measurement."""
        parts = self.limits.cpu_window_seconds / _LOOKS_PER_WINDOW
        return min(_MOST_LOOK_SECONDS, max(_LEAST_LOOK_SECONDS, parts))

    def seen(self, sample: Sample) -> "Bounds":
        """After one more measurement; of those before the window only the last is kept, where the window begins."""
        begin = sample.at - self.limits.cpu_window_seconds
        before = [one for one in self.samples if one.at <= begin][-1:]
        within = [one for one in self.samples if one.at > begin]
        return replace(self, samples=(*before, *within, sample))

    @property
    def problem(self) -> str:
        """Which bound is broken, in a sentence; empty: none. Processor time counts over a whole window only."""
        if not self.samples:
            return ""
        first, last = self.samples[0], self.samples[-1]
        most = self.limits.memory_bytes
        if most is not None and last.memory_bytes > most:
            return f"used {last.memory_bytes / _MIB:.1f} MiB of memory, allowed are {most / _MIB:.1f} MiB"
        percent, elapsed = self.limits.cpu_percent, last.at - first.at
        if percent is None or elapsed < self.limits.cpu_window_seconds:
            return ""
        used = 100 * (last.cpu_seconds - first.cpu_seconds) / elapsed
        return f"used {used:.0f} % of a core over {elapsed:.0f} s, allowed are {percent:g} %" if used > percent else ""

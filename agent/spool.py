"""What waits on disk until the node has it: fault reports, each until it is taken, and how far logs were taken.

Durable before it is told to anyone, bounded in number. When to send is for ``shipping``.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.logs import BEGINNING, Position
from federation import codec
from federation.errors import InvalidValueError
from federation.files import write_atomic
from federation.names import ServiceKey

MOST_REPORTS: Final = 1000
_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How far the logs of a service were taken; ``until``: the end of the batch on its way.

    A batch sent again after an interruption has the same bounds, so its records have the same numbers.
    """

    taken: Position = BEGINNING
    until: Position | None = None


class Spool:
    """The spool in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._faults = folder / "faults"
        self._logs = folder / "logs"

    def add(self, identity: str, report: bytes) -> None:
        """Keep ``report`` until it is taken; twice is once. The oldest beyond the bound give way.

        Raises:
            DiskFullError: nothing is kept.
        """
        path = self._faults / f"{identity}{_SUFFIX}"
        if path.exists():
            return
        write_atomic(path, report)
        for old in self._by_age()[:-MOST_REPORTS]:
            old.unlink(missing_ok=True)

    def waiting(self) -> list[str]:
        """The ids of the reports that wait, oldest first."""
        return [path.name.removesuffix(_SUFFIX) for path in self._by_age()]

    def report(self, identity: str) -> bytes | None:
        """A report that waits."""
        with contextlib.suppress(FileNotFoundError):
            return (self._faults / f"{identity}{_SUFFIX}").read_bytes()
        return None

    def taken(self, identity: str) -> None:
        """The node has this report."""
        (self._faults / f"{identity}{_SUFFIX}").unlink(missing_ok=True)

    def _by_age(self) -> list[Path]:
        paths = [path for path in self._faults.glob(f"*{_SUFFIX}") if not path.name.startswith(".")]
        return sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def sent(self, key: ServiceKey) -> Sent:
        """How far the logs of ``key`` were taken; a damaged note means from the beginning."""
        try:
            return codec.decode((self._logs / f"{key}{_SUFFIX}").read_bytes(), Sent)
        except (FileNotFoundError, InvalidValueError):
            return Sent()

    def note(self, key: ServiceKey, sent: Sent) -> None:
        """Keep how far the logs of ``key`` were taken."""
        write_atomic(self._logs / f"{key}{_SUFFIX}", codec.encode(sent))

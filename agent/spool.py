"""What waits on disk until the node has it: fault reports, each until it is taken, and how far logs were taken.

Durable before it is told to anyone, bounded in number and bytes. When to send is for ``shipping``.
"""

import contextlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.logs import BEGINNING, Position
from federation import codec, limits
from federation.errors import DiskFullError, InvalidValueError
from federation.files import write_atomic
from federation.names import ServiceKey

MOST_REPORTS: Final = 1000
MOST_BYTES: Final = 256 * limits.MIB
_SUFFIX: Final = ".json"
_FILES_SUFFIX: Final = ".tar.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How far the logs of a service were taken; ``until``: the end of the batch on its way.

    A batch sent again after an interruption has the same bounds, so its records have the same numbers.
    """

    taken: Position = BEGINNING
    until: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveWay:
    """The fault reports that were dropped before the node had them."""

    reports: int = 0
    bytes: int = 0


class Spool:
    """The spool in ``folder``; all reports together have at most ``most_bytes``, but the newest is always kept."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._gave_way = folder / "gave-way.json"
        self._faults = folder / "faults"
        self._logs = folder / "logs"

    def add(self, identity: str, report: bytes, files: bytes | None = None) -> None:
        """Keep ``report`` and its packed ``files`` until they are taken; twice is once.

        The oldest beyond the bounds give way.

        Raises:
            DiskFullError: nothing is kept.
        """
        path = self._faults / f"{identity}{_SUFFIX}"
        if path.exists():
            return
        if files is not None:
            # First: a report that waits has its files with it. Where there is no room for them it goes alone.
            with contextlib.suppress(DiskFullError):
                write_atomic(self._files(identity), files)
        write_atomic(path, report)
        self._make_room()

    def _make_room(self) -> None:
        newest_first = [(path, self._bytes(path)) for path in reversed(self._by_age())]
        totals = itertools.accumulate(size for _, size in newest_first)
        olds = [
            old
            for number, (old, total) in enumerate(zip(newest_first, totals, strict=True))
            if number and (number >= MOST_REPORTS or total > self._most_bytes)
        ]
        if not olds:
            return
        before = self.gave_way()
        count = GaveWay(reports=before.reports + len(olds), bytes=before.bytes + sum(size for _, size in olds))
        # Counted first: a power cut between may count a report twice, but hides none. A full disk needs the room more.
        with contextlib.suppress(DiskFullError):
            write_atomic(self._gave_way, codec.encode(count))
        for path, _ in olds:
            self._drop(path)

    def _files(self, identity: str) -> Path:
        return self._faults / f"{identity}{_FILES_SUFFIX}"

    def _bytes(self, path: Path) -> int:
        files = self._files(path.name.removesuffix(_SUFFIX))
        return path.stat().st_size + (files.stat().st_size if files.exists() else 0)

    def _drop(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._files(path.name.removesuffix(_SUFFIX)).unlink(missing_ok=True)

    def gave_way(self) -> GaveWay:
        """What was dropped and not yet told."""
        try:
            return codec.decode(self._gave_way.read_bytes(), GaveWay)
        except (FileNotFoundError, InvalidValueError):
            return GaveWay()

    def told(self) -> None:
        """What was dropped was told."""
        self._gave_way.unlink(missing_ok=True)

    def waiting(self) -> list[str]:
        """The ids of the reports that wait, oldest first."""
        return [path.name.removesuffix(_SUFFIX) for path in self._by_age()]

    def report(self, identity: str) -> bytes | None:
        """A report that waits."""
        with contextlib.suppress(FileNotFoundError):
            return (self._faults / f"{identity}{_SUFFIX}").read_bytes()
        return None

    def files(self, identity: str) -> bytes | None:
        """The packed files of a report that waits."""
        with contextlib.suppress(FileNotFoundError):
            return self._files(identity).read_bytes()
        return None

    def taken(self, identity: str) -> None:
        """The node has this report, and its files."""
        self._drop(self._faults / f"{identity}{_SUFFIX}")

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

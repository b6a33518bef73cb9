"""Counts what was not sent whole: of each kind, service and version, so that numbers survive where bodies do not.

Pure. Counting and forgetting what was counted are two writes; ``taking`` names the entries that are counted and perhaps
not forgotten yet, so that a crash between the two counts nothing twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from federation import report
from federation.names import NodeName
from federation.outbox import Entry
from federation.report import Count, Why

_Key = tuple[str, str, str, Why]
MOST: Final = report.COUNTS - 100
"""Beyond this many, versions are no longer told apart, then services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What of the entries for ``receiver`` was only counted, since the first."""

    receiver: NodeName
    counts: tuple[Count, ...] = ()
    taking: tuple[str, ...] = ()

    def taken(self, entries: Iterable[Entry], now: datetime) -> "Tally":
        """With ``entries`` counted, those in ``taking`` not again. The caller forgets the entries afterwards.

        ``entries`` are all that are counted and not forgotten: what ``taking`` named beside them is forgotten.
        """
        counts = {(one.kind, one.service, one.version, one.why): one for one in self.counts}
        ids = []
        for entry in entries:
            ids.append(entry.id)
            if entry.id not in self.taking:
                _add(counts, entry, now)
        ordered = tuple(counts[key] for key in sorted(counts))
        return Tally(receiver=self.receiver, counts=ordered, taking=tuple(ids))


def _add(counts: dict[_Key, Count], entry: Entry, now: datetime) -> None:
    why: Why = "settings" if entry.code == SETTINGS else "budget"
    for key in (
        (entry.kind, entry.service, entry.version, why),
        (entry.kind, entry.service, "", why),
        (entry.kind, "", "", why),
    ):
        if key in counts or len(counts) < MOST or key[1] == "":
            before = counts.get(key)
            counts[key] = Count(
                kind=key[0],
                service=key[1],
                version=key[2],
                why=why,
                count=(before.count if before else 0) + 1,
                first=before.first if before else now,
                last=now,
            )
            return


SETTINGS: Final = "settings"
"""The code of an entry that is only counted because its link's settings say so."""

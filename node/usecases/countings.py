"""Tells each provider how much was not sent whole: the numbers survive where the bodies had to go."""

from typing import Final

from federation import codec
from federation.clock import Clock
from federation.link.rights import Right
from federation.outbox import Entry
from federation.report import CountsReport
from node.model.peer import Provider
from node.usecases.delivery import Letter, Withheld
from node.usecases.outbox import Outbox

PATH: Final = "/federation/v1/counts"


class Countings:
    """The counts that go up from this node."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock

    @property
    def right(self) -> Right:
        """What the provider has to allow: counts are what is left of fault reports."""
        return Right.FAULTS

    @property
    def always(self) -> bool:
        """There is one at any time."""
        return True

    async def letter(self, entry: Entry, provider: Provider) -> Letter | Withheld:
        """All that was counted since the first, under the entry's number."""
        tally = await self._outbox.tally(provider.name)
        report = CountsReport(sequence=entry.sequence, at=self._clock.now(), counts=tally.counts)
        return Letter(path=PATH, body=codec.encode(report))

    async def delivered(self, entry: Entry) -> None:
        """Nothing to note: the receipt says it."""

"""The durable queue of what goes up to providers: each thing once, in order per provider, within a budget.

What is next and what a failure means is decided by ``federation.outbox``; ``delivery`` sends. Over the budget the
oldest give way: their number stays, in a tally that is sent up itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from datetime import datetime
from typing import Final

from federation import outbox
from federation.clock import Clock
from federation.errors import AbsentError, ExistsError
from federation.names import NodeName
from federation.outbox import Budget, Checkpoint, Entry, Load, Standing
from federation.tally import Tally
from node.model.report import SentLetter
from node.storage.port import Order, Where
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic

INDEXES: Final = ("receiver,standing,sequence", "receiver,standing,due", "standing,settled", "sequence")
SENT_INDEXES: Final = ("at",)
COUNTS: Final = "counts"
"""The kind of the entries that tell a provider how much was not sent whole."""

_BATCH: Final = 100
_PAGE: Final = 1000
_BY_SEQUENCE: Final = (Order("sequence"),)


class Outbox:
    """What waits to go up from this node, and the receipts of what went."""

    def __init__(
        self,
        *,
        entries: Repository[Entry],
        checkpoints: Repository[Checkpoint],
        tallies: Repository[Tally],
        sent: Repository[SentLetter],
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
        budget: Budget,
    ) -> None:
        self._entries = entries
        self._checkpoints = checkpoints
        self._tallies = tallies
        self._sent = sent
        self._hub = hub
        self._audit = audit
        self._clock = clock
        self._budget = budget
        self._loads: dict[NodeName, Load] = {}
        self._last_sequence = 0
        self._in_flight: set[str] = set()
        self._dropping: set[NodeName] = set()
        self._counting = asyncio.Lock()
        self.woken = asyncio.Event()

    # Queuing.

    async def queue(
        self, receiver: NodeName, kind: str, subject: str, *, size_bytes: int = 0, service: str = "", version: str = ""
    ) -> None:
        """Send ``subject`` to ``receiver``, durably from now on; again and again is once."""
        load = await self.load(receiver)
        entry = outbox.queued(
            receiver=receiver,
            sequence=await self._next_sequence(),
            kind=kind,
            subject=subject,
            now=self._clock.now(),
            size_bytes=size_bytes,
            service=service,
            version=version,
        )
        try:
            await self._entries.add(entry)
        except ExistsError:
            self.wake()
            return
        self._loads[receiver] = load.plus(entry)
        await self._keep_within_budget(receiver)
        self._told(receiver)

    async def queue_newest(self, receiver: NodeName, kind: str, subject: str) -> None:
        """The same for what is only worth sending as it is now: one that waits already, or was sent, is renewed."""
        now = self._clock.now()
        load = await self.load(receiver)
        sequence = await self._next_sequence()
        key = outbox.entry_id(receiver, kind, subject)
        present = await self._entries.get(key)
        if present is None:
            renewed = outbox.queued(
                receiver=receiver, sequence=sequence, kind=kind, subject=subject, now=now, newest_only=True
            )
            await self._entries.put(renewed)
        else:
            renewed = await self._entries.change(
                key, lambda before: outbox.renewed(before, max(sequence, before.sequence + 1), now)
            )
        if present is None or present.standing not in outbox.OPEN:
            self._loads[receiver] = load.plus(renewed)
        self._told(receiver)

    async def _next_sequence(self) -> int:
        """Follows the clock, but never goes back: not after a restart either, nor when the clock does."""
        if self._last_sequence == 0:
            newest = await self._entries.find(order=(Order("sequence", descending=True),), limit=1)
            self._last_sequence = newest[0].sequence if newest else 0
        self._last_sequence = max(self._last_sequence + 1, int(self._clock.now().timestamp() * 1_000_000))
        return self._last_sequence

    def _told(self, receiver: NodeName) -> None:
        self._hub.publish(Topic.OUTBOX, receiver)
        self.wake()

    def wake(self) -> None:
        """Let the delivery look again."""
        self.woken.set()

    # What the delivery asks and says.

    async def heads(self, receiver: NodeName) -> tuple[Entry | None, Entry | None]:
        """The first in line for ``receiver``, and the one aside that is due first: two reads, whatever waits."""
        head = await self._find(receiver, Standing.WAITING, _BY_SEQUENCE, limit=1)
        aside = await self._find(receiver, Standing.ASIDE, (Order("due"),), limit=1)
        return (head[0] if head else None, aside[0] if aside else None)

    @contextlib.contextmanager
    def sending(self, entry: Entry) -> Iterator[None]:
        """``entry`` is on its way while the block runs: it is not dropped under the sender's hands."""
        self._in_flight.add(entry.id)
        try:
            yield
        finally:
            self._in_flight.discard(entry.id)

    async def settle(self, before: Entry, after: Entry) -> None:
        """Keep what became of an entry, unless something newer took its place or somebody removed it."""

        def unless_renewed(present: Entry) -> Entry:
            return after if present.sequence == before.sequence else present

        with contextlib.suppress(AbsentError):
            kept = await self._entries.change(before.id, unless_renewed)
            if kept == after and before.standing in outbox.OPEN and after.standing not in outbox.OPEN:
                self._loads[before.receiver] = (await self.load(before.receiver)).minus(before)
        self._hub.publish(Topic.OUTBOX, before.receiver)
        if after.standing is Standing.COUNTED:
            await self.take_tally(before.receiver)

    async def keep_sent(self, letter: SentLetter) -> None:
        """Remember what was sent."""
        await self._sent.put(letter)

    async def sent(self, entry_id: str) -> SentLetter | None:
        """What was sent last for an entry, while it is remembered."""
        return await self._sent.get(entry_id)

    async def checkpoint(self, receiver: NodeName) -> Checkpoint:
        """How the way to ``receiver`` stands."""
        return await self._checkpoints.get(receiver) or Checkpoint(receiver=receiver)

    async def set_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep how the way stands."""
        await self._checkpoints.put(checkpoint)
        self._hub.publish(Topic.OUTBOX, checkpoint.receiver)

    # The budget, and what is counted instead of sent.

    async def load(self, receiver: NodeName) -> Load:
        """What waits for ``receiver``; read through once, then kept in step."""
        if receiver not in self._loads:
            load = Load()
            for standing in outbox.OPEN:
                async for entry in self._all(receiver, standing):
                    load = load.plus(entry)
            self._loads.setdefault(receiver, load)
        return self._loads[receiver]

    async def tally(self, receiver: NodeName) -> Tally:
        """What of the things for ``receiver`` was only counted."""
        return await self._tallies.get(receiver) or Tally(receiver=receiver)

    async def _keep_within_budget(self, receiver: NodeName) -> None:
        if receiver in self._dropping:
            return  # whoever is at it looks at the load again
        self._dropping.add(receiver)
        try:
            while await self._drop_oldest(receiver):
                await self.take_tally(receiver)
        finally:
            self._dropping.discard(receiver)

    async def _drop_oldest(self, receiver: NodeName) -> bool:
        """Whether something had to go."""
        load = await self.load(receiver)
        if self._budget.holds(load):
            return False
        oldest = [
            *await self._find(receiver, Standing.ASIDE, _BY_SEQUENCE, limit=_BATCH),
            *await self._find(receiver, Standing.WAITING, _BY_SEQUENCE, limit=_BATCH),
        ]
        dropped = outbox.to_drop((one for one in oldest if one.id not in self._in_flight), load, self._budget)
        for entry in dropped:
            await self._mark_dropped(entry)
        return bool(dropped)

    async def _mark_dropped(self, entry: Entry) -> None:
        now = self._clock.now()

        def dropped(present: Entry) -> Entry:
            return outbox.settled(present, Standing.COUNTED, "it was dropped to keep within the budget", now)

        with contextlib.suppress(AbsentError):  # an operator dropped it for good just now
            await self._entries.change(entry.id, dropped)
            self._loads[entry.receiver] = (await self.load(entry.receiver)).minus(entry)

    async def take_tally(self, receiver: NodeName) -> None:
        """Count what is marked to be counted, then forget it; after a crash in between, nothing is counted twice."""
        where = (Where("receiver", "==", receiver), Where("standing", "==", Standing.COUNTED.value))
        async with self._counting:
            while found := await self._entries.find(*where, order=_BY_SEQUENCE, limit=_BATCH):
                await self._tallies.put((await self.tally(receiver)).taken(found, self._clock.now()))
                await self.queue_newest(receiver, COUNTS, COUNTS)
                for entry in found:
                    await self._entries.remove(entry.id)

    async def recover(self) -> None:
        """Finish the counting that a crash interrupted."""
        for entry in await self._entries.find(Where("standing", "==", Standing.COUNTED.value), limit=_PAGE):
            await self.take_tally(entry.receiver)

    # What an operator sees and does.

    async def entries(self, receiver: NodeName | None, *, first: int) -> list[Entry]:
        """Up to ``first`` entries that are not delivered, those next in line first; then the newest receipts."""
        found: list[Entry] = []
        for standing in (Standing.WAITING, Standing.ASIDE, Standing.REFUSED, Standing.WITHHELD, Standing.DELIVERED):
            if len(found) < first:
                settled = standing not in outbox.OPEN
                order = (Order("sequence", descending=settled),)
                found += await self._find(receiver, standing, order, limit=first - len(found))
        return found

    async def get(self, entry_id: str) -> Entry:
        """One entry.

        Raises:
            AbsentError: there is none with this id.
        """
        return await self._entries.require(entry_id)

    async def retry(self, entry_id: str, *, who: str) -> Entry:
        """Send an entry that was refused, withheld or failed, at once.

        Raises:
            AbsentError: there is none with this id.
            InvalidValueError: it was delivered.
        """
        before = await self.get(entry_id)
        now = self._clock.now()
        again = await self._entries.change(entry_id, lambda present: outbox.reopened(present, now))
        if before.standing not in outbox.OPEN:
            self._loads[again.receiver] = (await self.load(again.receiver)).plus(again)
        await self.set_checkpoint(Checkpoint(receiver=again.receiver))
        await self._audit.record(who, "outbox-retry", entry_id)
        self._told(again.receiver)
        return again

    async def drop(self, entry_id: str, *, who: str) -> None:
        """Never send an entry: it is gone, and not counted either.

        Raises:
            AbsentError: there is none with this id.
        """
        entry = await self.get(entry_id)
        await self._entries.remove(entry_id)
        if entry.standing in outbox.OPEN:
            self._loads[entry.receiver] = (await self.load(entry.receiver)).minus(entry)
        await self._audit.record(who, "outbox-drop", entry_id)
        self._told(entry.receiver)

    async def reopen(self, receiver: NodeName, kinds: Collection[str]) -> None:
        """Send what was refused for want of a right that ``receiver`` gives now."""
        now = self._clock.now()
        async for entry in self._all(receiver, Standing.REFUSED):
            if entry.code == outbox.NO_RIGHT and entry.kind in kinds:
                again = await self._entries.change(entry.id, lambda present: outbox.reopened(present, now))
                self._loads[receiver] = (await self.load(receiver)).plus(again)
                self._told(receiver)

    async def prune(self, linked: Collection[NodeName]) -> None:
        """Forget receipts of long ago, and what waited as long for a provider that is not ``linked`` any more."""
        before = self._clock.now() - outbox.RECEIPTS_KEPT
        for standing in (Standing.DELIVERED, Standing.REFUSED, Standing.WITHHELD):
            where = Where("standing", "==", standing.value)
            await self._prune(where, lambda entry: not entry.newest_only and (entry.settled or before) < before)
        for checkpoint in await self._checkpoints.find(limit=_PAGE):
            if checkpoint.receiver not in linked:
                where = Where("receiver", "==", checkpoint.receiver)
                await self._prune(where, lambda entry: entry.created < before)
                self._loads.pop(checkpoint.receiver, None)
        await self._prune_sent(before)

    async def _prune(self, where: Where, old: Callable[[Entry], bool]) -> None:
        async for entry in self._pages(where):
            if old(entry):
                await self._entries.remove(entry.id)

    async def _prune_sent(self, before: datetime) -> None:
        while found := await self._sent.find(order=(Order("at"),), limit=_BATCH):
            old = [one for one in found if one.at < before]
            for one in old:
                await self._sent.remove(one.entry)
            if len(old) < _BATCH:
                return

    # Reading.

    async def _find(
        self, receiver: NodeName | None, standing: Standing, order: tuple[Order, ...], *, limit: int
    ) -> list[Entry]:
        where = [Where("standing", "==", standing.value)]
        if receiver is not None:
            where.insert(0, Where("receiver", "==", receiver))
        return await self._entries.find(*where, order=order, limit=limit)

    def _all(self, receiver: NodeName, standing: Standing) -> AsyncIterator[Entry]:
        return self._pages(Where("receiver", "==", receiver), Where("standing", "==", standing.value))

    async def _pages(self, *where: Where) -> AsyncIterator[Entry]:
        """All entries that ``where`` holds for, a page at a time."""
        last = -1
        while True:
            found = await self._entries.find(*where, Where("sequence", ">", last), order=_BY_SEQUENCE, limit=_PAGE)
            for entry in found:
                yield entry
            if len(found) < _PAGE:
                return
            last = found[-1].sequence

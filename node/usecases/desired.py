"""Changes the two lists of desired versions: against the revision the author saw, as a whole, with history.

Each revision is one document whose key ends in its number; a change inserts the next number. Two changes against the
same revision insert the same key, and the second is refused: no lock, and the history can't be rewritten.
"""

from typing import Final

from federation.clock import Clock
from federation.errors import AbsentError, ConflictError, ExistsError
from federation.names import ServiceName
from node.model.desired import Delta, ListKind, Revision, difference
from node.storage.port import Order, Where
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.provenances import PolicyError, Provenances
from node.usecases.versions import Versions
from node.usecases.withdrawals import Withdrawals, WithdrawnError

INDEXES: Final = ("kind", "number")


def revision_key(revision: Revision) -> str:
    """``<kind>/<number>``, padded so that keys sort as numbers."""
    return f"{revision.kind.value}/{revision.number:012d}"


def _told(deltas: tuple[Delta, ...]) -> str:
    return ", ".join(f"{delta.service} → {delta.version or 'removed'}" for delta in deltas)


class Desired:
    """The desired versions of this node."""

    def __init__(
        self,
        revisions: Repository[Revision],
        *,
        versions: Versions,
        withdrawals: Withdrawals,
        provenances: Provenances,
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._revisions = revisions
        self._versions = versions
        self._withdrawals = withdrawals
        self._provenances = provenances
        self._hub = hub
        self._audit = audit
        self._clock = clock

    async def current(self, kind: ListKind) -> Revision:
        """The newest revision; number 0 and empty before the first change."""
        newest = await self.history(kind, first=1, before=None)
        return newest[0] if newest else Revision(kind=kind, number=0, versions={})

    async def history(self, kind: ListKind, *, first: int, before: int | None) -> list[Revision]:
        """Revisions below number ``before``, newest first."""
        where: tuple[Where, ...] = (Where("kind", "==", kind.value),)
        if before is not None:
            where = (*where, Where("number", "<", before))
        return await self._revisions.find(*where, order=(Order("number", descending=True),), limit=first)

    async def change(self, kind: ListKind, deltas: tuple[Delta, ...], *, seen: int, who: str, why: str) -> Revision:
        """Apply ``deltas`` to revision ``seen``; a change that changes nothing returns the current revision.

        Raises:
            ConflictError: another change came first; the message holds the difference.
            AbsentError: a version named is not here whole.
            WithdrawnError: a version named was withdrawn; one that is desired already may stay.
            PolicyError: too few of the builders that its policy names have built it alike.
        """
        current = await self.current(kind)
        if current.number != seen:
            await self._refuse(kind, seen, current)
        after = current.applied(deltas)
        effective = difference(current.versions, after)
        if not effective:
            return current
        for delta in effective:
            if delta.version is not None:
                await self._versions.get(kind, delta.service, delta.version)
                await self._withdrawals.refuse(kind, delta.service, delta.version)
                await self._provenances.refuse(kind, delta.service, delta.version)
        revision = Revision(
            kind=kind,
            number=seen + 1,
            versions=after,
            deltas=effective,
            who=who,
            why=why,
            at=self._clock.now(),
        )
        try:
            await self._revisions.add(revision)
        except ExistsError:
            await self._refuse(kind, seen, await self.current(kind))
        await self._audit.record(who, f"desired-{kind.value}", f"{_told(effective)}; {why}".rstrip("; "))
        self._hub.publish(Topic.DESIRED, kind.value)
        return revision

    async def set_now(self, kind: ListKind, deltas: tuple[Delta, ...], *, who: str, why: str) -> Revision:
        """Apply ``deltas`` to whatever is current: for changes that hold regardless of what else changed."""
        for _ in range(20):
            current = await self.current(kind)
            try:
                return await self.change(kind, deltas, seen=current.number, who=who, why=why)
            except (WithdrawnError, PolicyError):
                raise
            except ConflictError:
                continue
        raise ConflictError("the desired versions kept changing: try again")

    async def rollback(self, kind: ListKind, to: int, *, who: str, why: str) -> Revision:
        """Make the versions of revision ``to`` the current ones again, as a new revision.

        Raises:
            AbsentError: there is no revision ``to``, or a version of it is gone.
            WithdrawnError: a version of it was withdrawn.
        """
        if to == 0:
            old = Revision(kind=kind, number=0, versions={})
        else:
            old = await self._revisions.require(f"{kind.value}/{to:012d}")
        current = await self.current(kind)
        deltas = difference(current.versions, old.versions)
        return await self.change(kind, deltas, seen=current.number, who=who, why=why or f"rollback to revision {to}")

    async def _refuse(self, kind: ListKind, seen: int, current: Revision) -> None:
        base: dict[ServiceName, str] = {}
        if seen:
            try:
                base = (await self._revisions.require(f"{kind.value}/{seen:012d}")).versions
            except AbsentError as error:
                raise ConflictError(f"there is no revision {seen}; the current one is {current.number}") from error
        changed = _told(difference(base, current.versions)) or "nothing differs"
        raise ConflictError(
            f"another change came first: revision {current.number} by {current.who or 'nobody'} "
            f"(since revision {seen}: {changed}); look at it and try again"
        )

"""Keeps who changed what and when."""

import uuid

from federation.clock import Clock, to_text
from node.model.account import AuditEntry
from node.storage.repository import Repository
from node.usecases.ordering import NEWEST_KEY_FIRST


def entry_key(entry: AuditEntry) -> str:
    """A key that sorts by time and never collides."""
    return f"{to_text(entry.at)}-{uuid.uuid4().hex[:8]}"


class Audit:
    """The audit log of this node."""

    def __init__(self, entries: Repository[AuditEntry], clock: Clock) -> None:
        self._entries = entries
        self._clock = clock

    async def record(self, who: str, action: str, detail: str = "") -> None:
        """Keep that ``who`` did ``action``; ``detail`` holds no secret."""
        await self._entries.add(AuditEntry(at=self._clock.now(), who=who, action=action, detail=detail))

    async def find(self, first: int) -> list[AuditEntry]:
        """The newest ``first`` entries, newest first."""
        return await self._entries.find(order=NEWEST_KEY_FIRST, limit=first)

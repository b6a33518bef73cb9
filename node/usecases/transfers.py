"""Keeps what each image received from a provider cost, and sums up what the deltas saved."""

from dataclasses import dataclass
from typing import Final

from node.model.version import Transfer
from node.storage.fields import KEY
from node.storage.port import Order, Where
from node.storage.repository import Repository
from node.usecases.ordering import BY_KEY

INDEXES: Final = ("at",)
_PAGE: Final = 1000


def transfer_key(transfer: Transfer) -> str:
    """One transfer of one version from one provider at one time."""
    return f"{transfer.provider}/{transfer.service}/{transfer.version}/{transfer.at:%Y%m%dT%H%M%S%f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedBytes:
    """All transfers together: bytes that moved, what the whole images would have been, and how many there were."""

    moved: int = 0
    full: int = 0
    transfers: int = 0

    @property
    def saved(self) -> int:
        """The bytes that did not have to move; negative where lies cost more than deltas saved."""
        return self.full - self.moved


class Transfers:
    """The transfers of this node."""

    def __init__(self, kept: Repository[Transfer]) -> None:
        self._kept = kept
        self._sum = SavedBytes()

    async def record(self, transfer: Transfer) -> None:
        """Keep ``transfer``."""
        await self._kept.put(transfer)

    async def newest(self, first: int) -> list[Transfer]:
        """The newest ``first``, newest first."""
        return await self._kept.find(order=(Order("at", descending=True),), limit=first)

    async def saved(self) -> SavedBytes:
        """All of them together."""
        # A transfer never changes, so as many as before are the same as before.
        if await self._kept.count() != self._sum.transfers:
            self._sum = await self._summed()
        return self._sum

    async def _summed(self) -> SavedBytes:
        moved = full = transfers = 0
        last = ""
        while page := await self._kept.find(Where(KEY, ">", last), order=BY_KEY, limit=_PAGE):
            moved += sum(one.moved_bytes for one in page)
            full += sum(one.full_bytes for one in page)
            transfers += len(page)
            last = transfer_key(page[-1])
        return SavedBytes(moved=moved, full=full, transfers=transfers)

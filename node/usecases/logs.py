"""Takes in log batches of agents and finds records."""

import asyncio
from typing import Final

from federation.log import LogBatch
from federation.names import InstanceName
from node.storage.logs import FoundRecord, LogQuery, LogStore, StreamKey
from node.usecases.changes import ChangeHub, Topic
from node.usecases.patience import patience

_MAINTENANCE_SECONDS: Final = 120.0


class Logs:
    """The logs of the services on this node's instances, and of its tasks."""

    def __init__(self, store: LogStore, hub: ChangeHub) -> None:
        self._store = store
        self._hub = hub

    async def ingest(self, instance: InstanceName, batch: LogBatch) -> int:
        """Keep a batch durably; the last sequence number now held of its stream. Repeats add nothing."""
        stream = StreamKey(service=batch.service.service, role=batch.service.role, instance=instance, run=batch.run)
        through = await self._store.append(stream, batch.records)
        self._hub.publish(Topic.LOGS, f"service/{batch.service}")
        return through

    async def maintain_for_ever(self) -> None:
        """Merge small blocks now and then, for as long as this runs."""
        while True:
            await asyncio.sleep(_MAINTENANCE_SECONDS)
            async with patience("merging of logs"):
                await self._store.maintain()

    async def search(self, query: LogQuery) -> list[FoundRecord]:
        """The records that match."""
        return await self._store.search(query)

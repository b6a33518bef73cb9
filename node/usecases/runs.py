"""Keeps how the runs of the services on this node's instances went."""

from typing import Final

from federation import limits
from federation.errors import OversizedError
from federation.names import InstanceName, ServiceKey
from federation.run import RunHistory, RunSummary
from node.model.runs import KeptRuns, runs_key
from node.storage.port import Where
from node.storage.repository import Repository
from node.usecases.changes import ChangeHub, Topic

INDEXES: Final = ("instance",)


class Runs:
    """The newest runs of each service on each instance."""

    def __init__(self, kept: Repository[KeptRuns], hub: ChangeHub) -> None:
        self._kept = kept
        self._hub = hub

    async def report(self, name: InstanceName, history: RunHistory) -> None:
        """Keep what the agent of ``name`` tells of one service, instead of what it told before.

        Raises:
            OversizedError: of more services than an instance can have.
        """
        told = KeptRuns(instance=name, service=history.service, runs=history.runs)
        if await self._kept.get(runs_key(told)) is None:
            others = await self._kept.find(Where("instance", "==", name), limit=limits.OFFER_VERSIONS)
            if len(others) >= limits.OFFER_VERSIONS:
                raise OversizedError(f"the runs of at most {limits.OFFER_VERSIONS} services of an instance are kept")
        await self._kept.put(told)
        self._hub.publish(Topic.INSTANCES, name)

    async def of(self, name: InstanceName, service: ServiceKey) -> tuple[RunSummary, ...]:
        """The runs of a service on an instance, newest first; none: it never ran there."""
        kept = await self._kept.get(runs_key(KeptRuns(instance=name, service=service, runs=())))
        return () if kept is None else kept.runs[::-1]

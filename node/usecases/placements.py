"""Keeps which labels an instance must have to run a service."""

from federation import limits
from federation.errors import AbsentError, OversizedError
from federation.names import LabelName, ServiceKey
from node.model.desired import ListKind
from node.model.labels import Placement
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.ordering import BY_KEY


class Placements:
    """The placements of this node."""

    def __init__(self, kept: Repository[Placement], hub: ChangeHub, audit: Audit) -> None:
        self._kept = kept
        self._hub = hub
        self._audit = audit

    async def all(self) -> list[Placement]:
        """All placements by service key."""
        return await self._kept.find(order=BY_KEY)

    async def place(self, key: ServiceKey, labels: tuple[LabelName, ...], *, who: str) -> Placement:
        """Have ``key`` run where all of ``labels`` are, in place of what was said of it before.

        Raises:
            OversizedError: there are ``limits.PLACEMENTS`` of them already.
        """
        if await self._kept.get(key) is None and len(await self.all()) >= limits.PLACEMENTS:
            raise OversizedError(f"more than {limits.PLACEMENTS} placements are refused: forget one first")
        placement = Placement(key=key, labels=tuple(sorted(set(labels))))
        await self._kept.put(placement)
        await self._told(who, "place", f"{key}: {', '.join(placement.labels)}")
        return placement

    async def forget(self, key: ServiceKey, *, who: str) -> None:
        """Forget where ``key`` is to run.

        Raises:
            AbsentError: nothing was said of it.
        """
        if not await self._kept.remove(key):
            raise AbsentError(f"nothing is said of where {key} is to run: 'vupdate service placements' lists them")
        await self._told(who, "forget-placement", key)

    async def _told(self, who: str, what: str, detail: str) -> None:
        await self._audit.record(who, what, detail)
        self._hub.publish(Topic.INSTANCES, "")
        self._hub.publish(Topic.DESIRED, ListKind.CLIENT.value)

"""Answers why a service is as it is here: what its providers list, what was decided and why, how far it came."""

from dataclasses import dataclass
from datetime import datetime

from federation.errors import AbsentError
from federation.names import InstanceName, NodeName, ServiceName
from federation.state import ServiceState
from node.model.desired import ListKind
from node.model.following import Chosen, Followed, Verdict
from node.usecases.adaptation import Adaptation, ClientBuildState
from node.usecases.desired import Desired
from node.usecases.following import Following
from node.usecases.instances import Instances
from node.usecases.links import Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Unheard:
    """A provider whose last look failed: what it lists by now is not known. ``known``: what was verified before is."""

    provider: NodeName
    error: str
    checked: datetime | None
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A service on one instance."""

    instance: InstanceName
    state: ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that decides over one service here. ``desired`` and ``client``: the desired versions; ``chosen``: by whom."""

    service: ServiceName
    verdicts: tuple[Verdict, ...]
    unheard: tuple[Unheard, ...]
    followed: Followed | None
    desired: str | None
    chosen: Chosen | None
    client: str | None
    build: ClientBuildState
    running: tuple[Running, ...]


class Explanations:
    """Explains services."""

    def __init__(
        self,
        *,
        links: Links,
        following: Following,
        desired: Desired,
        adaptation: Adaptation,
        instances: Instances,
    ) -> None:
        self._links = links
        self._following = following
        self._desired = desired
        self._adaptation = adaptation
        self._instances = instances

    async def explain(self, service: ServiceName) -> Explanation:
        """Why ``service`` stands as it does.

        Raises:
            AbsentError: no provider lists it, and nothing of it is desired or runs here.
        """
        verdicts = tuple(one for one in await self._following.verdicts() if one.service == service)
        desired = (await self._desired.current(ListKind.DEVELOPER)).versions.get(service)
        client = (await self._desired.current(ListKind.CLIENT)).versions.get(service)
        followed = await self._following.followed(service)
        running = await self._running(service)
        if not (verdicts or desired or client or followed or running):
            raise AbsentError(f"no provider lists a service {service}, and nothing of it is desired or runs here")
        return Explanation(
            service=service,
            verdicts=verdicts,
            unheard=await self._unheard(),
            followed=followed,
            desired=desired,
            chosen=await self._following.chosen(service),
            client=client,
            build=self._adaptation.state(service),
            running=running,
        )

    async def _unheard(self) -> tuple[Unheard, ...]:
        return tuple(
            Unheard(provider=one.name, error=one.error, checked=one.checked, known=one.catalog is not None)
            for one in await self._links.providers()
            if one.error or one.catalog is None
        )

    async def _running(self, service: ServiceName) -> tuple[Running, ...]:
        return tuple(
            Running(instance=instance.name, state=state)
            for instance in await self._instances.all()
            if instance.state is not None and not instance.revoked
            for state in instance.state.services
            if state.key.service == service
        )

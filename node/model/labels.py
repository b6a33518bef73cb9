"""Decides by labels which services run where: instances have some, and a placement asks for some. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from federation.names import LabelName, ServiceKey, ServiceName
from node.model.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """That a service, or a role of it, runs on the instances that have all of ``labels``, and on no others.

    It is for instances that run all that is desired; what an instance runs by name, it runs whatever its labels are.
    """

    key: ServiceKey
    labels: tuple[LabelName, ...]

    def takes(self, instance: Instance) -> bool:
        """Whether ``instance`` has all its labels."""
        return set(self.labels) <= set(instance.labels)


class Placing:
    """Which of the services that are desired run on which instance."""

    def __init__(self, desired: Iterable[ServiceName], placements: Iterable[Placement]) -> None:
        self._desired = frozenset(desired)
        self._placements = tuple(one for one in placements if one.key.service in self._desired)
        self._free = self._desired - {one.key.service for one in self._placements}

    def due(self, instance: Instance) -> tuple[ServiceKey, ...]:
        """Of what is desired, what ``instance`` is to run, by key; what it awaits from another one is in it."""
        if instance.services is not None:
            return tuple(sorted(key for key in instance.allowed or () if key.service in self._desired))
        placed = {one.key for one in self._placements if one.takes(instance)}
        if instance.fixed is None:
            return tuple(sorted({*placed, *map(ServiceKey, self._free)}))
        return tuple(sorted(key for key in instance.fixed if key in placed or key.service in self._free))

    def told(self, instance: Instance) -> tuple[ServiceKey, ...]:
        """What the agent of ``instance`` is told to run now."""
        awaited = {one.key for one in instance.awaits}
        return tuple(key for key in self.due(instance) if key not in awaited)

"""Decides how a service moves from one instance to another: first it ends here, then it begins there. Pure."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from federation.errors import AbsentError, ConflictError
from federation.names import InstanceName, ServiceKey

if TYPE_CHECKING:
    from node.model.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A service that an instance begins to run once another one, ``source``, no longer has it."""

    key: ServiceKey
    source: InstanceName


def _listed(instance: "Instance") -> tuple[ServiceKey, ...]:
    if instance.services is None:
        raise ConflictError(f"{instance.name} runs all that is desired: say first what it is to run, then move")
    return instance.services


def _without(keys: tuple[ServiceKey, ...], key: ServiceKey) -> tuple[ServiceKey, ...]:
    return tuple(one for one in keys if one != key)


def taken_in(target: "Instance", key: ServiceKey, source: InstanceName, *, waits: bool) -> "Instance":
    """``target`` as it is to run ``key``, at once or when ``source`` has left it.

    Raises:
        ConflictError: it runs all that is desired, or runs this one already, or awaits it from elsewhere,
            or its agent's own file does not allow it.
    """
    target.check_allowed(key)
    held = next((one for one in target.awaits if one.key == key), None)
    if key in _listed(target) and (held is None or held.source != source):
        raise ConflictError(f"{target.name} is to run {key} already")
    others = tuple(one for one in target.awaits if one.key != key)
    awaits = (*others, Awaited(key=key, source=source)) if waits else others
    return replace(target, services=tuple(sorted({*_listed(target), key})), awaits=awaits)


def given_up(source: "Instance", key: ServiceKey, *, waits: bool) -> "Instance":
    """``source`` as it is to leave ``key``.

    Raises:
        AbsentError: it is not to run it.
        ConflictError: it runs all that is desired.
    """
    if key not in _listed(source) and key not in source.leaving:
        raise AbsentError(f"{source.name} is not to run {key}: 'vupdate instance list' shows what it is to run")
    leaving = (*_without(source.leaving, key), key) if waits else _without(source.leaving, key)
    awaits = tuple(one for one in source.awaits if one.key != key)
    return replace(source, services=_without(_listed(source), key), leaving=leaving, awaits=awaits)


def left(source: "Instance") -> tuple[ServiceKey, ...]:
    """Of what ``source`` is leaving, what its agent no longer has: it names each service until nothing of it runs."""
    if source.state is None:
        return ()
    there = {one.key for one in source.state.services}
    return tuple(key for key in source.leaving if key not in there)


def gone(source: "Instance", key: ServiceKey) -> "Instance":
    """``source`` once nothing of ``key`` runs there any more."""
    return replace(source, leaving=_without(source.leaving, key))


def arrived(target: "Instance", key: ServiceKey, source: InstanceName) -> "Instance":
    """``target`` once ``source`` has left ``key``."""
    return replace(target, awaits=tuple(one for one in target.awaits if (one.key, one.source) != (key, source)))

"""Decides which other services of its instance a service waits for before it is started or stopped for an update. Pure.

Only what is on its way is waited for: not what an operator stopped, what failed and was given up, or what is not
ordered here. Two that wait for each other do not wait at all.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from federation.names import ServiceKey
from federation.state import Phase, ServiceState

MOST_SECONDS: Final = 300.0
"""As long as a service waits for the others; then it goes on, so that a fault of one does not hold the rest."""


def _is_on_its_way(state: ServiceState) -> bool:
    given_up = state.failed is not None and state.failed == state.desired
    if state.desired is None or state.halted or given_up or state.phase is Phase.FAILED:
        return False
    return state.phase is not Phase.RUNNING or (state.running != state.desired and not state.held)


def _reached(start: ServiceKey, waiting: Mapping[ServiceKey, Collection[ServiceKey]]) -> Iterator[ServiceKey]:
    """All that ``start`` waits for, directly or by others."""
    seen: set[ServiceKey] = set()
    ahead = [start]
    while ahead:
        for key in waiting.get(ahead.pop(), ()):
            if key not in seen:
                seen.add(key)
                ahead.append(key)
                yield key


def waits_for(
    key: ServiceKey,
    after: Collection[ServiceKey],
    states: Mapping[ServiceKey, ServiceState],
    waiting: Mapping[ServiceKey, Collection[ServiceKey]],
) -> tuple[ServiceKey, ...]:
    """Which of the services named in ``after`` the service ``key`` has to wait for now; ``waiting``: who else waits."""
    return tuple(
        other
        for other in after
        if other in states and _is_on_its_way(states[other]) and key not in _reached(other, waiting)
    )

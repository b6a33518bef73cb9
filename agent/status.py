"""The state of an instance as its disk and the process table tell it, whether an agent runs there or not."""

import contextlib
from datetime import datetime
from pathlib import Path

from agent.home import Home
from agent.journal import Journal
from agent.plan import Slot
from agent.runrecord import last_run
from agent.states import describe
from agent.wishes import read_wish
from federation.assignment import Assignment
from federation.clock import SystemClock
from federation.errors import VUpdateError
from federation.keys import PrivateKey
from federation.names import ServiceKey
from federation.state import InstanceState, ServiceState


def _assignment(home: Home) -> Assignment | None:
    with contextlib.suppress(OSError, VUpdateError):
        reader = PrivateKey.load(home.key).id
        return Assignment.read(home.assignment.read_bytes(), node=home.attached().node_key, reader=reader)
    return None


def _service(home: Home, key: ServiceKey, ordered: Slot | None) -> ServiceState:
    run = last_run(home.unit(key))
    alive = run if run is not None and run.alive else None
    return describe(
        key,
        Journal(home.journal(key)).read(),
        ordered=ordered,
        running=None if alive is None else alive.version,
        run_since=None if alive is None else alive.started,
        wish=read_wish(home.unit(key)),
    )


def read_status(home: Path, now: datetime | None = None) -> InstanceState:
    """What is true of the services in ``home``. Blocking.

    Raises:
        NotEnrolledError: there is no agent.
        CorruptError: a journal or the agent's settings are damaged.
    """
    place = Home.at(home)
    attached = place.attached()
    held = _assignment(place)
    services = () if held is None else held.services
    ordered = {
        one.key: Slot(version=one.version, image=one.image, manifest=one.manifest)
        for one in services
        if attached.allows(one.key)
    }
    return InstanceState(
        at=SystemClock().now() if now is None else now,
        revision=0 if held is None else held.revision,
        services=tuple(_service(place, key, ordered.get(key)) for key in sorted({*place.journaled(), *ordered})),
        problem=place.problem,
        fixed=attached.fixed,
    )

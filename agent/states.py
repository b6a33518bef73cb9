"""Says what is true of a service in the words of ``federation.state``. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from agent.plan import OLD_RUNS, Record, Slot, Step
from agent.wishes import NO_WISH, Wish
from federation.names import ServiceKey
from federation.state import Phase, ServiceState
from federation.versions import ClientVersion

CLEAN_EXIT: Final = "exit status 0"

_PHASES: Final[Mapping[Step, Phase]] = {
    Step.DOWNLOAD: Phase.DOWNLOADING,
    Step.STAGE: Phase.INSTALLING,
    Step.BEFORE_STOP: Phase.INSTALLING,
    Step.STOP: Phase.INSTALLING,
    Step.SWITCH: Phase.INSTALLING,
    Step.AFTER_SWITCH: Phase.INSTALLING,
    Step.START: Phase.STARTING,
    Step.PROBATION: Phase.PROBATION,
    Step.BACK_STOP: Phase.PUTTING_BACK,
    Step.BACK_SWITCH: Phase.PUTTING_BACK,
    Step.LEAVE_STOP: Phase.STOPPED,
    Step.LEAVE_CLEAN: Phase.STOPPED,
}


def _phase_at_rest(record: Record, running: ClientVersion | None, *, ready: bool) -> Phase:
    if record.committed is None:
        return Phase.FAILED if record.failed else Phase.STOPPED
    if running is not None:
        return Phase.RUNNING if ready else Phase.STARTING
    if record.step is Step.BACK_CLEAN:
        return Phase.PUTTING_BACK
    if record.failures:
        return Phase.FAILED
    # An end that its restart policy lets stand.
    return Phase.STOPPED if record.last_exit == CLEAN_EXIT else Phase.STARTING


def describe(
    key: ServiceKey,
    record: Record,
    *,
    ordered: Slot | None,
    running: ClientVersion | None,
    run_since: datetime | None,
    ready: bool = True,
    wish: Wish = NO_WISH,
) -> ServiceState:
    """The state of ``key``; ``running`` is what the process table says, ``run_since`` since when.

    ``ready``: whether it has answered its health check since it was started.
    """
    phase = _PHASES.get(record.step) or _phase_at_rest(record, running, ready=ready)
    if wish.halted and running is None and record.step in OLD_RUNS:
        phase = Phase.STOPPED
    since = max(record.since, run_since) if run_since is not None else record.since
    return ServiceState(
        key=key,
        phase=phase,
        since=since,
        desired=None if ordered is None else ordered.version,
        running=running,
        committed=None if record.committed is None else record.committed.version,
        failed=record.failed,
        error=record.error,
        failures=record.failures,
        last_exit=record.last_exit,
        moved=record.moved,
        halted=wish.halted,
        held=wish.held,
    )

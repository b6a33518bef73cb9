"""Decides what an agent does next for one service: the transition table of an update. Pure.

A ``Record`` is what the journal holds. It is written before the effect of its ``step`` is begun, so that a new agent
that reads it does the same effect again: every effect can be done twice. How effects are done is for ``effects``.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from agent.errors import RestartedError, RetryLaterError, UnfitError
from agent.wishes import Wish
from federation.codec import Moment
from federation.digest import Digest
from federation.errors import InvalidValueError, VUpdateError
from federation.state import Moved
from federation.versions import ClientVersion

ERROR_CHARS: Final = 2000
_RUN_DIGITS: Final = 8
_MOST_HOOKS: Final = 20
_HOOK_CHARS: Final = 100
_MOST_DEFERRALS: Final = 300
_MOST_DEFERRALS_DOWN: Final = 3
_DEFERRED_FOR: Final = timedelta(days=1)
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)


class Step(enum.Enum):
    """What is about to be done, or being done."""

    REST = "rest"
    DOWNLOAD = "download"
    STAGE = "stage"
    BEFORE_STOP = "before-stop"
    STOP = "stop"
    SWITCH = "switch"
    AFTER_SWITCH = "after-switch"
    START = "start"
    PROBATION = "probation"
    COMMIT = "commit"
    BACK_STOP = "put-back-stop"
    BACK_SWITCH = "put-back-switch"
    BACK_CLEAN = "put-back-clean"
    LEAVE_STOP = "leave-stop"
    LEAVE_CLEAN = "leave-clean"


class Outcome(enum.Enum):
    """How an effect ended.

    ``LATER``: it asked to be tried again later, for which ``after`` has its bounds. ``UNFIT``: by the version's fault.
    ``TROUBLE``: by that of its surroundings, so worth a retry. ``RESTARTED``: the machine was, while it went on.
    """

    DONE = "done"
    UNFIT = "unfit"
    LATER = "later"
    TROUBLE = "trouble"
    RESTARTED = "restarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An installed version, or one to install."""

    version: ClientVersion
    image: Digest
    manifest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that an agent must know of a service to go on after any interruption.

    ``begun`` is when the last update was. ``run`` is the id of the last run begun, ``runs`` counts them, ``counted`` is
    the last one whose unexpected end is in ``failures``. ``failed`` is the version that was tried and put back.
    ``deferrals`` counts how often this update's step asked to be tried again later. ``hooks`` are the commands after
    the switch that this update has begun: what they did to the data stays when the old version is put back.
    """

    step: Step = Step.REST
    target: Slot | None = None
    committed: Slot | None = None
    previous: Slot | None = None
    failed: ClientVersion | None = None
    error: str = ""
    run: str = ""
    runs: int = 0
    counted: str = ""
    failures: int = 0
    last_exit: str = ""
    deferrals: int = 0
    hooks: tuple[str, ...] = ()
    moved: Moved | None = None
    begun: Moment = _LONG_AGO
    since: Moment = _LONG_AGO


OLD_RUNS: Final = frozenset({Step.REST, Step.DOWNLOAD, Step.STAGE, Step.BEFORE_STOP, Step.BACK_CLEAN, Step.COMMIT})
"""The steps during which the committed version should run."""

_BEFORE_ANY_CHANGE: Final = frozenset({Step.DOWNLOAD, Step.STAGE, Step.BEFORE_STOP})

_DONE: Final[Mapping[Step, Step]] = {
    Step.REST: Step.REST,
    Step.DOWNLOAD: Step.STAGE,
    Step.STAGE: Step.BEFORE_STOP,
    Step.BEFORE_STOP: Step.STOP,
    Step.STOP: Step.SWITCH,
    Step.SWITCH: Step.AFTER_SWITCH,
    Step.AFTER_SWITCH: Step.START,
    Step.START: Step.PROBATION,
    Step.PROBATION: Step.COMMIT,
    Step.COMMIT: Step.REST,
    Step.BACK_STOP: Step.BACK_SWITCH,
    Step.BACK_SWITCH: Step.BACK_CLEAN,
    Step.BACK_CLEAN: Step.REST,
    Step.LEAVE_STOP: Step.LEAVE_CLEAN,
    Step.LEAVE_CLEAN: Step.REST,
}

_UNFIT: Final[Mapping[Step, Step]] = {
    Step.DOWNLOAD: Step.BACK_CLEAN,
    Step.STAGE: Step.BACK_CLEAN,
    Step.BEFORE_STOP: Step.BACK_CLEAN,
    Step.STOP: Step.BACK_STOP,
    Step.SWITCH: Step.BACK_STOP,
    Step.AFTER_SWITCH: Step.BACK_STOP,
    Step.START: Step.BACK_STOP,
    Step.PROBATION: Step.BACK_STOP,
}
"""Where a fault of the new version leads. The other steps have no new version: there all trouble is retried."""


def outcome_of(error: VUpdateError) -> Outcome:
    """Whose fault ``error`` is."""
    if isinstance(error, RestartedError):
        return Outcome.RESTARTED
    if isinstance(error, RetryLaterError):
        return Outcome.LATER
    return Outcome.UNFIT if isinstance(error, UnfitError | InvalidValueError) else Outcome.TROUBLE


def begin(record: Record, ordered: Slot | None, now: datetime) -> Record | None:
    """What a service at rest does about what is ordered; ``None``: nothing.

    A version that failed is begun again only after another one was ordered.
    """
    if record.step is not Step.REST:
        raise ValueError(f"a service at {record.step.value} begins nothing")
    if ordered is None:
        return replace(record, step=Step.LEAVE_STOP, error="", since=now)
    if record.committed is not None and ordered.version == record.committed.version:
        return replace(record, failed=None, error="", since=now) if record.failed or record.error else None
    if ordered.version == record.failed:
        return None
    return replace(
        record, step=Step.DOWNLOAD, target=ordered, failed=None, error="", deferrals=0, hooks=(), begun=now, since=now
    )


def forgiven(record: Record) -> Record:
    """The record once an operator says that what failed may be tried again."""
    return replace(record, failed=None, error="") if record.step is Step.REST else record


def may_begin(record: Record, ordered: Slot | None, wish: Wish) -> bool:
    """Whether a service at rest may go on to what is ordered. A withdrawal is no update: it is never kept off."""
    committed = None if record.committed is None else record.committed.version
    return not wish.keeps_updates_off or ordered is None or ordered.version == committed


def is_kept_off(record: Record, wish: Wish) -> bool:
    """Whether an update under way is unwanted by now and has not yet changed what runs."""
    return wish.keeps_updates_off and record.step in _BEFORE_ANY_CHANGE


def is_obsolete(record: Record, ordered: Slot | None) -> bool:
    """Whether the update under way is no longer ordered and has not yet changed what runs."""
    wanted = None if ordered is None else ordered.version
    return record.step in _BEFORE_ANY_CHANGE and record.target is not None and record.target.version != wanted


def abandon(record: Record, now: datetime) -> Record:
    """Leave an obsolete update."""
    return replace(record, step=Step.BACK_CLEAN, error="", since=now)


def _deferred(record: Record, error: str, now: datetime) -> Record:
    """The record after a step asked to be tried again later.

    While the old version runs that may go on for a day; while the service is down, for some seconds only.
    """
    most = _MOST_DEFERRALS if record.step in _BEFORE_ANY_CHANGE else _MOST_DEFERRALS_DOWN
    if record.deferrals < most and now - record.begun < _DEFERRED_FOR:
        return replace(record, error=f"retry later: {error}"[:ERROR_CHARS], deferrals=record.deferrals + 1, since=now)
    return after(record, Outcome.UNFIT, f"given up after {record.deferrals} retries: {error}", now)


def _with_hooks(record: Record, error: str) -> str:
    """``error``, and what had been done to the data by then."""
    if not record.hooks:
        return error
    return f"{error}; begun on its data before that, and not undone: {', '.join(record.hooks)}"


def _committed(record: Record, now: datetime) -> Record:
    """Writing this is the commit."""
    took = round(max(0.0, (now - record.begun).total_seconds()), 3)
    return replace(
        record,
        committed=record.target,
        previous=record.committed,
        target=None,
        failures=0,
        last_exit="",
        error="",
        hooks=(),
        moved=None if record.moved is None else replace(record.moved, seconds=took),
        since=now,
    )


def _entered(record: Record, now: datetime) -> Record:
    """What holds once a step is entered because the one before it was done."""
    if record.step is Step.COMMIT:
        return _committed(record, now)
    if record.step is Step.LEAVE_CLEAN:
        return replace(record, committed=None, previous=None, failed=None, since=now)
    if record.step is Step.REST:
        return replace(record, target=None, since=now)
    # On the way back the error still tells why.
    return replace(record, error="" if record.step in _UNFIT else record.error, deferrals=0, since=now)


def after(record: Record, outcome: Outcome, error: str, now: datetime) -> Record:
    """The record that follows once the effect of ``record.step`` has ended so."""
    if outcome is Outcome.DONE:
        return _entered(replace(record, step=_DONE[record.step]), now)
    if outcome is Outcome.RESTARTED and record.step is Step.PROBATION:
        return replace(record, step=Step.START, since=now)
    if outcome is Outcome.LATER:
        return _deferred(record, error, now)
    told = replace(record, error=_with_hooks(record, error)[:ERROR_CHARS], since=now)
    if record.step not in _UNFIT or record.target is None:
        return told
    if outcome is Outcome.UNFIT:
        return replace(told, step=_UNFIT[record.step], failed=record.target.version)
    # Trouble: before anything was changed the same is tried again, later the old version comes back first.
    return told if record.step in _BEFORE_ANY_CHANGE else replace(told, step=_UNFIT[record.step])


def with_hook(record: Record, command: str) -> Record:
    """The record once ``command`` is about to be run after the switch."""
    if command in record.hooks or len(record.hooks) >= _MOST_HOOKS:
        return record
    return replace(record, hooks=(*record.hooks, command[:_HOOK_CHARS]))


def starting(record: Record, run: str) -> Record:
    """The record once a run named ``run`` is about to be started."""
    # Why a version was put back stays told; what kept the committed one from running is over.
    error = record.error if record.failed is not None else ""
    return replace(record, run=run, runs=record.runs + 1, error=error)


def numbered_from(record: Record, runs: int) -> Record:
    """The record with its count of runs not below ``runs``: a service that comes again goes on with its numbers."""
    return replace(record, runs=max(record.runs, runs))


def run_name(record: Record, letters: str) -> str:
    """The id of the next run, unique by ``letters``; ids sort in the order of the runs."""
    return f"{record.runs + 1:0{_RUN_DIGITS}d}-{letters}"


def run_number(run: str) -> int:
    """The number in a run's id; 0 where it has none."""
    number = run.partition("-")[0]
    return int(number) if number.isdecimal() else 0


def counting(record: Record, run: str, *, failures: int, last_exit: str) -> Record:
    """The record once the end of ``run`` is counted."""
    return replace(record, counted=run, failures=failures, last_exit=last_exit[:ERROR_CHARS])


def troubled(record: Record, error: str) -> Record:
    """The record while the committed version can't be kept running."""
    return replace(record, error=error[:ERROR_CHARS])


def with_moved(record: Record, moved: Moved | None) -> Record:
    """The record with what an effect found the update to cost."""
    return replace(record, moved=moved)

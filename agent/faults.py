"""Fault reports: made from how a run ended and what it wrote, kept on the instance, put into the spool for the node.

Whether an end is a fault is for the callers: a planned stop never comes here. The same run gives the same report id,
so a report made again after an interruption is no second fault.
"""

import contextlib
import shutil
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import structlog

from agent import logs, slots
from agent.archive import packed
from agent.condemned import Condemned
from agent.evidence import Evidence, gather
from agent.faulttext import describe
from agent.home import Unit
from agent.hostfacts import look
from agent.intact import damaged
from agent.records import Line, exception_line, stack_trace
from agent.runrecord import End, RunRecord
from agent.sampling import Burst
from agent.spool import Spool
from federation import codec, limits
from federation.circumstances import EarlierFault, HostFacts
from federation.clock import to_text
from federation.fault import FaultReport, Reason
from federation.files import write_atomic
from federation.identity import NodeId
from federation.image import Image
from federation.names import InstanceName
from federation.versions import ClientVersion

REPORT_FILE: Final = "report.json"
TEXT_FILE: Final = "report.txt"
FILES_FOLDER: Final = "files"
BURST_FILE: Final = "burst.json"
_log: Final = structlog.get_logger("agent")
_LINE_CHARS: Final = 4000
_FILE_CHARS: Final = 200
_LOG_BYTES: Final = 2 * limits.MIB
_MESSAGE_CHARS: Final = 1000
_EARLIER_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a supervisor knows of a fault. ``problem`` is set where the agent found it, not the run's end; then
    ``reason`` says of which kind it is.
    """

    run: RunRecord
    occurred: datetime
    in_probation: bool = False
    put_back: ClientVersion | None = None
    problem: str = ""
    reason: Reason = "unhealthy"

    @classmethod
    def of(cls, run: RunRecord, occurred: datetime, fall: Condemned | None) -> Self:
        """The fault that ``run`` ended by; ``fall`` is set where the agent decided so."""
        if fall is None:
            return cls(run=run, occurred=occurred)
        return cls(run=run, occurred=occurred, problem=fall.problem, reason=fall.reason)


def fault_id(agent: NodeId, unit: Unit, run: str) -> str:
    """The id of the one fault that a run can have."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{agent}/{unit.key}/{run}"))


def describe_end(end: End | None) -> str:
    """How a run ended, in a few words."""
    if end is None:
        return "its end was not recorded: killed together with its shim, or the disk took no writes"
    if end.error:
        return f"could not start: {end.error}"
    return f"killed by signal {end.signal}" if end.signal else f"exit status {end.status}"


def _reason(fault: Fault) -> Reason:
    end = fault.run.ended
    if fault.problem:
        return fault.reason
    if end is not None and end.error:
        return "start-failed"
    return "signalled" if end is None or end.signal else "exited"


def _text(line: Line) -> str:
    # Times are kept: a report is read far from the log it was cut from.
    return f"{to_text(line.time)} {line.text}"[:_LINE_CHARS]


def _bounded(lines: list[str]) -> tuple[str, ...]:
    """The last of ``lines`` that stay within the bounds of a report."""
    room = _LOG_BYTES
    kept = []
    for line in reversed(lines[-limits.FAULT_LOG_LINES :]):
        room -= len(codec.encode(line))
        if room < 0:
            break
        kept.append(line)
    return tuple(reversed(kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a report tells of the time and place of a fault."""

    host: HostFacts = field(default_factory=HostFacts)
    earlier: tuple[EarlierFault, ...] = ()
    alike: int = 0
    damaged: tuple[str, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)


def make_report(
    fault: Fault, lines: list[Line], around: Circumstances, *, identity: str, unit: Unit, instance: InstanceName
) -> FaultReport:
    """The report of ``fault`` with the last ``lines`` of its run; ``identity`` is its id."""
    end = fault.run.ended
    message = fault.problem or exception_line(line.text for line in lines) or describe_end(end)
    return FaultReport(
        id=identity,
        service=unit.key,
        version=fault.run.version,
        instance=instance,
        occurred=fault.occurred,
        reason=_reason(fault),
        exit_status=None if end is None or fault.problem else end.status,
        signal=None if fault.problem else "KILL" if end is None else end.signal,
        message=message[:_MESSAGE_CHARS],
        in_probation=fault.in_probation,
        put_back=fault.put_back,
        uptime_seconds=max(0.0, (fault.occurred - fault.run.started).total_seconds()),
        log=_bounded([_text(line) for line in lines]),
        trace=tuple(line[:_LINE_CHARS] for line in stack_trace(lines)[-limits.FAULT_TRACE_LINES :]),
        host=around.host,
        earlier=around.earlier,
        alike=around.alike,
        damaged=_told(around.damaged),
        files=_told(around.evidence.moved),
        left=_told(around.evidence.left),
    )


class FaultDesk:
    """Makes and keeps the fault reports of one agent."""

    def __init__(self, agent: NodeId, instance: InstanceName, spool: Spool) -> None:
        self._agent = agent
        self._instance = instance
        self._spool = spool

    def report(self, unit: Unit, fault: Fault, keep: int, files: tuple[str, ...] = ()) -> FaultReport | None:
        """Keep and spool the report of ``fault``, and the files that match. Blocking.

        ``None``: it was made before, or is one of too many and only counted.
        """
        identity = fault_id(self._agent, unit, fault.run.run)
        kept = unit.faults / identity / REPORT_FILE
        burst = read_burst(unit.faults)
        if kept.exists():
            if burst.last == fault.run.run and burst.untold:
                # Interrupted right after that report was kept.
                keep_burst(unit.faults, burst.told)
            return None
        if burst.last != fault.run.run:
            burst = burst.after(fault.run.run, fault.run.version, fault.occurred)
            keep_burst(unit.faults, burst)
        if not burst.is_full:
            return None
        image = slots.installed_image(unit, fault.run.version)
        around = Circumstances(
            host=look(unit.root, fault.run),
            earlier=_earlier(unit.faults),
            alike=max(0, burst.untold - 1),
            damaged=_damaged(unit, fault.run.version, image),
            evidence=_put_aside(unit, fault.run.version, files, image, kept.parent / FILES_FOLDER),
        )
        report = self._make(unit, fault, identity, around)
        content = codec.encode(report)
        # The spool first: a report that is kept is known to have been spooled.
        self._spool.add(identity, content, _packed(unit, kept.parent / FILES_FOLDER) if report.files else None)
        write_atomic(kept.parent / TEXT_FILE, describe(report).encode())
        write_atomic(kept, content)
        keep_burst(unit.faults, burst.told)
        _prune(unit.faults, keep)
        return report

    def _make(self, unit: Unit, fault: Fault, identity: str, around: Circumstances) -> FaultReport:
        lines = logs.last_lines(unit.logs / fault.run.run, limits.FAULT_LOG_LINES)
        return make_report(fault, lines, around, identity=identity, unit=unit, instance=self._instance)


def _by_age(folder: Path) -> list[Path]:
    """The reports kept in ``folder``, oldest first."""
    return sorted(folder.glob(f"*/{REPORT_FILE}"), key=lambda path: path.stat().st_mtime)


def _earlier(folder: Path) -> tuple[EarlierFault, ...]:
    """The last faults that are kept in ``folder``, newest first; what can't be read is left out."""
    found = []
    for path in reversed(_by_age(folder)[-limits.FAULT_EARLIER :]):
        with contextlib.suppress(OSError, ValueError):
            one = codec.decode(path.read_bytes(), FaultReport)
            said = one.message[:_EARLIER_CHARS]
            found.append(EarlierFault(id=one.id, occurred=one.occurred, version=one.version, message=said))
    return tuple(found)


def read_burst(folder: Path) -> Burst:
    """The crashes counted beside the reports in ``folder``; what is damaged counts from the beginning."""
    try:
        return codec.decode((folder / BURST_FILE).read_bytes(), Burst)
    except (OSError, ValueError):
        return Burst()


def keep_burst(folder: Path, burst: Burst) -> None:
    """Count durably."""
    write_atomic(folder / BURST_FILE, codec.encode(burst))


def _damaged(unit: Unit, version: ClientVersion, image: Image | None) -> tuple[str, ...]:
    """Which files of the version that fell are no longer as signed."""
    found = () if image is None else damaged(unit.version(version), image, limits.FAULT_FILES)
    if found:
        _log.error("files on the disk are not as signed", service=unit.key, version=version, files=found)
    return found


def _put_aside(
    unit: Unit, version: ClientVersion, patterns: tuple[str, ...], image: Image | None, target: Path
) -> Evidence:
    """Move the files that belong to a fault beside its report; where that fails the report is made all the same.

    After an interruption what was moved then is named again.
    """
    if image is None or not patterns:
        return Evidence()
    try:
        evidence = gather(unit.version(version), patterns, image.by_path, target)
    except OSError as error:
        _log.warning("files of a fault not put aside", service=unit.key, error=str(error))
        evidence = Evidence()
    if evidence.left:
        _log.warning("files of a fault left where they are: too many or too large", files=evidence.left)
    there = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    return replace(evidence, moved=tuple(there[: limits.FAULT_FILES]))


def _packed(unit: Unit, folder: Path) -> bytes | None:
    try:
        return packed(folder)
    except OSError as error:
        _log.warning("files of a fault not sent", service=unit.key, error=str(error))
        return None


def _told(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Names of files as a report can say them: a service may have chosen any bytes."""
    return tuple(path.encode("utf-8", "backslashreplace").decode()[:_FILE_CHARS] for path in paths)


def _prune(folder: Path, keep: int) -> None:
    for report in _by_age(folder)[:-keep]:
        shutil.rmtree(report.parent, ignore_errors=True)

"""Fault reports: made from how a run ended and what it wrote, kept on the instance, put into the spool for the node.

Whether an end is a fault is for the callers: a planned stop never comes here. The same run gives the same report id,
so a report made again after an interruption is no second fault.
"""

import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import structlog

from agent import logs, slots
from agent.condemned import Condemned
from agent.evidence import gather
from agent.home import Unit
from agent.records import Line, exception_line
from agent.runrecord import End, RunRecord
from agent.spool import Spool
from federation import codec, limits
from federation.clock import to_text
from federation.fault import FaultReport, Reason
from federation.files import write_atomic
from federation.identity import NodeId
from federation.names import InstanceName
from federation.versions import ClientVersion

REPORT_FILE: Final = "report.json"
FILES_FOLDER: Final = "files"
_log: Final = structlog.get_logger("agent")
_LINE_CHARS: Final = 4000
_LOG_BYTES: Final = 2 * limits.MIB
_MESSAGE_CHARS: Final = 1000


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
        return "killed together with its shim"
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


def make_report(fault: Fault, lines: list[Line], *, identity: str, unit: Unit, instance: InstanceName) -> FaultReport:
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
    )


class FaultDesk:
    """Makes and keeps the fault reports of one agent."""

    def __init__(self, agent: NodeId, instance: InstanceName, spool: Spool) -> None:
        self._agent = agent
        self._instance = instance
        self._spool = spool

    def report(self, unit: Unit, fault: Fault, keep: int, files: tuple[str, ...] = ()) -> FaultReport | None:
        """Keep and spool the report of ``fault``, and the files that match; ``None``: it was made before. Blocking."""
        identity = fault_id(self._agent, unit, fault.run.run)
        kept = unit.faults / identity / REPORT_FILE
        if kept.exists():
            return None
        lines = logs.last_lines(unit.logs / fault.run.run, limits.FAULT_LOG_LINES)
        report = make_report(fault, lines, identity=identity, unit=unit, instance=self._instance)
        content = codec.encode(report)
        if files:
            _put_aside(unit, fault.run.version, files, kept.parent / FILES_FOLDER)
        # The spool first: a report that is kept is known to have been spooled.
        self._spool.add(identity, content)
        write_atomic(kept, content)
        _prune(unit.faults, keep)
        return report


def _put_aside(unit: Unit, version: ClientVersion, patterns: tuple[str, ...], target: Path) -> None:
    """Move the files that belong to a fault beside its report; where that fails the report is made all the same."""
    image = slots.installed_image(unit, version)
    if image is None:
        return
    try:
        evidence = gather(unit.version(version), patterns, image.by_path, target)
    except OSError as error:
        _log.warning("files of a fault not put aside", service=unit.key, error=str(error))
        return
    if evidence.left:
        _log.warning("files of a fault left where they are: too many or too large", files=evidence.left)


def _prune(folder: Path, keep: int) -> None:
    reports = sorted(folder.glob(f"*/{REPORT_FILE}"), key=lambda path: path.stat().st_mtime)
    for report in reports[:-keep]:
        shutil.rmtree(report.parent, ignore_errors=True)

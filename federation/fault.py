"""A fault report: what is known of a crash, as it travels from the agent up to the origin of the version."""

import uuid
from dataclasses import dataclass, field, replace
from typing import Literal

from federation import limits
from federation.circumstances import EarlierFault, HostFacts
from federation.codec import Moment
from federation.errors import InvalidValueError, OversizedError
from federation.identity import NodeId
from federation.names import InstanceName, NodeName, ServiceKey
from federation.versions import ClientVersion

Reason = Literal["exited", "signalled", "unhealthy", "start-failed", "over-limit"]


def _is_uuid(text: str) -> bool:
    """Only the one spelling: another one would be a second report."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _check_paths(paths: tuple[str, ...]) -> None:
    if len(paths) > limits.FAULT_FILES or any(len(path) > limits.FAULT_FILE_CHARS for path in paths):
        raise OversizedError("a fault report names too many files, or one by too long a path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One node on a report's way, in the order in which they received it."""

    node: NodeName
    id: NodeId
    received: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReport:
    """One crash of one service on one instance. ``id`` is a random UUID: the same report arriving twice is one.

    ``trace``: the last stack trace in the log, line by line. ``earlier``: crashes before it, newest first. ``alike``:
    how many since the last report came too fast to be reported each, and are told of by this number only. ``damaged``:
    paths of the version's own files that were not as signed when the report was made. ``files``: what was put aside
    with the report on the host, ``left``: what was too much for it; paths below the version's tree.
    """

    id: str
    service: ServiceKey
    version: ClientVersion
    instance: InstanceName
    occurred: Moment
    reason: Reason
    exit_status: int | None = None
    signal: str | None = None
    message: str = ""
    in_probation: bool = False
    put_back: ClientVersion | None = None
    uptime_seconds: float = 0.0
    log: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()
    host: HostFacts = field(default_factory=HostFacts)
    earlier: tuple[EarlierFault, ...] = ()
    alike: int = 0
    damaged: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    path: tuple[Hop, ...] = ()

    def __post_init__(self) -> None:
        if not _is_uuid(self.id):
            raise InvalidValueError(f"fault id {self.id[:80]!r} is not a UUID in its plain spelling")
        if self.exit_status is not None and abs(self.exit_status) > limits.COUNT:
            raise InvalidValueError(f"{self.exit_status} is not an exit status")
        if len(self.log) > limits.FAULT_LOG_LINES or len(self.path) > limits.FAULT_PATH_HOPS:
            raise OversizedError("a fault report has too many log lines or hops")
        if len(self.trace) > limits.FAULT_TRACE_LINES or len(self.earlier) > limits.FAULT_EARLIER:
            raise OversizedError("a fault report has too long a trace, or too many faults before it")
        for paths in (self.damaged, self.files, self.left):
            _check_paths(paths)
        if not 0 <= self.alike <= limits.COUNT:
            raise InvalidValueError(f"{self.alike} is not a number of crashes")

    def received_by(self, node: NodeName, node_id: NodeId, at: Moment) -> "FaultReport":
        """The report with one more hop.

        Raises:
            InvalidValueError: the node has had it before: a loop.
        """
        if any(hop.id == node_id for hop in self.path):
            raise InvalidValueError(f"fault report {self.id} has been at {node} before")
        return replace(self, path=(*self.path, Hop(node=node, id=node_id, received=at)))

"""A task: any work longer than a request."""

import enum
from dataclasses import dataclass

from federation.codec import Moment
from federation.names import ServiceName


class TaskKind(enum.Enum):
    """What a task does."""

    BUILD = "build"
    CLIENT_BUILD = "client-build"
    PROVIDER_UPDATE = "provider-update"
    PEER_BUILD = "peer-build"
    REBUILD = "rebuild"


class TaskState(enum.Enum):
    """Where a task stands. ``INTERRUPTED``: the node ended while it ran."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (TaskState.QUEUED, TaskState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work with its outcome. ``subject``: the version or provider it is about."""

    id: str
    kind: TaskKind
    title: str
    who: str
    created: Moment
    service: ServiceName | None = None
    subject: str = ""
    state: TaskState = TaskState.QUEUED
    started: Moment | None = None
    ended: Moment | None = None
    error: str = ""
    result: str = ""

"""A task: any work longer than a request."""

import enum
from dataclasses import dataclass

from federation.codec import Moment
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion


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
class Asked:
    """What the one who had a task started asked for: enough to start the same again, and no secret.

    ``version``: the one named; none: whichever is next. ``on``: by which peers, empty for any; none: here.
    ``forced``: an update that an operator told to take what only he may decide.
    """

    service: ServiceName | None = None
    version: DeveloperVersion | None = None
    comment: str = ""
    on: tuple[NodeName, ...] | None = None
    provider: NodeName | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work with its outcome. ``subject``: the version or provider it is about.

    ``asked``: none for what is not started again from here. ``resumed_from``: the task that this one does again.
    """

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
    asked: Asked | None = None
    resumed_from: str = ""

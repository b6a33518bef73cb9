"""Starts work once more that a restart, a failure or a cancel ended, as a new task that names the old one.

What a task was asked for is kept with it; everything else, such as the sources' newest commit, is looked at anew. What
an earlier try had done halfway was swept away, so nothing is gone on with in the middle.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from federation.errors import ConflictError
from node.model.account import Role
from node.model.task import Asked, Task, TaskKind, TaskState
from node.usecases.audit import Audit
from node.usecases.builds import Builds
from node.usecases.client_builds import ClientBuilds
from node.usecases.rebuilds import Rebuilds
from node.usecases.tasks import Tasks
from node.usecases.updates import Updates

_ROLES: Final = {TaskKind.PROVIDER_UPDATE: Role.ADMINISTRATOR}
"""Who may start work of a kind, where it is not a developer."""


class Resuming:
    """Resumes tasks of this node."""

    def __init__(
        self,
        *,
        tasks: Tasks,
        builds: Builds,
        client_builds: ClientBuilds,
        rebuilds: Rebuilds,
        updates: Updates,
        audit: Audit,
    ) -> None:
        self._tasks = tasks
        self._builds = builds
        self._client_builds = client_builds
        self._rebuilds = rebuilds
        self._updates = updates
        self._audit = audit
        # Two who resume the same task at once must not have its work done twice.
        self._turn = asyncio.Lock()

    async def resume(self, task_id: str, *, who: str, admit: Callable[[Role], None]) -> Task:
        """Queue the work of a task that has ended without success once more; ``admit`` lets those of a role pass.

        Raises:
            DeniedError: ``admit`` says so.
            AbsentError: there is no such task; what it is about is not here any more.
            ConflictError: it can't be resumed, or is already.
            ExistsError: the version that it was to build was made meanwhile.
        """
        async with self._turn:
            task = await self._tasks.get(task_id)
            admit(_ROLES.get(task.kind, Role.DEVELOPER))
            asked = _asked(task)
            for one in await self._tasks.again(task_id):
                if not one.state.ended or one.state is TaskState.SUCCEEDED:
                    raise ConflictError(f"{task.title!r} was resumed already, as task {one.id}: see to that one")
            begun = await self._begin(task, asked, who)
        await self._audit.record(who, "resume-task", f"{task.title} ({task_id}) as {begun.id}")
        return begun

    async def _begin(self, task: Task, asked: Asked, who: str) -> Task:
        match task.kind, asked:
            case TaskKind.BUILD, Asked(service=service, version=version, comment=comment, on=on) if service:
                return await self._builds.start(
                    service, version=version, comment=comment, on=on, who=who, resumed_from=task.id
                )
            case TaskKind.CLIENT_BUILD, Asked(service=service) if service:
                return await self._client_builds.start(service, who=who, resumed_from=task.id)
            case TaskKind.REBUILD, Asked(service=service, version=version, on=on) if service and version:
                return await self._rebuilds.start(
                    service, version, on=on or (), here=on is None, who=who, resumed_from=task.id
                )
            case TaskKind.PROVIDER_UPDATE, Asked(provider=provider, forced=forced) if provider:
                return await self._updates.update(provider, who=who, forced=forced, resumed_from=task.id)
        raise ConflictError(f"{task.title!r} can't be resumed: start it anew")


def _asked(task: Task) -> Asked:
    """What ``task`` was asked for, if it is one to resume."""
    if not task.state.ended:
        raise ConflictError(f"{task.title!r} has not ended: cancel it first, or wait for it")
    if task.state is TaskState.SUCCEEDED:
        raise ConflictError(f"{task.title!r} succeeded: there is nothing to resume")
    if task.kind is TaskKind.PEER_BUILD:
        raise ConflictError(f"{task.title!r} is an order of {task.who}, whose node gives it again by itself")
    if task.asked is None:
        raise ConflictError(f"{task.title!r} was begun by an earlier vUpdate, which kept not how: start it anew")
    return task.asked

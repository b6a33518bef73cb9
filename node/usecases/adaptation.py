"""Makes client versions by itself whenever a desired developer version, settings or secrets of this site changed.

That a settings repository has another commit it learns of ``settings_watch``.

What was handled is kept per service, so a restart repeats nothing and an operator's own choice of a client version is
not undone by it. A build that failed is tried again with growing delays, and at once when its inputs change.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from federation import codec
from federation.backoff import Backoff
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import VUpdateError
from federation.names import ServiceName
from federation.profile import SELF
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.settings import SettingsCommit
from node.model.task import Task, TaskKind, TaskState
from node.storage.repository import Repository
from node.usecases.changes import Change, ChangeHub, Topic
from node.usecases.client_builds import ClientBuilds
from node.usecases.desired import Desired
from node.usecases.patience import patience
from node.usecases.private_files import PrivateFiles
from node.usecases.profiles import Profiles
from node.usecases.services import Services
from node.usecases.settings_watch import SettingsWatch
from node.usecases.tasks import Tasks
from node.usecases.versions import Versions

_TOPICS: Final = frozenset({Topic.DESIRED, Topic.SERVICES, Topic.PROFILES})
_LOOK_ANYWAY_SECONDS: Final = 300.0
_WHO: Final = "auto-update"
_WHO_WATCHES: Final = "settings"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """The inputs of the last client build of a service that succeeded."""

    service: ServiceName
    developer: DeveloperVersion
    settings: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A service to adapt. ``moved``: the commits that it was not made of yet; ``only_moved``: for no other reason."""

    inputs: Adapted
    moved: tuple[SettingsCommit, ...] = ()
    only_moved: bool = False

    @property
    def service(self) -> ServiceName:
        return self.inputs.service


@dataclass(slots=True)
class _Failure:
    due: _Due
    count: int
    error: str
    at: datetime
    again: float = field(default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientBuildState:
    """How the client version of a service stands. ``failed``: times in a row, last ``at``, by ``error``."""

    running: bool = False
    failed: int = 0
    error: str = ""
    at: datetime | None = None


class Adaptation:
    """Keeps the client versions of this node in step."""

    def __init__(
        self,
        *,
        kept: Repository[Adapted],
        desired: Desired,
        versions: Versions,
        services: Services,
        private_files: PrivateFiles,
        profiles: Profiles,
        settings: SettingsWatch,
        builds: ClientBuilds,
        tasks: Tasks,
        hub: ChangeHub,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._kept = kept
        self._desired = desired
        self._versions = versions
        self._services = services
        self._private_files = private_files
        self._profiles = profiles
        self._watch = settings
        self._builds = builds
        self._tasks = tasks
        self._hub = hub
        self._clock = clock
        self._backoff = Backoff(first=1.0, most=600.0, rng=rng)
        self._failures: dict[ServiceName, _Failure] = {}
        self._running: set[ServiceName] = set()
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Adapt what needs it for as long as this runs; services do not wait for each other."""
        async with self._hub.subscribe(_TOPICS) as changes, asyncio.TaskGroup() as group:
            group.create_task(self._listen(changes))
            while True:
                self._woken.clear()
                async with patience("client versions"):
                    wanted = await self._wanted()
                    self._forget_failures({due.service for due in wanted})
                    for due in wanted:
                        if self._is_due(due):
                            self._running.add(due.service)
                            group.create_task(self._adapt(due))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._woken.wait()

    def state(self, service: ServiceName) -> ClientBuildState:
        """Whether the client version of ``service`` is being made, and how often that failed since it last worked."""
        running, failure = service in self._running, self._failures.get(service)
        if failure is None:
            return ClientBuildState(running=running)
        return ClientBuildState(running=running, failed=failure.count, error=failure.error, at=failure.at)

    async def _listen(self, changes: AsyncIterator[Change]) -> None:
        async for _ in changes:
            self._woken.set()

    def _pause(self) -> float:
        now = self._clock.monotonic()
        waiting = [failure.again - now for failure in self._failures.values() if failure.again > now]
        return min([_LOOK_ANYWAY_SECONDS, *waiting])

    def _is_due(self, due: _Due) -> bool:
        if due.service in self._running or (due.only_moved and self._tasks.has(TaskKind.CLIENT_BUILD, due.service)):
            return False
        failure = self._failures.get(due.service)
        return failure is None or failure.due != due or failure.again <= self._clock.monotonic()

    def _forget_failures(self, wanted: set[ServiceName]) -> None:
        """What was taken back has not failed any more."""
        for service in self._failures.keys() - wanted - self._running:
            del self._failures[service]

    async def begin_all(self, *, who: str) -> list[Task]:
        """Queue a client build of each service that runs at this site, whether or not anything of it changed.

        Raises:
            ConflictError: too much is queued; what was begun goes on.
        """
        return [await self._builds.start(service, who=who) for service in await self._run_here()]

    async def _wanted(self) -> list[_Due]:
        """Each service that has to be adapted and was not yet."""
        moved, here = await self._watch.moved(), await self._run_here()
        developer = (await self._desired.current(ListKind.DEVELOPER)).developer
        wanted: list[_Due] = []
        for service in sorted(here.keys() | (moved.keys() & developer.keys())):
            inputs = Adapted(service=service, developer=developer[service], settings=await self._settings(service))
            same = service not in here or await self._kept.get(service) == inputs
            if not same or service in moved:
                wanted.append(_Due(inputs=inputs, moved=moved.get(service, ()), only_moved=same))
        return wanted

    async def _run_here(self) -> dict[ServiceName, DeveloperVersion]:
        """The services that run at this site, each with the version to adapt, by name."""
        current = (await self._desired.current(ListKind.DEVELOPER)).developer
        own = (await self._profiles.find(SELF)).services
        found: dict[ServiceName, DeveloperVersion] = {}
        for service, version in sorted(current.items()):
            stored = await self._versions.get(ListKind.DEVELOPER, service, version)
            # What a provider gave is desired because this site wants to run it, whoever made it desired.
            if service in own or stored.received_from is not None:
                found[service] = version
        return found

    async def _settings(self, service: ServiceName) -> Digest:
        """The digest of all that this site adds to ``service``."""
        site = (await self._services.site(service)).content
        private = await self._private_files.fingerprints(service)
        return Digest.of(site + codec.encode(sorted(private.items())) if private else site)

    async def _adapt(self, due: _Due) -> None:
        service = due.service
        try:
            who = _WHO_WATCHES if due.only_moved else _WHO
            task = await self._builds.start(service, who=who, keeps_choice=due.only_moved)
            ended = await self._tasks.wait(task.id)
            failed = "" if ended.state is TaskState.SUCCEEDED else ended.error or ended.state.value
            if not failed:
                await self._kept.put(due.inputs)
        except VUpdateError as error:
            _log.warning("client build was held up", service=service, code=error.code, error=error.message)
            failed = error.message
        if failed:
            self._failed(due, failed)
        else:
            self._failures.pop(service, None)
        # Inputs that changed while it ran are seen by the next look.
        self._running.discard(service)
        self._woken.set()

    def _failed(self, due: _Due, error: str) -> None:
        earlier = self._failures.get(due.service)
        count = earlier.count + 1 if earlier and earlier.due == due else 1
        again = self._clock.monotonic() + self._backoff.delay(count - 1)
        self._failures[due.service] = _Failure(due, count, error, self._clock.now(), again)

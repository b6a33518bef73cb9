"""The agent's process: one TaskGroup with the link, a supervisor for each service, and what is shipped to the node.

When it ends, by a stop or a crash, the services go on; the next agent finds them.
"""

import asyncio
import contextlib
import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import structlog

from agent.assignments import Assignments
from agent.board import Board
from agent.control import Control
from agent.effects import Tools
from agent.errors import AgentRunningError
from agent.faults import FaultDesk
from agent.finding import NodeFinder
from agent.home import Attached, Home, Unit
from agent.install import Installer
from agent.journal import Journal
from agent.link import NodeLink
from agent.notify import this_manager
from agent.orders import Act, Answer, Request, wish_after
from agent.plan import Slot
from agent.queueing import Queue
from agent.runs import Runs
from agent.settings import Place
from agent.shipping import Shipper
from agent.spool import Spool
from agent.supervisor import Supervisor
from agent.trust import NodeTrust
from federation.assignment import Assignment
from federation.backoff import Backoff
from federation.clock import Clock
from federation.errors import AbsentError, VUpdateError
from federation.identity import NodeId
from federation.keys import PrivateKey
from federation.link.client import PeerClient, peer_session
from federation.link.follow import reconnect_backoff
from federation.names import ServiceKey
from federation.state import InstanceState

_FIRST_RETRY_SECONDS: Final = 1.0
_MOST_RETRY_SECONDS: Final = 300.0
_LOCK_SECONDS: Final = 1.0
_LOCK_LOOK_SECONDS: Final = 0.02

_log: Final = structlog.get_logger("agent")

JournalMaker = Callable[[Path], Journal]


def _took(descriptor: int) -> bool:
    """Take the lock. A command that a killed agent was just starting holds it for a moment longer, so this waits."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOCK_LOOK_SECONDS)
        else:
            return True


@contextlib.contextmanager
def only_agent(home: Home) -> Iterator[None]:
    """Be the only agent of ``home`` for as long as the block lasts. Blocking for a moment where there is one.

    Raises:
        AgentRunningError: there is one.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _took(descriptor):
            raise AgentRunningError(f"an agent already runs for {home.root}: stop it first")
        yield
    finally:
        os.close(descriptor)


class Agent:
    """One agent, from its start to its stop."""

    def __init__(
        self,
        home: Home,
        attached: Attached,
        *,
        link: NodeLink,
        finder: NodeFinder,
        identity: NodeId,
        clock: Clock,
        make_journal: JournalMaker,
    ) -> None:
        self._home = home
        self._attached = attached
        self._place = Place(node=attached.node, instance=attached.instance)
        self._clock = clock
        self._rng = random.SystemRandom()
        self._make_journal = make_journal
        self._manager = this_manager()
        spool = Spool(home.spool)
        self._shipper = Shipper(spool, link, self._rng, clock)
        self._desk = FaultDesk(identity, attached.instance, spool)
        self._installer = Installer(link, self._place, clock)
        self._board = Board(link, self._state, self._rng)
        self._queue = Queue(lambda: {key: one.state for key, one in self._supervisors.items()}, self._board.changed)
        self._finder = finder
        self._assignments = Assignments(
            home,
            link,
            self._on_assignment,
            reconnect_backoff(),
            on_problem=self._on_change,
            on_link=finder.connected,
        )
        self._supervisors: dict[ServiceKey, Supervisor] = {}
        self._group = asyncio.TaskGroup()
        self._tasks: dict[ServiceKey, asyncio.Task[None]] = {}

    async def run(self, stop: asyncio.Event, ready: Callable[[], None] | None) -> None:
        """Look after the services until ``stop`` is set."""
        async with self._group as group:
            for key in self._home.journaled():
                self._supervisor(key)
            self._assignments.recall()
            tasks = [
                group.create_task(self._assignments.listen(), name="events"),
                group.create_task(self._assignments.follow(), name="assignment"),
                group.create_task(self._finder.watch(), name="finding the node"),
                group.create_task(self._board.tell(), name="state"),
                group.create_task(self._shipper.ship_faults(), name="faults"),
                group.create_task(self._shipper.ship_logs(self._units), name="logs"),
                group.create_task(self._shipper.ship_runs(self._units), name="runs"),
                group.create_task(Control(self._home, self._obey).serve(), name="control"),
                group.create_task(self._manager.keep_alive(), name="watchdog"),
            ]
            self._manager.ready()
            if ready is not None:
                ready()
            await stop.wait()
            self._manager.stopping()
            for task in [*tasks, *self._tasks.values()]:
                task.cancel()

    async def _obey(self, request: Request) -> Answer:
        """Do what an operator asks for, and tell what is true once it is done."""
        supervisor = self._supervisors.get(request.service)
        if supervisor is None:
            raise AbsentError(f"no service {request.service} is looked after here: `vupdate agent services` lists them")
        _log.info("operator's order", service=request.service, act=request.act.value)
        if request.act is Act.RESTART:
            supervisor.restart()
        elif request.act is Act.RETRY:
            await supervisor.retry()
        elif request.act is Act.REPAIR:
            await supervisor.repair()
        else:
            await supervisor.wish(lambda wish: wish_after(wish, request.act))
        return Answer(state=await supervisor.until(lambda _: supervisor.is_obeyed))

    def _units(self) -> list[Unit]:
        return [self._home.unit(key) for key in self._supervisors]

    def _state(self) -> InstanceState:
        held = self._assignments.held
        return InstanceState(
            at=self._clock.now(),
            revision=0 if held is None else held.revision,
            services=tuple(self._supervisors[key].state for key in sorted(self._supervisors)),
            problem=self._assignments.problem,
            fixed=self._attached.fixed,
        )

    def _on_change(self) -> None:
        self._board.changed()
        self._shipper.hurry()
        self._queue.changed()

    def _on_assignment(self, assignment: Assignment) -> None:
        ordered = {
            one.key: Slot(version=one.version, image=one.image, manifest=one.manifest)
            for one in assignment.services
            if self._attached.allows(one.key)
        }
        _log.info("assignment", revision=assignment.revision, services=len(ordered))
        for key in sorted({*ordered, *self._supervisors}):
            self._supervisor(key).order(ordered.get(key))
        self._on_change()

    # Supervisors

    def _supervisor(self, key: ServiceKey) -> Supervisor:
        """The supervisor of ``key``, made and started where there is none."""
        if key not in self._supervisors:
            unit = self._home.unit(key)
            tools = Tools(
                unit=unit,
                place=self._place,
                clock=self._clock,
                installer=self._installer,
                desk=self._desk,
                runs=Runs(unit),
                queue=self._queue,
            )
            journal = self._make_journal(self._home.journal(key))
            supervisor = Supervisor(tools, journal, on_change=self._on_change, rng=self._rng)
            self._supervisors[key] = supervisor
            self._tasks[key] = self._group.create_task(self._look_after(key, supervisor), name=f"service {key}")
        return self._supervisors[key]

    async def _look_after(self, key: ServiceKey, supervisor: Supervisor) -> None:
        """Run one supervisor to its end; where it fails, the others go on and it is tried again."""
        backoff = Backoff(_FIRST_RETRY_SECONDS, _MOST_RETRY_SECONDS, self._rng)
        attempt = 0
        while not supervisor.is_gone:
            try:
                await supervisor.run()
            except Exception as error:  # noqa: BLE001 - the top of a task
                cause = _first(error)
                supervisor.failure = str(cause) or type(cause).__name__
                # A trace only for what was not foreseen.
                known = isinstance(cause, VUpdateError | OSError)
                _log.error("supervisor failed", service=key, error=str(cause), exc_info=not known)
                self._on_change()
                await asyncio.sleep(max(_FIRST_RETRY_SECONDS, backoff.delay(attempt)))
                attempt += 1
        del self._supervisors[key], self._tasks[key]
        self._on_change()


def _first(error: BaseException) -> BaseException:
    """The first cause inside groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _say_skew(seconds: float) -> None:
    _log.warning(
        "this host's clock is not the node's: requests are signed by the node's; set the clock of one of them",
        node_ahead_seconds=round(seconds),
    )


async def run_agent(
    home: Path,
    clock: Clock,
    *,
    stop: asyncio.Event,
    ready: Callable[[], None] | None = None,
    make_journal: JournalMaker = Journal,
) -> None:
    """Run the agent in ``home`` until ``stop`` is set; its services go on.

    Raises:
        NotEnrolledError: it has no node.
        AgentRunningError: another one runs there.
        CorruptError: its key or settings are damaged.
    """
    place = Home.at(home)
    attached = place.attached()
    key = PrivateKey.load(place.key)
    with only_agent(place):
        async with peer_session() as session:
            # A node takes what is addressed to a key that it had before: the client need not follow as well.
            client = PeerClient(session, attached.url, attached.node_key, key, clock, on_skew=_say_skew)
            trust = NodeTrust(place, attached)
            link = NodeLink(client, trust, key.id)
            finder = NodeFinder(place, client, trust, clock, own=key.id, on_found=link.hurry)
            agent = Agent(
                place, attached, link=link, finder=finder, identity=key.id, clock=clock, make_journal=make_journal
            )
            await agent.run(stop, ready)


async def stop_services(home: Path) -> None:
    """Stop all services in ``home``, by their own signals; for use while no agent runs there.

    Raises:
        AgentRunningError: one does, and would start them again.
    """
    place = Home.at(home)
    with only_agent(place):
        async with asyncio.TaskGroup() as group:
            for key in place.journaled():
                group.create_task(Runs(place.unit(key)).stop())

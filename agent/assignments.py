"""The assignment that an agent holds: verified, never older than before, kept for the time when the node is away."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import structlog

from agent.home import Home
from agent.link import NodeLink, check_order
from agent.threads import unbroken
from federation.assignment import Assignment
from federation.backoff import Backoff
from federation.errors import DiskFullError, StaleError, TamperedError, UnreachableError, VUpdateError
from federation.files import write_atomic
from federation.state import PROBLEM_CHARS

CHECK_SECONDS: Final = 300.0
_EVENTS: Final = frozenset({"connected", "assignment"})

_log: Final = structlog.get_logger("agent")


class Assignments:
    """Keeps the agent's assignment up to date and hands it to ``on_new``."""

    def __init__(
        self,
        home: Home,
        link: NodeLink,
        on_new: Callable[[Assignment], None],
        backoff: Backoff,
        *,
        on_problem: Callable[[], None],
        on_link: Callable[[bool], None],
    ) -> None:
        """``on_problem`` is called whenever ``problem`` has become another one, ``on_link`` as events come or end."""
        self._home = home
        self._on_problem = on_problem
        self._on_link = on_link
        self._link = link
        self._on_new = on_new
        self._backoff = backoff
        self._poke = asyncio.Event()
        self._is_kept = False
        self.held: Assignment | None = None
        self.problem = home.problem
        """Why the node's last word was refused; nothing where it was not."""

    def recall(self) -> None:
        """Take up the assignment held before this start; a damaged one is as none."""
        with contextlib.suppress(FileNotFoundError):
            content = self._home.assignment.read_bytes()
            try:
                self._take(self._link.read_assignment(content))
                self._is_kept = True
            except VUpdateError as error:
                _log.warning("kept assignment unusable, waiting for the node", error=str(error))

    def _take(self, assignment: Assignment) -> None:
        self.held = assignment
        self._on_new(assignment)

    async def listen(self) -> None:
        """Hear of changes; never returns."""
        async with self._link.events(self._on_state, self._on_error) as events:
            async for event in events:
                if event.name in _EVENTS:
                    self._poke.set()

    def _on_state(self, connected: bool) -> None:
        _log.info("link to the node", connected=connected)
        self._on_link(connected)

    def _on_error(self, error: VUpdateError) -> None:
        _log.info("link to the node failed", error=str(error))

    async def follow(self) -> None:
        """Fetch the assignment when told of a change, and now and then in case that was missed; never returns."""
        attempt = 0
        while True:
            await self._wait(CHECK_SECONDS)
            try:
                await self._fetch()
                await self._state("")
                attempt = 0
            except (VUpdateError, OSError) as error:
                level = "info" if isinstance(error, UnreachableError) else "warning"
                getattr(_log, level)("assignment not fetched", error=str(error))
                if isinstance(error, TamperedError | StaleError):
                    await self._state(str(error)[:PROBLEM_CHARS])
                await asyncio.sleep(self._backoff.delay(attempt))
                attempt += 1
                self._poke.set()

    async def _state(self, problem: str) -> None:
        """Let it be seen, here and on the node, why what the node says is refused."""
        if problem == self.problem:
            return
        self.problem = problem
        self._on_problem()
        with contextlib.suppress(OSError, DiskFullError):  # it is said in the log, too
            await unbroken(self._home.keep_problem, problem)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._poke.wait()
        self._poke.clear()

    async def _fetch(self) -> None:
        assignment, content = await self._link.assignment()
        check_order(self.held, assignment)
        if assignment == self.held and self._is_kept:
            return
        try:
            await unbroken(write_atomic, self._home.assignment, content)
            self._is_kept = True
        except (OSError, DiskFullError):
            # Taken up all the same, so that what is ordered fails with its own clear error; kept when there is room.
            self._is_kept = False
            self._take(assignment)
            raise
        self._take(assignment)

"""Decides how the next build is closed in: by what the node's settings ask for, and what this machine can do."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from build.bounds import Bounds
from build.confinement import Confinement
from build.errors import SandboxError


class Confining:
    """``sandbox``: ``on``, ``off``, or ``auto``: with one where the machine can make it.

    ``unavailable`` tells why it can't; empty: it can.
    """

    def __init__(
        self,
        *,
        sandbox: str,
        network: bool,
        tools: tuple[Path, ...],
        bounds: Bounds,
        peers_network: bool,
        peers_without_sandbox: bool,
        unavailable: Callable[[], Awaitable[str]],
    ) -> None:
        self._sandbox = sandbox
        self._network = network
        self._tools = tools
        self._bounds = bounds
        self._peers_network = peers_network
        self._peers_without_sandbox = peers_without_sandbox
        self._unavailable = unavailable
        self._can = False

    async def own(self, log: Callable[[str], None]) -> Confinement:
        """For a build of this node's own services.

        Raises:
            SandboxError: the settings ask for a sandbox, and there can be none.
        """
        if self._sandbox == "off":
            return self._with(sandbox=False)
        problem = await self._problem()
        if problem and self._sandbox == "on":
            raise SandboxError(f'{problem}; or let own builds do without: sandbox = "auto" in [build] of config.toml')
        if problem:
            log(f"no sandbox around this build: {problem}")
        return self._with(sandbox=not problem)

    async def foreign(self) -> Confinement:
        """For a build in the name of a peer: in a sandbox, whatever holds for own builds.

        Raises:
            SandboxError: there can be none, and the settings don't let peers do without by name.
        """
        problem = await self._problem()
        if problem and not self._peers_without_sandbox:
            raise SandboxError(f"no build for a peer without a sandbox: {problem}")
        return replace(self._with(sandbox=not problem), network=self._peers_network)

    async def _problem(self) -> str:
        # What is missing may be installed while the node runs; what is there stays.
        problem = "" if self._can else await self._unavailable()
        self._can = not problem
        return problem

    def _with(self, *, sandbox: bool) -> Confinement:
        return Confinement(sandbox=sandbox, network=self._network, tools=self._tools, bounds=self._bounds)

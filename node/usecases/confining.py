"""Decides how the next build is closed in: by what the node's settings ask for, and what this machine can do."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from build.bounds import Bounds
from build.confinement import Confinement
from build.errors import SandboxError


class Confining:
    """``sandbox``: ``on``, ``off``, or ``auto``: with one where the machine can make it.

    ``unavailable`` tells why it can't; empty: it can. ``unconnected``: why a sandbox can have no network of its own.
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
        unconnected: Callable[[], Awaitable[str]],
    ) -> None:
        self._sandbox = sandbox
        self._network = network
        self._tools = tools
        self._bounds = bounds
        self._peers_network = peers_network
        self._peers_without_sandbox = peers_without_sandbox
        self._unavailable = unavailable
        self._unconnected = unconnected
        self._can = False
        self._can_connect = False

    async def own(self, log: Callable[[str], None]) -> Confinement:
        """For a build of this node's own services.

        Raises:
            SandboxError: the settings ask for a sandbox, and there can be none.
        """
        if self._sandbox == "off":
            return self._with(sandbox=False, network=self._network, lack="")
        problem = await self._problem()
        if problem and self._sandbox == "on":
            raise SandboxError(f'{problem}; or let own builds do without: sandbox = "auto" in [build] of config.toml')
        if problem:
            log(f"no sandbox around this build: {problem}")
        lack = await self._lack() if self._network and not problem else ""
        return self._with(sandbox=not problem, network=self._network, lack=lack)

    async def foreign(self) -> Confinement:
        """For a build in the name of a peer: in a sandbox, whatever holds for own builds; never in the host's network.

        Raises:
            SandboxError: there can be none, and the settings don't let peers do without by name.
        """
        problem = await self._problem()
        if problem and not self._peers_without_sandbox:
            raise SandboxError(f"no build for a peer without a sandbox: {problem}")
        lack = await self._lack() if self._peers_network and not problem else ""
        return self._with(sandbox=not problem, network=self._peers_network and not lack, lack=lack)

    async def _problem(self) -> str:
        # What is missing may be installed while the node runs; what is there stays.
        problem = "" if self._can else await self._unavailable()
        self._can = not problem
        return problem

    async def _lack(self) -> str:
        lack = "" if self._can_connect else await self._unconnected()
        self._can_connect = not lack
        return lack

    def _with(self, *, sandbox: bool, network: bool, lack: str) -> Confinement:
        return Confinement(
            sandbox=sandbox, network=network, no_own_network=lack, tools=self._tools, bounds=self._bounds
        )

"""A local network of network namespaces on one Linux machine: real interfaces, real multicast; root only."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.cli.demo.processes import vupdate

NETWORK = "10.77.0"
_RUN_SECONDS = 60.0
_READY_SECONDS = 40.0
_STOP_SECONDS = 15.0


def missing() -> str:
    """Why there can be no namespaces here; empty: they can be made."""
    if shutil.which("ip") is None:
        return "there is no program ip (iproute2)"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    name = f"vup-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False, timeout=30)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False, timeout=30)
    return "" if made.returncode == 0 else f"network namespaces can't be made: {made.stderr.strip()[:200]}"


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode != 0:
        raise AssertionError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@dataclass
class Host:
    """One namespace: a machine of the network with one address."""

    name: str
    space: str
    folder: Path
    address: str = ""
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / self.name

    def move(self, address: str) -> None:
        """Give the machine another address in place of the present one."""
        _ip("-n", self.space, "addr", "flush", "dev", "eth0")
        _ip("-n", self.space, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", self.space, "route", "replace", "default", "dev", "eth0")
        self.address = address

    def command(self, *arguments: str) -> list[str]:
        """The command line ``arguments`` on this machine."""
        return ["ip", "netns", "exec", self.space, *arguments]

    async def ran(
        self, *arguments: str, given: str = "", more: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Status, output and errors of a program on this machine."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "VUPDATE_DATA": str(self.data), **(more or {})},
        )
        try:
            async with asyncio.timeout(_RUN_SECONDS):
                out, err = await process.communicate(given.encode())
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def vupdate(self, *arguments: str, given: str = "") -> Any:
        """What a command of ours answers, as JSON."""
        status, out, err = await self.ran(*vupdate(*arguments, "--json"), given=given)
        assert status == 0, f"{self.name}: vupdate {' '.join(arguments)}: {err or out}"
        return json.loads(out)

    async def start(self, name: str, *arguments: str, more: Mapping[str, str] | None = None) -> str:
        """Start a program that goes on running; the first line that it prints."""
        with (self.folder / f"{self.name}-{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self.command(*arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "VUPDATE_DATA": str(self.data), **(more or {})},
            )
        self.processes[name] = process
        assert process.stdout is not None
        async with asyncio.timeout(_READY_SECONDS):
            line = (await process.stdout.readline()).decode()
        assert line, f"{self.name}: {name} did not start: {self.log(name)}"
        return line

    async def serve(self) -> None:
        """Start this machine's node."""
        await self.start("node", *vupdate("serve", "--json"))

    def log(self, name: str = "node") -> str:
        """The end of what a program told."""
        path = self.folder / f"{self.name}-{name}.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    async def stop(self, name: str, *, kill: bool = False) -> None:
        """End one program, by its process id."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            process.kill() if kill else process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@contextlib.contextmanager
def _bridge() -> Iterator[str]:
    """A namespace that holds nothing but the bridge between the others."""
    space = f"vup-{os.getpid()}-lan"
    _ip("netns", "add", space)
    try:
        _ip("-n", space, "link", "add", "lan", "type", "bridge", "mcast_snooping", "0")
        _ip("-n", space, "link", "set", "lan", "up")
        yield space
    finally:
        _ip("netns", "del", space)


def _attach(bridge: str, host: Host, number: int) -> None:
    _ip("-n", host.space, "link", "set", "lo", "up")
    _ip("-n", host.space, "link", "add", "eth0", "type", "veth", "peer", "name", f"port{number}", "netns", bridge)
    _ip("-n", bridge, "link", "set", f"port{number}", "master", "lan", "up")
    _ip("-n", host.space, "link", "set", "eth0", "up")
    host.move(f"{NETWORK}.{number}")


@contextlib.asynccontextmanager
async def local_network(folder: Path, *names: str) -> AsyncIterator[list[Host]]:
    """Machines ``names`` on one network; their programs end and their namespaces go with the block."""
    hosts = [Host(name, f"vup-{os.getpid()}-{name}", folder) for name in names]
    with contextlib.ExitStack() as spaces:
        bridge = spaces.enter_context(_bridge())
        for number, host in enumerate(hosts, start=1):
            _ip("netns", "add", host.space)
            spaces.callback(_ip, "netns", "del", host.space)
            _attach(bridge, host, number)
        try:
            yield hosts
        finally:
            for host in hosts:
                for name in list(host.processes):
                    await host.stop(name)

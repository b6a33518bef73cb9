"""Tells the service manager how the agent fares: sd_notify(3), over the datagram socket that systemd names.

Without ``NOTIFY_SOCKET`` in the environment nothing is told. The service manager starts an agent anew that no longer
says it is alive; that is said from the agent's own event loop, so a loop that hangs is silent.
"""

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Final, Self

import structlog

_MICROSECONDS: Final = 1_000_000
_LOOKS_PER_WATCHDOG: Final = 3

_log: Final = structlog.get_logger("agent")


class Manager:
    """The service manager that started this process, or none."""

    def __init__(self, address: str, watchdog_seconds: float | None) -> None:
        self._address = address
        self._watchdog_seconds = watchdog_seconds

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int) -> Self:
        """The manager that ``environment`` names to the process ``pid``."""
        address = environment.get("NOTIFY_SOCKET", "")
        micro, meant = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", str(pid))
        seconds = int(micro) / _MICROSECONDS if micro.isdecimal() and meant == str(pid) else 0.0
        return cls(address if address[:1] in ("/", "@") else "", seconds or None)

    def tell(self, *assignments: str) -> None:
        """Send ``NAME=value`` lines. A manager that can't be reached is no reason to end."""
        if not self._address:
            return
        # In an abstract name a NUL stands first, written as @.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(assignments).encode(), address)
        except OSError as error:
            _log.warning("service manager not told", error=str(error))

    def ready(self) -> None:
        """The agent looks after its services by now."""
        self.tell("READY=1", "STATUS=looking after services")

    def stopping(self) -> None:
        """The agent ends; its services go on."""
        self.tell("STOPPING=1", "STATUS=ending; services go on")

    async def keep_alive(self) -> None:
        """Say that the agent is alive for as long as it is; never returns."""
        if self._watchdog_seconds is None:
            await asyncio.Event().wait()
            return
        while True:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / _LOOKS_PER_WATCHDOG)


def this_manager() -> Manager:
    """The manager of this process."""
    return Manager.of(os.environ, os.getpid())

"""Keeps the files that agents of this node send along with fault reports, within a budget: the oldest give way.

They stay on this node: what a service wrote into its dumps can't be redacted, so it goes to nobody by itself.
"""

import asyncio
from pathlib import Path
from typing import Final

from federation import limits
from federation.errors import AbsentError, DeniedError, InvalidValueError, OversizedError
from federation.files import write_atomic
from federation.names import InstanceName
from node.usecases.audit import Audit
from node.usecases.faults import Faults

_SUFFIX: Final = ".tar.gz"
_GZIP: Final = b"\x1f\x8b"


class FaultFiles:
    """The archives in ``folder``, one for each report that has one; together at most ``most_bytes``."""

    def __init__(
        self, folder: Path, faults: Faults, audit: Audit, *, most_bytes: int = limits.FAULT_FILES_KEPT
    ) -> None:
        self._folder = folder
        self._faults = faults
        self._audit = audit
        self._most_bytes = most_bytes
        self._keeping = asyncio.Lock()

    async def take(self, instance: InstanceName, fault: str, archive: bytes) -> None:
        """Keep the ``archive`` (a gzipped tar file) of a report that ``instance`` has sent; twice is once.

        Raises:
            AbsentError: there is no such report.
            DeniedError: it is of another instance, or came from another node.
            InvalidValueError, OversizedError: it is no archive, or too large.
        """
        report = (await self._faults.get(fault)).report
        if report.instance != instance or len(report.path) != 1:
            raise DeniedError("an agent sends the files of its own instance's faults only")
        if len(archive) > limits.FAULT_ARCHIVE_BYTES:
            raise OversizedError(f"files of a fault have at most {limits.FAULT_ARCHIVE_BYTES} bytes, packed")
        if not archive.startswith(_GZIP):
            raise InvalidValueError("the files of a fault come as a gzipped tar file")
        async with self._keeping:
            await asyncio.to_thread(self._keep, report.id, archive)

    def _keep(self, fault: str, archive: bytes) -> None:
        write_atomic(self._folder / f"{fault}{_SUFFIX}", archive, mode=0o600)
        room = self._most_bytes
        for path in sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            room -= path.stat().st_size
            if room < 0:
                path.unlink(missing_ok=True)

    async def read(self, fault: str, *, who: str) -> bytes:
        """The archive of a report.

        Raises:
            AbsentError: there is no such report, or no archive of it here.
        """
        report = (await self._faults.get(fault)).report
        try:
            found = await asyncio.to_thread((self._folder / f"{report.id}{_SUFFIX}").read_bytes)
        except FileNotFoundError as error:
            raise AbsentError(
                "no files of this report are here: it names none, they are too large and stay on their host, "
                "they were not sent yet, or they made room for newer ones"
            ) from error
        await self._audit.record(who, "read-fault-files", report.id)
        return found

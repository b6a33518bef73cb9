"""Private files in a collection of any document storage: what may be shown in the body, the sealed content beside it.

The key is not in the storage, so whoever gets hold of the database alone, or of a backup of it, learns no content. An
older record of the same file can be put back unnoticed by who may write there.
"""

import asyncio
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from federation.codec import encode, from_document, to_document
from federation.errors import AbsentError, CorruptError, InvalidValueError
from federation.names import PrivateFileName, ServiceName
from node.model.private import PrivateFile
from node.storage.fields import KEY
from node.storage.port import Order, Query, Storage, Stored, Where
from node.storage.sealing import SealingKey, SealingKeyFile

_FORMAT: Final = "vupdate-private-file-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Putting:
    """Who puts a private file of which name for which service, when, and where it goes in client versions."""

    service: ServiceName
    name: PrivateFileName
    into: str | None
    at: datetime
    by: str


class PrivateFileStore:
    """The private files of one node. One process writes, one change after the other."""

    def __init__(self, storage: Storage, key: SealingKeyFile) -> None:
        """In the collection ``private_files`` of ``storage``; ``key`` is read anew each time."""
        self._files = storage.collection("private_files", ("service",))
        self._key = key

    async def of_service(self, service: ServiceName) -> list[PrivateFile]:
        """Those of ``service``, by name.

        Raises:
            CorruptError: what is stored can't be read.
        """
        query = Query(where=(Where("service", "==", service),), order=(Order(KEY),), blobs=False)
        return [_file(stored) for stored in await self._files.find(query)]

    async def put(self, putting: Putting, content: bytes) -> PrivateFile:
        """Keep ``content``, in place of what was kept under that name.

        Raises:
            CorruptError: the key can't be used.
            DiskFullError: no room.
            InvalidValueError: empty, or too large.
        """
        file, sealed = await asyncio.to_thread(self._sealed, putting, content)
        present = await self._files.get(file.key)
        if present is None:
            await self._files.insert(file.key, to_document(file), sealed)
        else:
            await self._files.replace(file.key, to_document(file), present.revision, sealed)
        return file

    async def read(self, service: ServiceName, name: PrivateFileName) -> tuple[PrivateFile, bytes]:
        """One with its content.

        Raises:
            AbsentError: there is none of this name.
            CorruptError: it is damaged, was stored for something else, or the key is not the one it was sealed by.
        """
        stored = await self._files.get(f"{service}/{name}")
        if stored is None:
            raise AbsentError(f"this node keeps no private file {name!r} for {service}")
        return await asyncio.to_thread(self._opened, stored, service, name)

    async def remove(self, service: ServiceName, name: PrivateFileName) -> bool:
        """Keep it no more; whether there was one."""
        return await self._files.delete(f"{service}/{name}")

    def _sealed(self, putting: Putting, content: bytes) -> tuple[PrivateFile, bytes]:
        key = self._key.obtain()
        file = PrivateFile(
            service=putting.service,
            name=putting.name,
            into=putting.into,
            size=len(content),
            at=putting.at,
            by=putting.by,
            fingerprint=_fingerprint(key, putting.service, putting.name, content),
        )
        return file, key.seal(content, _about(file.service, file.name, file.into))

    def _opened(self, stored: Stored, service: ServiceName, name: PrivateFileName) -> tuple[PrivateFile, bytes]:
        # Bound to the name asked for, not to the one in the record, which could be another's.
        file = _file(stored)
        try:
            key = self._key.load()
            content = key.open(stored.blob or b"", _about(service, name, file.into))
        except CorruptError as error:
            raise CorruptError(
                f"the private file {name!r} of {service} can't be opened: {error}; or put it again"
            ) from error
        found = _fingerprint(key, service, name, content)
        if not hmac.compare_digest(found, file.fingerprint) or (file.service, file.name) != (service, name):
            raise CorruptError(
                f"what is stored of the private file {name!r} of {service} does not fit together: put it again"
            )
        return file, content


def _file(stored: Stored) -> PrivateFile:
    try:
        return from_document(stored.body, PrivateFile)
    except InvalidValueError as error:
        raise CorruptError(f"what is stored of the private file {stored.key!r} can't be read: put it again") from error


def _about(*parts: str | None) -> bytes:
    """What a record is about, in one spelling that no other is the beginning of: a list in JSON."""
    return encode([_FORMAT, *parts])


def _fingerprint(key: SealingKey, service: ServiceName, name: PrivateFileName, content: bytes) -> str:
    return key.fingerprint(content, _about(service, name))

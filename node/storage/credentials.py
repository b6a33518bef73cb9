"""Credentials for Git servers in a collection of any document storage: sealed, what may be shown beside it.

The key is not in the storage, so whoever gets hold of the database alone, or of a backup of it, learns no secret.
"""

import asyncio
import base64
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from build.credentials import Credential, Reach
from federation.codec import decode, encode, from_document, to_document
from federation.errors import AbsentError, CorruptError, InvalidValueError
from node.model.credential import CredentialKind, GitCredential
from node.storage.fields import KEY
from node.storage.port import Order, Query, Storage, Stored
from node.storage.sealing import SealingKey, SealingKeyFile

_FORMAT: Final = "vupdate-git-credential-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    """What is sealed; both in base64."""

    secret: str
    known_hosts: str


class CredentialStore:
    """The credentials of one node. One process writes, one change after the other."""

    def __init__(self, storage: Storage, key: SealingKeyFile) -> None:
        """In the collection ``git_credentials`` of ``storage``; ``key`` is read anew each time."""
        self._kept = storage.collection("git_credentials", ())
        self._key = key

    async def all(self) -> list[GitCredential]:
        """All of them, by prefix.

        Raises:
            CorruptError: what is stored can't be read.
        """
        return [_shown(stored) for stored in await self._kept.find(Query(order=(Order(KEY),), blobs=False))]

    async def put(self, credential: Credential, *, at: datetime, by: str) -> GitCredential:
        """Keep ``credential``, in place of what was kept for its prefix.

        Raises:
            CorruptError: the key can't be used.
            DiskFullError: no room.
        """
        shown, sealed = await asyncio.to_thread(self._sealed, credential, at, by)
        present = await self._kept.get(shown.prefix)
        if present is None:
            await self._kept.insert(shown.prefix, to_document(shown), sealed)
        else:
            await self._kept.replace(shown.prefix, to_document(shown), present.revision, sealed)
        return shown

    async def read(self, reach: Reach) -> Credential:
        """The one for this very prefix, with its secret.

        Raises:
            AbsentError: there is none.
            CorruptError: it is damaged, was stored for something else, or the key is not the one it was sealed by.
        """
        stored = await self._kept.get(reach.text)
        if stored is None:
            raise AbsentError(f"this node keeps no credential for {reach.text}")
        return await asyncio.to_thread(self._opened, stored, reach)

    async def remove(self, reach: Reach) -> bool:
        """Keep it no more; whether there was one."""
        return await self._kept.delete(reach.text)

    def _sealed(self, credential: Credential, at: datetime, by: str) -> tuple[GitCredential, bytes]:
        key, reach = self._key.obtain(), credential.reach
        content = encode(_Sealed(secret=_text(credential.secret), known_hosts=_text(credential.known_hosts)))
        shown = GitCredential(
            prefix=reach.text,
            kind=CredentialKind.of(reach),
            user=credential.user,
            known_hosts=bool(credential.known_hosts),
            at=at,
            by=by,
            fingerprint=_fingerprint(key, credential),
        )
        return shown, key.seal(content, _about(reach.text, credential.user))

    def _opened(self, stored: Stored, reach: Reach) -> Credential:
        # Bound to the prefix asked for, not to the one in the record, which could be another's.
        shown = _shown(stored)
        try:
            key = self._key.load()
            sealed = decode(key.open(stored.blob or b"", _about(reach.text, shown.user)), _Sealed)
        except (CorruptError, InvalidValueError) as error:
            raise CorruptError(f"the credential for {reach.text} can't be opened: {error}; or put it again") from error
        secret, known_hosts = base64.b64decode(sealed.secret), base64.b64decode(sealed.known_hosts)
        found = Credential(reach=reach, user=shown.user, secret=secret, known_hosts=known_hosts)
        if not hmac.compare_digest(_fingerprint(key, found), shown.fingerprint) or shown.prefix != reach.text:
            raise CorruptError(f"what is stored of the credential for {reach.text} does not fit together: put it again")
        return found


def _shown(stored: Stored) -> GitCredential:
    try:
        return from_document(stored.body, GitCredential)
    except InvalidValueError as error:
        raise CorruptError(f"what is stored of the credential {stored.key!r} can't be read: put it again") from error


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _about(*parts: str) -> bytes:
    """What a record is about, in one spelling that no other is the beginning of: a list in JSON."""
    return encode([_FORMAT, *parts])


def _fingerprint(key: SealingKey, credential: Credential) -> str:
    return key.fingerprint(credential.secret, _about(credential.reach.text))

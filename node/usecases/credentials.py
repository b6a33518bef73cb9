"""Keeps the credentials for Git servers, and gives them to the Git of this node's own builds.

Each is for a prefix of addresses, of which the longest that fits is used. What a peer orders is built without any of
them; what a builder of ours is given of them, ``handing_over`` says.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

from build.credential_check import checked
from build.credentials import Credential, CredentialSource, Reach, longest
from build.errors import SourceError
from build.giturl import GitUrl
from federation.clock import Clock
from federation.errors import AbsentError, InvalidValueError
from node.model.credential import GitCredential
from node.storage.credentials import CredentialStore
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic

CREDENTIALS: Final = 200


class Credentials(CredentialSource):
    """The credentials of this node. ``find`` alone hands out a secret, and is for Git alone."""

    def __init__(self, store: CredentialStore, hub: ChangeHub, audit: Audit, clock: Clock) -> None:
        self._store = store
        self._hub = hub
        self._audit = audit
        self._clock = clock
        self._changing = asyncio.Lock()

    async def all(self) -> list[GitCredential]:
        """All of them, by prefix, without their secrets."""
        return await self._store.all()

    async def put(
        self, prefix: str, secret: bytes, *, user: str = "", known_hosts: bytes = b"", who: str
    ) -> GitCredential:
        """Keep ``secret`` for the repositories whose addresses begin with ``prefix``.

        Of HTTPS it is the token or password of ``user``, a line break at its end aside; of SSH a private key.
        ``known_hosts``: the keys of the SSH host, as ``ssh-keyscan`` writes them.

        Raises:
            InvalidValueError: it is not of the form that the transport needs, or there are too many.
            OversizedError: it is too large.
            CorruptError, DiskFullError: it can't be kept.
        """
        reach = Reach.read(prefix)
        given = checked(reach, secret, user=user, known_hosts=known_hosts)
        async with self._changing:
            kept = {one.prefix for one in await self._store.all()}
            if len(kept | {reach.text}) > CREDENTIALS:
                raise InvalidValueError(f"this node keeps {CREDENTIALS} credentials, and no more")
            shown = await self._store.put(given, at=self._clock.now(), by=who)
        await self._changed(reach, "put-credential", who)
        return shown

    async def remove(self, prefix: str, *, who: str) -> None:
        """Keep a credential no more.

        Raises:
            AbsentError: there is none for this very prefix.
        """
        reach = Reach.read(prefix)
        if not await self._store.remove(reach):
            raise AbsentError(f"this node keeps no credential for {reach.text}")
        await self._changed(reach, "remove-credential", who)

    async def _changed(self, reach: Reach, action: str, who: str) -> None:
        await self._audit.record(who, action, reach.text)
        self._hub.publish(Topic.SERVICES)

    # For builds.

    async def find(self, url: GitUrl) -> Credential | None:
        """The one for ``url``, with its secret. An address that holds a name or password of its own needs none."""
        reach = None if url.header else longest([one.reach for one in await self._store.all()], url)
        return None if reach is None else await self._store.read(reach)

    async def hint(self, urls: Iterable[str]) -> str:
        """What to add to the failure of a peer that was to fetch ``urls``: which of them are open to this node only."""
        reaches = [one.reach for one in await self._store.all()]
        closed = sorted({url for url in urls if _covered(reaches, url)})
        if not closed:
            return ""
        return (
            f"; this node reaches {', '.join(closed[:5])} by a credential, which that peer is not given: "
            "if it can't fetch it, build here, or let it have the credential by 'vupdate service entrust'"
        )


def _covered(reaches: list[Reach], url: str) -> bool:
    try:
        return longest(reaches, GitUrl.read(url)) is not None
    except SourceError:
        return False

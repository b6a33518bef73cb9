"""What an asker hands over for one order at this node: kept in memory only, for that build only.

Its build waits for it: for credentials before the first source is fetched, where the order says that they come, and
for the private files once the recipe has named them.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from build.credential_check import checked
from build.credentials import Credential, CredentialSource, Reach, longest
from build.errors import BuildFailedError
from build.giturl import GitUrl
from build.private import PrivateSource
from federation import codec
from federation.errors import AbsentError, ConflictError, InvalidValueError, TamperedError
from federation.keys import PrivateKey
from federation.link.builds import HandedCredential, HandOver
from federation.link.sealing import Purpose, SealingKey
from federation.names import PrivateFileName

_T = TypeVar("_T")

WAIT_SECONDS: Final = 120.0
"""So long a build waits for what it needs, however long its asker goes on asking."""


class HandedOver(CredentialSource, PrivateSource):
    """What was handed over for one order. ``news``: called when the build begins to wait for something."""

    def __init__(self, purpose: Purpose, key: PrivateKey, *, credentials: bool, news: Callable[[], None]) -> None:
        self._key = SealingKey.fresh(purpose)
        self.statement = self._key.statement(key)
        self.wants: tuple[PrivateFileName, ...] = ()
        self.any_credentials = credentials
        self._news = news
        self._credentials: asyncio.Future[dict[Reach, Credential]] = asyncio.get_running_loop().create_future()
        self._files: asyncio.Future[dict[PrivateFileName, bytes]] = asyncio.get_running_loop().create_future()
        if not credentials:
            self._credentials.set_result({})

    def take(self, sealed: bytes) -> None:
        """Open what the asker sent.

        Raises:
            TamperedError: it is not sealed to this node for this order, or not of the form.
            ConflictError: nothing (more) is wanted.
        """
        try:
            found = codec.decode(self._key.open(sealed), HandOver)
            credentials = {one.reach: one for one in map(_credential, found.credentials)}
        except InvalidValueError as error:
            # Without its words, which may quote a secret.
            raise TamperedError("what was handed over is not of the form that it should be: refused") from error
        if self.any_credentials and not self._credentials.done():
            self._credentials.set_result(credentials)
        elif self.wants and not self._files.done():
            self._files.set_result({one.name: one.content for one in found.files})
            self.wants = ()
        else:
            raise ConflictError("nothing is to be handed over for this order now")

    async def find(self, url: GitUrl) -> Credential | None:
        kept = await self._wait(self._credentials, "credentials of its sources")
        reach = None if url.header else longest(kept, url)
        return None if reach is None else kept[reach]

    async def missing(self, wanted: frozenset[PrivateFileName]) -> frozenset[PrivateFileName]:
        self.wants = tuple(sorted(wanted))
        self._news()
        return wanted - (await self._wait(self._files, "private files")).keys()

    async def read(self, name: PrivateFileName) -> bytes:
        content = (await self._wait(self._files, "private files")).get(name)
        if content is None:
            raise AbsentError(f"the private file {name!r} was not handed over")
        return content

    async def _wait(self, coming: asyncio.Future[_T], what: str) -> _T:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await asyncio.shield(coming)
        except TimeoutError as error:
            raise BuildFailedError(f"the {what} that this build needs were not handed over in time") from error


def _credential(one: HandedCredential) -> Credential:
    return checked(Reach.read(one.reach), one.secret, user=one.user, known_hosts=one.known_hosts)

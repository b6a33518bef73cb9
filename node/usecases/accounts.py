"""Lets people in: one-time log-in links, sessions, and the token of the operator's own command line."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from federation import codec
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, DeniedError
from node.model.account import LoginLink, Person, Role, Session
from node.storage.port import Where
from node.storage.repository import Repository
from node.usecases.audit import Audit

_LINK_VALID: Final = timedelta(minutes=15)
_SESSION_VALID: Final = timedelta(hours=12)
_OPERATOR: Final = Person(name="operator", role=Role.ADMINISTRATOR)


class LoginError(DeniedError):
    """A log-in link that is expired, used or unknown."""

    code = "login"


@dataclass(frozen=True, slots=True)
class NewSession:
    """A fresh session: its cookie's secret, shown once, and how long it lasts."""

    secret: str
    valid_seconds: int


def _digest(secret: str) -> Digest:
    return Digest.of(secret.encode())


class Accounts:
    """Who may use this node's API. ``access_token`` is new at each start and never stored."""

    def __init__(
        self, *, url: str, links: Repository[LoginLink], sessions: Repository[Session], audit: Audit, clock: Clock
    ) -> None:
        self._url = url
        self._links = links
        self._sessions = sessions
        self._audit = audit
        self._clock = clock
        self.access_token: Final = secrets.token_urlsafe(32)

    async def login_link(self, role: Role, *, who: str) -> tuple[str, datetime]:
        """A link that logs its reader in once, and until when; its secret stands in the fragment, never in a log."""
        secret = secrets.token_urlsafe(32)
        expires = self._clock.now() + _LINK_VALID
        person = Person(name=role.value, role=role)
        await self._links.add(LoginLink(secret=_digest(secret), person=person, expires=expires))
        await self._audit.record(who, "login-link", role.value)
        return f"{self._url}/#/login/{secret}", expires

    async def login(self, secret: str) -> NewSession:
        """Use a log-in link.

        Raises:
            LoginError: expired, used or unknown.
        """
        now = self._clock.now()

        def used(link: LoginLink) -> LoginLink:
            if link.used or now >= link.expires:
                raise LoginError("this log-in link was used or has expired: run 'vupdate login' for a new one")
            return replace(link, used=True)

        try:
            link = await self._links.change(_digest(secret), used)
        except AbsentError as error:
            raise LoginError("this log-in link is unknown here: run 'vupdate login' for a new one") from error
        await self._forget_expired(now)
        cookie = secrets.token_urlsafe(32)
        expires = now + _SESSION_VALID
        await self._sessions.add(Session(secret=_digest(cookie), person=link.person, created=now, expires=expires))
        await self._audit.record(link.person.name, "login")
        return NewSession(cookie, int(_SESSION_VALID.total_seconds()))

    async def logout(self, cookie: str) -> None:
        """End a session."""
        await self._sessions.remove(_digest(cookie))

    async def person_of_session(self, cookie: str) -> Person | None:
        """Who is logged in by ``cookie``."""
        session = await self._sessions.get(_digest(cookie))
        if session is None or self._clock.now() >= session.expires:
            return None
        return session.person

    def person_of_token(self, token: str) -> Person | None:
        """Who calls by ``token``: the operator on the node's own machine, or nobody."""
        return _OPERATOR if secrets.compare_digest(token.encode(), self.access_token.encode()) else None

    async def _forget_expired(self, now: datetime) -> None:
        expired = Where("expires", "<", codec.moment_text(now))
        for link in await self._links.find(expired, limit=100):
            await self._links.remove(link.secret)
        for session in await self._sessions.find(expired, limit=100):
            await self._sessions.remove(session.secret)

"""Who calls, and what may be used to answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import strawberry

from federation.errors import DeniedError
from node.model.account import Person
from node.usecases import Usecases


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request, or one WebSocket from its handshake on.

    ``person``: the caller; ``None``: nobody is logged in. ``renewed`` finds the caller again while a subscription
    lasts, so that one that has lost its right ends; ``None``: the right can't be lost.
    """

    usecases: Usecases
    person: Person | None
    renewed: Callable[[], Awaitable[Person | None]] | None = None

    @property
    def who(self) -> str:
        """The caller's name, for history and the audit log."""
        if self.person is None:
            raise DeniedError("you are not logged in")
        return self.person.name


Info = strawberry.Info[Context, None]

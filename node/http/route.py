"""What a route is: a path, who may call it, and what it does. There is no other way to add one."""

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from quart import Response

from federation.errors import DeniedError
from federation.keys import PublicKey
from node.model.account import AgentCaller, Person
from node.model.peer import Consumer


class Access(enum.Enum):
    """Who may call a route."""

    PUBLIC = "anybody"
    PERSON = "a logged-in person"
    CONSUMER = "a linked consumer, by its signature"
    AGENT = "an enrolled agent, by its signature"
    NEWCOMER = "whoever signs by the key in the body; the use case checks the one-time secret"


Caller = None | Person | Consumer | AgentCaller | PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request whose caller was checked as the route demands."""

    caller: Caller
    body: bytes = b""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def consumer(self) -> Consumer:
        """The calling consumer."""
        if not isinstance(self.caller, Consumer):
            raise DeniedError("only a linked consumer may ask this")
        return self.caller

    @property
    def agent(self) -> AgentCaller:
        """The calling agent."""
        if not isinstance(self.caller, AgentCaller):
            raise DeniedError("only an enrolled agent may ask this")
        return self.caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``method`` on ``rule``, for those whom ``access`` names."""

    method: str
    rule: str
    access: Access
    handle: Callable[[Call], Awaitable[Response]]

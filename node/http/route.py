"""What a route is: a path, who may call it, and what it does. There is no other way to add one."""

import enum
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from quart import Response

from federation.errors import DeniedError
from federation.keys import PublicKey
from node.model.account import AgentCaller, Person
from node.model.peer import Consumer, Right


class Access(enum.Enum):
    """Who may call a route."""

    PUBLIC = "anybody"
    PERSON = "a logged-in person"
    READER = "anybody, or a linked consumer by its signature; the use case decides who may read what"
    CONSUMER = "a linked consumer, by its signature"
    AGENT = "an enrolled agent, by its signature"
    NEWCOMER = "whoever signs by the key in the body; the use case checks the one-time secret"
    PAIRING = "whoever began a pairing here, by the signature of that same key"


Caller = None | Person | Consumer | AgentCaller | PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request whose caller was checked as the route demands."""

    caller: Caller
    body: bytes = b""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name; lines of one name are joined by commas."""

    @property
    def consumer(self) -> Consumer:
        """The calling consumer."""
        if not isinstance(self.caller, Consumer):
            raise DeniedError("only a linked consumer may ask this")
        return self.caller

    @property
    def reader(self) -> Consumer | None:
        """The calling consumer; ``None``: nobody signed the request."""
        return None if self.caller is None else self.consumer

    @property
    def agent(self) -> AgentCaller:
        """The calling agent."""
        if not isinstance(self.caller, AgentCaller):
            raise DeniedError("only an enrolled agent may ask this")
        return self.caller

    @property
    def signer(self) -> PublicKey:
        """The key of a caller who is neither linked nor enrolled."""
        if not isinstance(self.caller, PublicKey):
            raise DeniedError("only the one who signed the first message may ask this")
        return self.caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``method`` on ``rule``, for those whom ``access`` names; a consumer needs ``right``, if it says one."""

    method: str
    rule: str
    access: Access
    handle: Callable[[Call], Awaitable[Response]]
    right: Right | None = None

    def admit(self, caller: Caller) -> None:
        """Let a caller of the due kind pass if he has the right.

        Raises:
            DeniedError: a consumer without it.
        """
        if self.right is not None and isinstance(caller, Consumer) and self.right not in caller.rights:
            raise DeniedError(f"this node gave yours no right to this ({self.right.value}): ask its operator")

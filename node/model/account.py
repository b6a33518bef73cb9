"""People and tools that use a node: roles, sessions, one-time log-in links, the caller of a request."""

import enum
from dataclasses import dataclass

from federation.codec import Moment
from federation.digest import Digest
from federation.identity import NodeId
from federation.names import InstanceName


class Role(enum.Enum):
    """What a person or tool may do: a viewer looks, a developer builds and releases, an administrator does all."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    ADMINISTRATOR = "administrator"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do what ``other`` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who calls the API: a logged-in user, or the operator's command line on the node's own machine."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLink:
    """A one-time right to log in. Only the digest of its secret is kept."""

    secret: Digest
    person: Person
    expires: Moment
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A logged-in browser. Only the digest of its cookie is kept."""

    secret: Digest
    person: Person
    created: Moment
    expires: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCaller:
    """An enrolled agent that signed the request."""

    name: InstanceName
    id: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change: who did what to what, and when. Secrets never stand in ``detail``."""

    at: Moment
    who: str
    action: str
    detail: str = ""

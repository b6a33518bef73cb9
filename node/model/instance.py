"""Instances and their agents, enrolment tokens, and fault reports as a node keeps them."""

from dataclasses import dataclass, field
from typing import Final

from federation.codec import Moment
from federation.digest import Digest
from federation.errors import ConflictError
from federation.fault import FaultReport
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.names import InstanceName, LabelName, NodeName, ServiceKey, ServiceName
from federation.state import InstanceState
from node.model.placement import Awaited

CLOCKS_APART_SECONDS: Final = 30.0
"""Clocks that differ by less are taken for equal: a word takes some time on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A host with an agent. ``services``: what it is to run; ``None``: all client versions that are desired.

    ``awaits``: of these, what it begins once another instance has left it; ``leaving``: what it gave up to another one,
    until its agent says that it is gone. ``labels``: by which services are placed here.

    ``id``, the agent's, follows from the key, and is stored to be found by.
    """

    name: InstanceName
    key: PublicKey
    enrolled: Moment
    services: tuple[ServiceKey, ...] | None = None
    seen: Moment | None = None
    state: InstanceState | None = None
    revoked: bool = False
    awaits: tuple[Awaited, ...] = ()
    leaving: tuple[ServiceKey, ...] = ()
    labels: tuple[LabelName, ...] = ()
    id: NodeId = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.key.id)

    @property
    def clock_ahead_seconds(self) -> float:
        """How far its host's clock is ahead of this node's, by its last word; 0 where it is no more than a delay."""
        if self.state is None or self.seen is None:
            return 0.0
        ahead = (self.state.at - self.seen).total_seconds()
        return ahead if abs(ahead) >= CLOCKS_APART_SECONDS else 0.0

    @property
    def fixed(self) -> tuple[ServiceKey, ...] | None:
        """What its agent's own file allows it; ``None``: everything."""
        return None if self.state is None else self.state.fixed

    @property
    def allowed(self) -> tuple[ServiceKey, ...] | None:
        """Of ``services``, what its agent's own file allows, which can only narrow them."""
        if self.fixed is None:
            return self.services
        return self.fixed if self.services is None else tuple(key for key in self.services if key in self.fixed)

    def check_allowed(self, *keys: ServiceKey) -> None:
        """Raises:
        ConflictError: its agent's own file does not allow one of ``keys``.
        """
        refused = [key for key in keys if self.fixed is not None and key not in self.fixed]
        if refused:
            raise ConflictError(f"{self.name} may not run {', '.join(refused)}: 'services' in its agent.toml says so")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentToken:
    """A one-time right to attach an agent. Only the digest of its secret is kept."""

    secret: Digest
    instance: InstanceName
    expires: Moment
    used: bool = False

    @property
    def spent(self) -> bool:
        """Whether an agent was attached by it."""
        return self.used


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFault:
    """A fault report here. ``forward_to``: the provider it has to go on to; ``forwarded``: when it took it.

    ``queued``: whether it is in the outbox, or was; what happened to it there stands there.

    ``service`` repeats the report's, without a role, to be found by.
    """

    report: FaultReport
    service: ServiceName
    received: Moment
    forward_to: NodeName | None = None
    forwarded: Moment | None = None
    queued: bool = False

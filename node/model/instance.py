"""Instances and their agents, enrolment tokens, and fault reports as a node keeps them."""

from dataclasses import dataclass

from federation.codec import Moment
from federation.digest import Digest
from federation.fault import FaultReport
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.names import InstanceName, NodeName, ServiceKey, ServiceName
from federation.state import InstanceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A host with an agent. ``services``: what it is to run; ``None``: all client versions that are desired."""

    name: InstanceName
    key: PublicKey
    enrolled: Moment
    services: tuple[ServiceKey, ...] | None = None
    seen: Moment | None = None
    state: InstanceState | None = None
    revoked: bool = False

    @property
    def id(self) -> NodeId:
        """The agent's id."""
        return self.key.id


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentToken:
    """A one-time right to attach an agent. Only the digest of its secret is kept."""

    secret: Digest
    instance: InstanceName
    expires: Moment
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFault:
    """A fault report here. ``forward_to``: the provider it has to go on to; ``forwarded``: when it took it.

    ``service`` repeats the report's, without a role, to be found by.
    """

    report: FaultReport
    service: ServiceName
    received: Moment
    forward_to: NodeName | None = None
    forwarded: Moment | None = None

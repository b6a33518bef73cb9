"""A withdrawal as a node keeps it: who withdrew which version, why, and in which form it is passed on."""

from collections.abc import Iterable
from dataclasses import dataclass

from federation.codec import Moment
from federation.digest import Digest
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWithdrawal:
    """One withdrawal in force. ``provider``: whose catalogue lists it; ``None``: this node withdrew the version itself.

    ``by`` signed the statement as it is shown here; ``passed_on`` is the envelope in our own catalogues, whose payload
    has the ``digest``; ``trail``: the markers of the nodes it came through, up to the provider.
    """

    service: ServiceName
    version: DeveloperVersion
    manifest: Digest
    by: NodeName
    reason: str
    at: Moment
    digest: Digest
    passed_on: bytes
    provider: NodeName | None = None
    trail: tuple[str, ...] = ()

    @property
    def version_key(self) -> tuple[ServiceName, DeveloperVersion]:
        """What was withdrawn."""
        return self.service, self.version

    @property
    def told(self) -> str:
        """Who withdrew it and why, for people."""
        return f"withdrawn by {self.by}: {self.reason}"


def _rank(one: KeptWithdrawal) -> tuple[bool, bool, int, str]:
    """Our own word first, then the origin's, then what came the shortest way."""
    return (one.provider is not None, one.by != one.version.node, len(one.trail), one.provider or "")


def in_force(kept: Iterable[KeptWithdrawal]) -> list[KeptWithdrawal]:
    """For each version withdrawn the one withdrawal that is shown and passed on; by service and version."""
    chosen: dict[tuple[ServiceName, DeveloperVersion], KeptWithdrawal] = {}
    for one in sorted(kept, key=_rank):
        chosen.setdefault(one.version_key, one)
    return [chosen[key] for key in sorted(chosen)]

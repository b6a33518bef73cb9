"""Desired versions: two lists, each changed as a whole against the revision its author saw, with history."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from federation.codec import Moment
from federation.names import ServiceName
from federation.versions import ClientVersion, DeveloperVersion


class ListKind(enum.Enum):
    """Which of the two lists."""

    DEVELOPER = "developer"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One change of a list: set ``service`` to ``version``, or remove it (``None``)."""

    service: ServiceName
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One state of one list, with who made it and why. Number 0 is the empty list before any change."""

    kind: ListKind
    number: int
    versions: dict[ServiceName, str]
    deltas: tuple[Delta, ...] = ()
    who: str = ""
    why: str = ""
    at: Moment | None = None

    @property
    def developer(self) -> dict[ServiceName, DeveloperVersion]:
        """The versions of a developer list."""
        return {service: DeveloperVersion(text) for service, text in self.versions.items()}

    @property
    def client(self) -> dict[ServiceName, ClientVersion]:
        """The versions of a client list."""
        return {service: ClientVersion(text) for service, text in self.versions.items()}

    def applied(self, deltas: tuple[Delta, ...]) -> dict[ServiceName, str]:
        """The versions after ``deltas``."""
        after = dict(self.versions)
        for delta in deltas:
            if delta.version is None:
                after.pop(delta.service, None)
            else:
                after[delta.service] = delta.version
        return after


def difference(before: Mapping[ServiceName, str], after: Mapping[ServiceName, str]) -> tuple[Delta, ...]:
    """The deltas that lead from ``before`` to ``after``, by service."""
    return tuple(
        Delta(service=service, version=after.get(service))
        for service in sorted({*before, *after})
        if before.get(service) != after.get(service)
    )

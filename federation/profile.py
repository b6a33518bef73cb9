"""A profile: the named set of services that a node shares with consumers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from federation.names import ProfileName, ServiceName
from federation.versions import DeveloperVersion

SELF: Final = ProfileName("self")
"""What the node develops and also runs; every node has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A name and the services that its consumers may see; they see nothing else.

    ``public``: everybody may read its catalogue without credentials. Images are for linked consumers all the same.
    """

    name: ProfileName
    services: frozenset[ServiceName]
    public: bool = False

    def covers(self, service: ServiceName) -> bool:
        """Whether a consumer of this profile may know of ``service``."""
        return service in self.services

    def visible(self, versions: Mapping[ServiceName, DeveloperVersion]) -> dict[ServiceName, DeveloperVersion]:
        """Those of ``versions`` that a consumer of this profile may see."""
        return {service: version for service, version in versions.items() if service in self.services}

    def changed(self, *, add: Iterable[ServiceName] = (), remove: Iterable[ServiceName] = ()) -> "Profile":
        """The profile with services added and removed."""
        return replace(self, services=(self.services | set(add)) - set(remove))

"""Which peers may be handed the secrets that a service is built with. Pure."""

from dataclasses import dataclass
from typing import Final

from federation.errors import InvalidValueError
from federation.identity import NodeId
from federation.names import ServiceName

_BUILDERS_MOST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrusted:
    """That ``builders`` may have the private files that the recipe of ``service`` names, and what opens its sources."""

    service: ServiceName
    builders: tuple[NodeId, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.builders) <= _BUILDERS_MOST or len(set(self.builders)) != len(self.builders):
            raise InvalidValueError(f"a service is entrusted to 1 to {_BUILDERS_MOST} builders, each named once")

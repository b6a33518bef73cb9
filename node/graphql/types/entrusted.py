"""Builders that are handed the secrets of a service."""

from collections.abc import Mapping
from typing import Self

import strawberry

from federation.identity import NodeId
from federation.names import NodeName
from node.model import entrusted


@strawberry.type(description="A builder that is handed the secrets of a service.")
class EntrustedBuilder:
    id: str
    name: str = strawberry.field(description="Its name here; empty: no peer has this key (any more).")


@strawberry.type(description="The builders that are handed what builds of a service need of this node's secrets.")
class Entrusted:
    service: str
    builders: list[EntrustedBuilder]

    @classmethod
    def of(cls, one: entrusted.Entrusted, names: Mapping[NodeId, NodeName]) -> Self:
        builders = [EntrustedBuilder(id=found, name=names.get(found, "")) for found in one.builders]
        return cls(service=one.service, builders=builders)

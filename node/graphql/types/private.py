"""Private files, as far as they are shown."""

from datetime import datetime
from typing import Self

import strawberry

from node.model import private


@strawberry.type(description="A secret that the node keeps for a service. What is in it is never shown.")
class PrivateFile:
    service: str
    name: str
    into: str | None = strawberry.field(
        description="Where it stands in each client version of this node; null: where a recipe names it."
    )
    size: int = strawberry.field(description="In bytes.")
    at: datetime = strawberry.field(description="When it was put last.")
    by: str
    fingerprint: str = strawberry.field(description="Keyed: tells two contents apart, and lets none be guessed.")

    @classmethod
    def of(cls, file: private.PrivateFile) -> Self:
        return cls(
            service=file.service,
            name=file.name,
            into=file.into,
            size=file.size,
            at=file.at,
            by=file.by,
            fingerprint=file.fingerprint,
        )

"""What an operator must look at."""

from datetime import datetime
from typing import Self

import strawberry

from node.model import alarm


@strawberry.type(description="Something that an operator must look at, shown until its cause is gone.")
class Alarm:
    id: strawberry.ID
    kind: str = strawberry.field(description="Its stable code.")
    subject: str = strawberry.field(description="What it is about: a node, a provider, a service …")
    message: str = strawberry.field(description="What is wrong, and what to do.")
    first_seen: datetime
    last_seen: datetime
    count: int = strawberry.field(description="How often it was met.")
    dismissed_by: str | None = strawberry.field(description="Who hid it; null: it is open.")
    dismissed: datetime | None

    @classmethod
    def of(cls, one: alarm.Alarm) -> Self:
        return cls(
            id=strawberry.ID(one.id),
            kind=one.kind,
            subject=one.subject,
            message=one.message,
            first_seen=one.first_seen,
            last_seen=one.last_seen,
            count=one.count,
            dismissed_by=one.dismissed_by or None,
            dismissed=one.dismissed,
        )

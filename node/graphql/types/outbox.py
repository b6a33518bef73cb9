"""What waits to go up to providers, and how the way to each stands."""

from datetime import datetime
from typing import Self

import strawberry

from federation import outbox
from federation.outbox import Checkpoint, Load, Standing
from federation.tally import Tally
from node.graphql.types.report import OmittedCount
from node.model.report import SentLetter
from node.usecases.delivery import Withheld


@strawberry.type(description="One thing for one provider, or the receipt of it.")
class OutboxEntry:
    id: str
    provider: str
    kind: str
    standing: Standing
    created: datetime
    due: datetime
    settled: datetime | None
    attempts: int
    error: str
    service: str
    version: str
    size_bytes: float

    @classmethod
    def of(cls, entry: outbox.Entry) -> Self:
        return cls(
            id=entry.id,
            provider=entry.receiver,
            kind=entry.kind,
            standing=entry.standing,
            created=entry.created,
            due=entry.due,
            settled=entry.settled,
            attempts=entry.attempts,
            error=entry.error,
            service=entry.service,
            version=entry.version,
            size_bytes=float(entry.size_bytes),
        )


@strawberry.type(description="How the way up to one provider stands.")
class OutboxWay:
    provider: str
    waiting: int
    waiting_bytes: float
    failures: int = strawberry.field(description="Attempts to reach it that failed in a row.")
    due: datetime | None = strawberry.field(description="When it is tried again, if it can't be reached.")
    error: str
    reached: datetime | None
    omitted: list[OmittedCount] = strawberry.field(description="What was not sent whole, ever.")

    @classmethod
    def of(cls, way: Checkpoint, load: Load, tally: Tally) -> Self:
        return cls(
            provider=way.receiver,
            waiting=load.entries,
            waiting_bytes=float(load.size_bytes),
            failures=way.failures,
            due=way.due,
            error=way.error,
            reached=way.reached,
            omitted=[OmittedCount.of(one) for one in tally.counts],
        )


@strawberry.type(description="Exactly what was sent, or would be sent now.")
class OutboxLetter:
    entry: str
    path: str
    body: str
    size_bytes: float
    at: datetime | None
    withheld: str = strawberry.field(description="Why nothing is sent; empty: it is.")

    @classmethod
    def of(cls, entry: str, letter: SentLetter | Withheld) -> Self:
        if isinstance(letter, Withheld):
            return cls(entry=entry, path="", body="", size_bytes=0.0, at=None, withheld=letter.why)
        return cls(
            entry=entry,
            path=letter.path,
            body=(letter.body or b"").decode(),
            size_bytes=float(letter.size_bytes),
            at=letter.at,
            withheld="",
        )

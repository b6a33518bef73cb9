"""Runs of a service on an instance."""

from datetime import datetime
from typing import Self

import strawberry

from federation import run as runs


@strawberry.type(description="One run of a service, from the start of its process to its end.")
class Run:
    run: str = strawberry.field(description="Its name, by which `logs` finds what it wrote.")
    version: str
    started: datetime
    alive: bool
    ended: datetime | None = strawberry.field(description="Null: it is alive, or nobody saw its end.")
    status: int | None = strawberry.field(description="The exit status.")
    signal: str | None = strawberry.field(description="The signal that killed it, without SIG.")
    stopped: bool = strawberry.field(description="It ended because it was asked to.")
    error: str = strawberry.field(description="Why it never began; empty: it did.")
    lost_lines: float = strawberry.field(description="Lines it wrote faster than they could be kept.")

    @classmethod
    def of(cls, run: runs.RunSummary) -> Self:
        return cls(
            run=run.run,
            version=run.version,
            started=run.started,
            alive=run.alive,
            ended=run.ended,
            status=run.status,
            signal=run.signal,
            stopped=run.stopped,
            error=run.error,
            lost_lines=float(run.lost_lines),
        )

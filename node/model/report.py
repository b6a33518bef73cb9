"""What consumers reported, as their provider keeps it; and what this node remembers of its own reports."""

from dataclasses import dataclass

from federation.codec import Moment
from federation.digest import Digest
from federation.names import NodeName
from federation.report import CountsReport, StateReport, TestedReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedStates:
    """The newest state report of a consumer, by its name."""

    consumer: NodeName
    received: Moment
    report: StateReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCounts:
    """The newest counts of what a consumer did not send whole."""

    consumer: NodeName
    received: Moment
    report: CountsReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMark:
    """One tested mark of a consumer."""

    consumer: NodeName
    received: Moment
    report: TestedReport

    @property
    def id(self) -> str:
        """Its key: a mark belongs to whom it came from, whatever id he chose."""
        return f"{self.consumer}/{self.report.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMark:
    """A tested mark that this node gives to ``provider``."""

    provider: NodeName
    who: str
    report: TestedReport

    @property
    def id(self) -> str:
        """Its key."""
        return self.report.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportQueued:
    """The content of the last state report that was queued for ``provider``, by its digest."""

    provider: NodeName
    content: Digest
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SentLetter:
    """What was sent for one outbox entry. ``body``: ``None`` where it was too large to be kept as well."""

    entry: str
    path: str
    digest: Digest
    size_bytes: int
    at: Moment
    body: bytes | None = None

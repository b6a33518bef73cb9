"""What a consumer tells its provider of the versions it took: states, tested marks, and counts of what it left out.

Pure values and what they may hold. A report names no node: it is the one whose key signed the request that brought it.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from federation import limits
from federation.codec import Moment
from federation.errors import InvalidValueError, OversizedError
from federation.names import InstanceName, ServiceKey, ServiceName
from federation.profile import Profile
from federation.state import Phase, ServiceState
from federation.versions import ClientVersion, DeveloperVersion

INSTANCES: Final = 10_000
STATES: Final = 20_000
INSTALLED: Final = 10_000
COUNTS: Final = 2_000
TEXT_CHARS: Final = 2_000

Why = Literal["budget", "settings"]


def _check(what: str, found: int, most: int) -> None:
    if found > most:
        raise OversizedError(f"a report with more than {most} {what} is refused")


def _check_sequence(sequence: int) -> None:
    if not 0 <= sequence <= limits.SERIAL:
        raise InvalidValueError("a report's sequence number is out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A developer version that is desired at the consumer."""

    service: ServiceName
    version: DeveloperVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedState:
    """One service on one instance, as its agent saw it; of other providers' versions nothing stands here."""

    key: ServiceKey
    phase: Phase
    since: Moment
    desired: ClientVersion | None = None
    running: ClientVersion | None = None
    committed: ClientVersion | None = None
    failed: ClientVersion | None = None
    error: str = ""
    failures: int = 0
    last_exit: str = ""

    def __post_init__(self) -> None:
        _check("characters of an error", max(len(self.error), len(self.last_exit)), TEXT_CHARS)
        if not 0 <= self.failures <= limits.COUNT:
            raise InvalidValueError("the number of failures is out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedInstance:
    """One instance of the consumer itself. ``at``: when its agent saw this; the name may be a pseudonym."""

    name: InstanceName
    at: Moment
    services: tuple[ReportedState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateReport:
    """All that the provider's versions do at the consumer. Of two, the one with the higher ``sequence`` holds.

    ``left_out``: so many more instances there are than fit into a report.
    """

    sequence: int
    at: Moment
    installed: tuple[Installed, ...] = ()
    instances: tuple[ReportedInstance, ...] = ()
    left_out: int = 0

    def __post_init__(self) -> None:
        _check_sequence(self.sequence)
        if not 0 <= self.left_out <= limits.COUNT:
            raise InvalidValueError("the number of instances left out is out of range")
        _check("installed versions", len(self.installed), INSTALLED)
        _check("instances", len(self.instances), INSTANCES)
        _check("states", sum(len(one.services) for one in self.instances), STATES)

    @property
    def services(self) -> frozenset[ServiceName]:
        """The services that it speaks of."""
        running = {state.key.service for instance in self.instances for state in instance.services}
        return frozenset({*(one.service for one in self.installed), *running})

    def within(self, profile: Profile) -> "StateReport":
        """What of it is of services that ``profile`` covers: the rest is none of the reader's business."""
        instances = (
            replace(one, services=tuple(state for state in one.services if profile.covers(state.key.service)))
            for one in self.instances
        )
        return replace(
            self,
            installed=tuple(one for one in self.installed if profile.covers(one.service)),
            instances=tuple(one for one in instances if one.services),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedReport:
    """The versions that passed the consumer's tests, together. ``id`` is a random UUID: arriving twice is once."""

    __test__ = False

    id: str
    at: Moment
    versions: tuple[Installed, ...]
    comment: str = ""

    def __post_init__(self) -> None:
        check_report_id(self.id)
        _check("tested versions", len(self.versions), INSTALLED)
        _check("characters of a comment", len(self.comment), limits.COMMENT_CHARS)
        if not self.versions:
            raise InvalidValueError("a tested mark names at least one version")

    def within(self, profile: Profile) -> tuple[Installed, ...]:
        """The versions of services that ``profile`` covers."""
        return tuple(one for one in self.versions if profile.covers(one.service))


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many things of one ``kind`` were not sent whole, since the first: over the budget, or as the link says."""

    kind: str
    service: str
    version: str
    why: Why
    count: int
    first: Moment
    last: Moment

    def __post_init__(self) -> None:
        texts = (self.kind, self.service, self.version)
        _check("characters of a name", max(map(len, texts)), limits.VERSION_CHARS)
        if not 1 <= self.count <= limits.SERIAL:
            raise InvalidValueError("a count is at least 1")
        if self.service:
            ServiceName(self.service)
        if self.version:
            DeveloperVersion(self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsReport:
    """All that the consumer did not send whole over this link, ever. Of two, the higher ``sequence`` holds."""

    sequence: int
    at: Moment
    counts: tuple[Count, ...]

    def __post_init__(self) -> None:
        _check_sequence(self.sequence)
        _check("counts", len(self.counts), COUNTS)

    def within(self, profile: Profile) -> "CountsReport":
        """Without the counts of services that ``profile`` does not cover."""
        kept = (one for one in self.counts if not one.service or profile.covers(ServiceName(one.service)))
        return replace(self, counts=tuple(kept))


def check_report_id(text: str) -> str:
    """``text`` if it is a UUID in its one plain spelling; another one would be a second report.

    Raises:
        InvalidValueError: it is not.
    """
    try:
        same = str(uuid.UUID(text)) == text
    except ValueError:
        same = False
    if not same:
        raise InvalidValueError(f"report id {text[:80]!r} is not a UUID in its plain spelling")
    return text


def reported(state: ServiceState, ours: Iterable[ClientVersion]) -> ReportedState | None:
    """``state`` as a provider may see it: only those of its versions that are ``ours``, i.e. came from it.

    ``None``: it has none of them.
    """
    known = frozenset(ours)

    def shown(version: ClientVersion | None) -> ClientVersion | None:
        return version if version in known else None

    versions = {name: shown(getattr(state, name)) for name in ("desired", "running", "committed", "failed")}
    if not any(versions.values()):
        return None
    return ReportedState(
        key=state.key,
        phase=state.phase,
        since=state.since,
        error=state.error[:TEXT_CHARS],
        failures=state.failures,
        last_exit=state.last_exit[:TEXT_CHARS],
        **versions,
    )

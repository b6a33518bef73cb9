"""What this node remembers of following its providers, what a decision rests on, and what it says.

The decision itself is in ``node.model.policy``.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from federation.catalog.listing import Entry, Listing
from federation.codec import Moment
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.identity import NodeId
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion
from node.model.peer import AutoUpdate
from node.model.window import Windows

ERROR_CHARS: Final = 500


class Action(enum.Enum):
    """What happens by itself with one offered version."""

    TAKE = "take"
    DOWNLOAD = "download"
    KEEP = "keep"
    HOLD = "hold"


class Reason(enum.Enum):
    """Why. What is held waits for something that can change by itself; what is kept is settled."""

    NEW = "new"
    CURRENT = "current"
    DOWNLOADED = "downloaded"
    OPERATOR = "operator"
    DEVELOPED = "developed"
    CIRCLE = "circle"
    OTHER_PROVIDER = "other-provider"
    GONE = "gone"
    EXPIRED = "expired"
    REFUSED = "refused"
    PENALISED = "penalised"
    ENDED = "ended"
    TOO_FAR = "too-far"
    WITHDRAWN = "withdrawn"
    OFF = "off"
    UNTESTED = "untested"
    WINDOW = "window"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A version as a provider listed it, with the trail it came by."""

    provider: NodeName
    version: DeveloperVersion
    manifest: Digest
    trail: tuple[str, ...]

    @classmethod
    def of(cls, provider: NodeName, entry: Entry) -> "Choice":
        """What ``provider`` lists in ``entry``."""
        return cls(provider=provider, version=entry.version, manifest=entry.manifest, trail=entry.trail)

    def lists_the_same(self, entry: Entry) -> bool:
        """Whether ``entry`` is this very version."""
        return (self.version, self.manifest) == (entry.version, entry.manifest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Which choice of a provider this node made its own last.

    ``taking``: the one that is being made desired just now; kept first, so that what is published never lacks its
    trail, even when the node is ended in between.
    """

    service: ServiceName
    choice: Choice | None = None
    taking: Choice | None = None
    at: Moment | None = None

    def trail(self, version: str) -> tuple[str, ...]:
        """The trail by which ``version`` came here; empty when it did not come by following."""
        for choice in (self.choice, self.taking):
            if choice is not None and choice.version == version:
                return choice.trail
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The last attempts to take one version from one provider, all failed. ``again``: not before this moment.

    ``untrue``: it is not what its origin made, so waiting helps only where nobody else has it.
    """

    provider: NodeName
    service: ServiceName
    version: DeveloperVersion
    manifest: Digest
    count: int
    error: str
    at: Moment
    again: Moment
    untrue: bool = False

    def __post_init__(self) -> None:
        if self.count < 1 or len(self.error) > ERROR_CHARS:
            raise InvalidValueError("a failure counts from one, and its error has a bound")

    def is_about(self, entry: Entry) -> bool:
        """Whether the failed attempts were for this very version; a changed offer starts anew."""
        return (self.version, self.manifest) == (entry.version, entry.manifest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Who last changed the desired version of a service here, and when."""

    who: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """One provider as it is judged: its newest verified listing, and what its link says.

    ``tried``: when its catalogue was last asked for; ``refused``: since when what it answers can't be believed;
    ``penalised``: until when it pays for a lie in what it sent; ``ended``: it said that the link is over.
    """

    provider: NodeName
    listing: Listing
    expires: datetime
    auto_update: AutoUpdate = AutoUpdate.INSTALL
    windows: Windows = field(default_factory=Windows)
    tested_by: NodeName | None = None
    tried: datetime | None = None
    refused: datetime | None = None
    penalised: datetime | None = None
    ended: bool = False

    @property
    def entries(self) -> dict[ServiceName, Entry]:
        """What it lists, by service."""
        return {entry.service: entry for entry in self.listing.entries}


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a decision rests on.

    ``stored``: the manifest of each version that is here; ``withdrawn``: who withdrew a version and why, by manifest;
    ``chosen``: for services whose desired version is not the followed one.
    """

    node: NodeId
    offerings: tuple[Offering, ...]
    now: datetime
    developed: frozenset[ServiceName] = frozenset()
    followed: Mapping[ServiceName, Followed] = field(default_factory=dict)
    desired: Mapping[ServiceName, str] = field(default_factory=dict)
    chosen: Mapping[ServiceName, Chosen] = field(default_factory=dict)
    stored: Mapping[tuple[ServiceName, str], Digest] = field(default_factory=dict)
    withdrawn: Mapping[Digest, str] = field(default_factory=dict)
    failures: Mapping[tuple[NodeName, ServiceName], Failure] = field(default_factory=dict)

    def choice(self, service: ServiceName) -> Choice | None:
        """What was last followed for ``service``."""
        followed = self.followed.get(service)
        return followed.choice if followed else None

    def has(self, entry: Entry) -> bool:
        """Whether the very version of ``entry`` is here."""
        return self.stored.get((entry.service, entry.version)) == entry.manifest

    def runs(self, entry: Entry) -> bool:
        """Whether the very version of ``entry`` is desired here."""
        return self.desired.get(entry.service) == entry.version and self.has(entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What happens with one version that one provider lists: the action, its reason, and a sentence for people.

    ``until``: when the decision changes by time alone; ``entry``: what is listed, unless it is gone.
    """

    service: ServiceName
    provider: NodeName
    version: DeveloperVersion
    action: Action
    reason: Reason
    why: str
    until: datetime | None = None
    entry: Entry | None = None

    @property
    def listed(self) -> Entry:
        """What the provider lists."""
        if self.entry is None:
            raise ValueError("only what is listed can be taken")
        return self.entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``verdicts`` by service and provider, and the records to keep because what they tell is true without an act."""

    verdicts: tuple[Verdict, ...]
    noted: tuple[Followed, ...]

    def of(self, provider: NodeName) -> list[Verdict]:
        """The verdicts on what ``provider`` lists."""
        return [verdict for verdict in self.verdicts if verdict.provider == provider]

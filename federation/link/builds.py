"""What a node and the peer that builds for it say to each other.

The asker offers an order and from then on asks how it stands; each question renews the builder's lease on it. A builder
that is not asked any more stops the build, so nobody works for an asker that is gone, and never has to reach it.
"""

import enum
import math
import re
from dataclasses import dataclass, field
from typing import Final

from federation import limits
from federation.codec import Moment
from federation.errors import InvalidValueError, OversizedError
from federation.log import LogRecord
from federation.manifest import Source
from federation.names import PrivateFileName, ServiceName
from federation.versions import DeveloperVersion

LEASE_SECONDS: Final = 90.0
"""So long after the last question a build goes on."""

LOG_LINES: Final = 500
"""So many lines of the log one answer holds at most."""

LOADED: Final = "loaded"
"""The code of the refusal that passes: the builder has too much to do now."""

_SOURCES: Final = 50
_WORD_CHARS: Final = 2000
_REFUSAL_CHARS: Final = 500
_MOST_LOAD: Final = 1e6
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedSource:
    """A Git repository to check out: the name of its folder, its URL, a branch, tag or commit, a folder inside it."""

    name: str
    url: str
    ref: str = "HEAD"
    directory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """A developer version to build. ``id``: made up by the asker; the same order sent again is the same build.

    ``credentials``: whether the asker hands over credentials, without which no source is to be fetched. ``since``: the
    sources of the version before, after whose commits the comment begins.
    """

    id: str
    service: ServiceName
    version: DeveloperVersion
    sources: tuple[OrderedSource, ...]
    credentials: bool = False
    since: tuple[Source, ...] = ()

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise InvalidValueError("the id of an order is 32 hexadecimal digits")
        if not 1 <= len(self.sources) <= _SOURCES:
            raise InvalidValueError(f"a build has 1 to {_SOURCES} sources")
        if len(self.since) > _SOURCES:
            raise InvalidValueError(f"a version has at most {_SOURCES} sources")
        words = [word for one in self.sources for word in (one.name, one.url, one.ref, one.directory)]
        words += [word for one in self.since for word in (one.name, one.url, one.commit)]
        if any(len(word) > _WORD_CHARS for word in words):
            raise OversizedError(f"a word of an order is at most {_WORD_CHARS} characters")


class BuildStand(enum.Enum):
    """Where an ordered build stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (BuildStand.QUEUED, BuildStand.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """How an ordered build stands. ``why``: what a queued one waits for, or why it failed.

    ``log``: lines after the number that was asked for. ``provenance``: the builder's signed word of one that succeeded.
    ``sealing``: the key that what is handed over is sealed to, as the builder's statement (``sealing``).
    ``wants``: the private files that the build waits for. ``comment``: of one that succeeded, what its commits say.
    """

    id: str
    stand: BuildStand
    lease_until: Moment
    why: str = ""
    log: tuple[LogRecord, ...] = ()
    provenance: bytes | None = None
    sealing: bytes = b""
    wants: tuple[PrivateFileName, ...] = ()
    comment: str = ""

    def __post_init__(self) -> None:
        if len(self.comment) > limits.COMMENT_CHARS:
            raise OversizedError(f"a comment has at most {limits.COMMENT_CHARS} characters")
        if len(self.log) > LOG_LINES:
            raise OversizedError(f"an answer holds at most {LOG_LINES} lines of a log")
        if len(self.why) > limits.LOG_MESSAGE_CHARS:
            raise OversizedError(f"a reason has at most {limits.LOG_MESSAGE_CHARS} characters")
        if len(self.wants) > limits.PRIVATE_FILES:
            raise OversizedError(f"a build wants at most {limits.PRIVATE_FILES} private files")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedFile:
    """A private file that a recipe names."""

    name: PrivateFileName
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedCredential:
    """What opens the repositories under the prefix of addresses ``reach``; the fields are those of ``Credential``."""

    reach: str
    user: str = ""
    secret: bytes = field(repr=False)
    known_hosts: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """What a builder is given for one order: only ever sealed to it, and for that order alone."""

    files: tuple[HandedFile, ...] = ()
    credentials: tuple[HandedCredential, ...] = ()

    def __post_init__(self) -> None:
        if len(self.files) > limits.PRIVATE_FILES or len(self.credentials) > _SOURCES:
            raise OversizedError(f"at most {limits.PRIVATE_FILES} files and {_SOURCES} credentials are handed over")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A hand-over on its way: the ``HandOver`` of an order, sealed to its builder."""

    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderState:
    """Whether a node takes another order now. ``refusal``: why not; empty: it does.

    ``running`` of ``most`` orders; ``load``: the processor's over one minute, of ``cpus``.
    """

    refusal: str
    running: int
    most: int
    load: float
    cpus: int
    free_memory_bytes: int
    free_disk_bytes: int

    def __post_init__(self) -> None:
        if len(self.refusal) > _REFUSAL_CHARS:
            raise OversizedError(f"a builder's reason has at most {_REFUSAL_CHARS} characters")
        counts, sizes = (self.running, self.most, self.cpus), (self.free_memory_bytes, self.free_disk_bytes)
        bounded = all(0 <= one <= limits.COUNT for one in counts) and all(0 <= one <= limits.SERIAL for one in sizes)
        if not bounded or not math.isfinite(self.load) or not 0 <= self.load <= _MOST_LOAD:
            raise InvalidValueError("the state of a builder holds a number that no machine has")

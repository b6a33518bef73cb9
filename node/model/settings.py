"""Whether the settings of a site are watched, and when a client version rests on older ones. Pure."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from federation.codec import Moment
from federation.names import ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.model.peer import AutoUpdate


class Watch(enum.Enum):
    """What happens when a settings repository of a service has another commit.

    ``AUTO``: a new client version, where the service comes by a link that installs by itself: whoever has versions
    installed unasked has those of his own settings too, and whoever decides on each version decides on these.
    """

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsCommit:
    """What ``ref`` of the repository at ``url``, without credentials, was."""

    url: str
    ref: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeOf:
    """What the last client build of a service that succeeded used, whether or not its version was there already."""

    service: ServiceName
    base: DeveloperVersion
    version: ClientVersion
    commits: tuple[SettingsCommit, ...]
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsLook:
    """What is known of one settings repository. ``tried``: when it was last asked, ``seen``: when it last answered.

    ``failed``: times in a row, last by ``error``. Without ``commit``: never seen, or ``ref`` can't move.
    """

    url: str
    ref: str
    commit: str | None = None
    tried: datetime | None = None
    seen: datetime | None = None
    failed: int = 0
    error: str = ""


def is_watched(watch: Watch, *, link: AutoUpdate | None, adapted: bool) -> bool:
    """Whether a service's settings are watched.

    ``link``: what happens by itself on the link that its desired version came by, if any; ``adapted``: whether a client
    version of it is desired.
    """
    if watch is Watch.AUTO:
        return link is AutoUpdate.INSTALL
    return watch is Watch.ON and (adapted or link is not None)


def moved(made: MadeOf | None, base: DeveloperVersion, seen: Sequence[SettingsCommit]) -> tuple[SettingsCommit, ...]:
    """Those of the commits ``seen`` that no client version of ``base`` was made of yet."""
    used = made.commits if made is not None and made.base == base else ()
    return tuple(one for one in seen if one not in used)

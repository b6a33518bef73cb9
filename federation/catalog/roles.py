"""The roles of a catalogue (TUF specification §2.1), how long each one's word is good, and when it is said again."""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final


class Role(enum.Enum):
    """Who signs what: the value is TUF's name of the role."""

    ROOT = "root"
    TARGETS = "targets"
    SNAPSHOT = "snapshot"
    TIMESTAMP = "timestamp"


CONTENT_ROLES: Final = (Role.TARGETS, Role.SNAPSHOT, Role.TIMESTAMP)
"""The roles whose keys the node always holds, in the order in which a change is written: timestamp last."""

VALID: Final[Mapping[Role, timedelta]] = {
    Role.ROOT: timedelta(days=365),
    Role.TARGETS: timedelta(days=30),
    Role.SNAPSHOT: timedelta(days=30),
    Role.TIMESTAMP: timedelta(days=1),
}
AGAIN_AFTER: Final[Mapping[Role, timedelta]] = {
    Role.ROOT: VALID[Role.ROOT] / 2,
    Role.TARGETS: VALID[Role.TARGETS] / 2,
    Role.SNAPSHOT: VALID[Role.SNAPSHOT] / 2,
    Role.TIMESTAMP: timedelta(hours=1),
}
OFFLINE_ROOT_NOTICE: Final = timedelta(days=90)
"""How long before an offline root expires its operator is reminded: people and keys have to be brought together."""


def expiry(role: Role, now: datetime) -> datetime:
    """When metadata of ``role`` that is signed ``now`` expires; whole seconds, as TUF writes it."""
    return (now + VALID[role]).replace(microsecond=0)


def due(role: Role, expires: datetime, now: datetime) -> bool:
    """Whether metadata of ``role`` that expires at ``expires`` is to be signed again.

    Also when it lasts longer than it may: it was signed by a clock that ran ahead, and would not stop a freeze.
    """
    age = now - (expires - VALID[role])
    return age >= AGAIN_AFTER[role] or age <= -timedelta(seconds=1)

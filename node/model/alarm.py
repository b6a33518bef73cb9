"""An alarm: something that an operator must look at, shown until its cause is gone."""

import re
from dataclasses import dataclass, replace
from typing import Final

from federation.codec import Moment
from federation.errors import InvalidValueError

SUBJECT_CHARS: Final = 200
MESSAGE_CHARS: Final = 1000
_KIND = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)


def alarm_id(kind: str, subject: str) -> str:
    """``<kind>/<subject>``: the same cause is one alarm.

    Raises:
        InvalidValueError: a kind is up to 40 lower-case letters, digits and ``-``.
    """
    if not _KIND.fullmatch(kind):
        raise InvalidValueError(f"{kind[:60]!r} is not a kind of alarm")
    return f"{kind}/{subject[:SUBJECT_CHARS]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One cause of trouble. ``kind``: its stable code; ``subject``: what it is about; ``count``: how often it was met.

    ``dismissed_by`` and ``dismissed``: who hid it and when; hidden until it sounds with another message.
    """

    kind: str
    subject: str
    message: str
    first_seen: Moment
    last_seen: Moment
    count: int = 1
    dismissed_by: str = ""
    dismissed: Moment | None = None

    @property
    def id(self) -> str:
        """Its key."""
        return alarm_id(self.kind, self.subject)

    @property
    def is_open(self) -> bool:
        """Whether nobody has hidden it."""
        return self.dismissed is None

    def again(self, message: str, now: Moment) -> "Alarm":
        """The same, met once more: another message brings a dismissed one back."""
        met = replace(self, message=message, last_seen=max(now, self.last_seen), count=self.count + 1)
        return met if message == self.message else replace(met, dismissed_by="", dismissed=None)

    def hidden(self, who: str, now: Moment) -> "Alarm":
        """The same, dismissed by ``who``; one that is hidden already stays as it is."""
        return replace(self, dismissed_by=who, dismissed=now) if self.is_open else self

"""When a link may update by itself: windows of local time such as ``Mon-Fri 22:00-05:00 Europe/Berlin``.

A window belongs to the day on which it opens and may end on the next one. It is a pair of wall-clock times, so it moves
with daylight saving; a window that lies wholly inside a skipped hour does not open that day.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from federation.errors import InvalidValueError

WINDOW_CHARS: Final = 400
WINDOWS: Final = 16
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ALL_DAYS: Final = frozenset(range(7))
_DAILY: Final = "daily"
_ONE = re.compile(
    r"(?P<days>[A-Za-z]{3,9}(?:[-,][A-Za-z]{3})*)\s+"
    r"(?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)"
    r"(?:\s+(?P<zone>[A-Za-z0-9_+\-]{1,40}(?:/[A-Za-z0-9_+\-]{1,40}){0,2}))?",
    re.ASCII,
)
_MINUTES_A_DAY: Final = 24 * 60
# A window of one day a week can fall into a skipped hour: the one after it is two weeks away.
_DAYS_LOOKED_AT: Final = 16
_EXAMPLE: Final = "e.g. 'Mon-Fri 22:00-05:00 Europe/Berlin; Sat,Sun 00:00-24:00 Europe/Berlin'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window: the days on which it opens (0 is Monday), when, and for how many minutes of wall-clock time."""

    days: frozenset[int]
    opens_minute: int
    closes_minute: int
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if not self.days or not self.days <= _ALL_DAYS:
            raise InvalidValueError(f"a window opens on at least one day of the week, {_EXAMPLE}")
        if not 0 <= self.opens_minute < _MINUTES_A_DAY or not 0 <= self.closes_minute <= _MINUTES_A_DAY:
            raise InvalidValueError(f"a window opens from 00:00 to 23:59 and closes by 24:00, {_EXAMPLE}")
        if self.opens_minute == self.closes_minute:
            raise InvalidValueError("a window that closes as it opens is never open: write 00:00-24:00 for a whole day")
        _zone(self.zone)

    def on(self, day: date) -> tuple[datetime, datetime] | None:
        """From when to when (UTC) the window of ``day`` is open; ``None``: it does not open on that day."""
        if day.weekday() not in self.days:
            return None
        zone = _zone(self.zone)
        closing_day = day if self.closes_minute > self.opens_minute else day + timedelta(days=1)
        opens, closes = _moment(day, self.opens_minute, zone), _moment(closing_day, self.closes_minute, zone)
        return (opens, closes) if opens < closes else None

    def around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The openings of this window from yesterday's on, in order."""
        today = now.astimezone(_zone(self.zone)).date()
        for offset in range(-1, _DAYS_LOOKED_AT):
            if opening := self.on(today + timedelta(days=offset)):
                yield opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Several windows, open when any of them is. ``text``: as it was given; empty: always open."""

    text: str = ""
    windows: tuple[Window, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The windows that ``text`` spells: ``DAYS HH:MM-HH:MM [ZONE]``, several with ``;`` between them.

        Days are ``daily`` or names and ranges such as ``Mon-Fri,Sun``; without a zone it is UTC.

        Raises:
            InvalidValueError: with the reason.
        """
        plain = " ".join(text.split())
        if not plain:
            return cls()
        if len(text) > WINDOW_CHARS:
            raise InvalidValueError(f"time windows are at most {WINDOW_CHARS} characters long")
        parts = [part.strip() for part in plain.split(";") if part.strip()]
        if not 1 <= len(parts) <= WINDOWS:
            raise InvalidValueError(f"there may be from 1 to {WINDOWS} windows, {_EXAMPLE}")
        return cls(text="; ".join(parts), windows=tuple(map(_parse_one, parts)))

    def opens(self, now: datetime) -> datetime | None:
        """``None`` while open; otherwise the next moment (UTC) at which a window opens."""
        if not self.windows:
            return None
        openings = [opening for window in self.windows for opening in window.around(now)]
        if any(start <= now < end for start, end in openings):
            return None
        return min(start for start, _ in openings if start > now)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValueError(
            f"this machine knows no time zone {name!r}: write it as in Europe/Berlin, or install 'tzdata'"
        ) from error


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The wall-clock time ``minute`` of ``day`` in UTC; 1440 is the next midnight. A skipped time is moved behind."""
    if minute == _MINUTES_A_DAY:
        day, minute = day + timedelta(days=1), 0
    return datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)


def _parse_one(text: str) -> Window:
    found = _ONE.fullmatch(text)
    if found is None:
        raise InvalidValueError(f"{text[:80]!r} is not a time window, {_EXAMPLE}")
    return Window(
        days=_days(found["days"].lower()),
        opens_minute=_minute(found["opens"]),
        closes_minute=_minute(found["closes"]),
        zone=found["zone"] or "UTC",
    )


def _minute(text: str) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or hours * 60 + minutes > _MINUTES_A_DAY:
        raise InvalidValueError(f"{text} is not a time of the day, {_EXAMPLE}")
    return hours * 60 + minutes


def _days(text: str) -> frozenset[int]:
    if text == _DAILY:
        return _ALL_DAYS
    return frozenset(day for part in text.split(",") for day in _range(part))


def _range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    for name in (first, last or first):
        if name not in _DAYS:
            raise InvalidValueError(f"{name!r} is not a day: write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily")
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]

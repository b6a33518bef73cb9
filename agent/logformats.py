"""Reads the time, level, unit and message out of one line, in the forms that services write. Pure.

Known are JSON lines, logfmt, syslog (RFC 3164 and RFC 5424) and the classic ``date level unit message`` with its
cousins of log4j and Python. What is in none of them stays as it is. A time without a zone is local to the machine
that wrote it; a time that can't be that of a line which just arrived is not believed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from federation import limits
from federation.log import Level

LEVELS: Final[Mapping[str, Level]] = {
    "TRACE": Level.TRACE, "DEBUG": Level.DEBUG, "INFO": Level.INFO, "NOTICE": Level.INFO, "WARN": Level.WARNING,
    "WARNING": Level.WARNING, "ERROR": Level.ERROR, "SEVERE": Level.ERROR, "ERR": Level.ERROR,
    "FATAL": Level.FATAL, "CRITICAL": Level.FATAL, "PANIC": Level.FATAL,
}  # fmt: skip
_SEVERITIES: Final = (Level.FATAL,) * 3 + (Level.ERROR, Level.WARNING, Level.INFO, Level.INFO, Level.DEBUG)
"""By the number of a syslog severity (RFC 5424, 6.2.1)."""

_OLDEST: Final = timedelta(days=1)
_NEWEST: Final = timedelta(minutes=5)
_FIELDS: Final = 100
_MILLISECONDS_FROM: Final = 1e11

Localise = Callable[[datetime], datetime]
"""Gives a time without a zone that of the machine."""


def local_time(naive: datetime) -> datetime:
    """``naive`` as a time of this machine."""
    return naive.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a line says of itself; ``None``: nothing."""

    message: str
    level: Level | None = None
    unit: str = ""
    time: datetime | None = None


Reader = Callable[[str, datetime, Localise], Parsed | None]

_STAMP: Final = (
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))? ?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_WORD: Final = r"[\[(<]?(?P<level>(?i:" + "|".join(LEVELS) + r"))\b[\])>]?:?"
_MARKED: Final = r"(?:\[(?P<{0}>[^\]\s]{{1,100}})\]:?|(?P<{0}_>[\w.$/-]{{1,100}})(?=:\s| -\s))"
_GAP: Final = r" {0,8}(?:[-:|] {1,8})?"
"""Bounded, as all that repeats side by side here: a service can write any line, and must not hold up its agent."""

_CLASSIC: Final = re.compile(
    rf"{_STAMP}{_GAP}(?:{_MARKED.format('before')}{_GAP})?{_WORD}(?:{_GAP}{_MARKED.format('after')})?{_GAP}(?P<message>.*)",
    re.ASCII | re.DOTALL,
)
_BARE: Final = re.compile(
    rf"{_STAMP} {{1,8}}{_WORD} {{1,8}}(?P<after>[\w.$/-]{{1,100}}):? {{1,8}}(?P<message>.*)", re.ASCII | re.DOTALL
)
_RFC5424: Final = re.compile(
    rf"<(?P<pri>\d{{1,3}})>1 (?:-|{_STAMP}) \S+ (?P<unit>\S{{1,100}}) \S+ \S+ "
    r"(?:-|(?:\[[^\]]{0,1000}\])+) ?(?P<message>.*)",
    re.ASCII | re.DOTALL,
)
_RFC3164: Final = re.compile(
    r"(?:<(?P<pri>\d{1,3})>)?(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d) \S+ "
    r"(?P<unit>[^\s:\[]{1,100})(?:\[\d{1,10}\])?: ?(?P<message>.*)",
    re.ASCII | re.DOTALL,
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PAIR: Final = re.compile(r'([A-Za-z_][\w.@-]{0,60})=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)', re.ASCII)


def _moment(text: str, zone: str | None, localise: Localise) -> datetime | None:
    try:
        if zone:
            return datetime.fromisoformat(text + zone).astimezone(UTC)
        return localise(datetime.fromisoformat(text))
    except (ValueError, OverflowError, OSError):
        return None


def _stamp(match: re.Match[str], localise: Localise) -> datetime | None:
    if match["date"] is None:
        return None
    part = (match["part"] or "0")[:6].ljust(6, "0")
    return _moment(f"{match['date']}T{match['clock']}.{part}", match["zone"], localise)


def _classic(text: str, _: datetime, localise: Localise) -> Parsed | None:
    match = _CLASSIC.match(text)
    if match is None:
        return None
    unit = match["after"] or match["after_"] or match["before"] or match["before_"] or ""
    return Parsed(
        message=match["message"], level=LEVELS[match["level"].upper()], unit=unit, time=_stamp(match, localise)
    )


def _classic_bare(text: str, now: datetime, localise: Localise) -> Parsed | None:
    """The classic form where the recipe promises it: the word after the level is the unit, marked or not."""
    match = _BARE.match(text)
    if match is None:
        return _classic(text, now, localise)
    level = LEVELS[match["level"].upper()]
    return Parsed(message=match["message"], level=level, unit=match["after"], time=_stamp(match, localise))


def _severity(pri: str | None) -> Level | None:
    return None if pri is None or int(pri) > 191 else _SEVERITIES[int(pri) % 8]


def _syslog(text: str, now: datetime, localise: Localise) -> Parsed | None:
    if match := _RFC5424.match(text):
        unit = "" if match["unit"] == "-" else match["unit"]
        message = match["message"].removeprefix("\N{BYTE ORDER MARK}")
        return Parsed(message=message, level=_severity(match["pri"]), unit=unit, time=_stamp(match, localise))
    match = _RFC3164.match(text)
    if match is None or match["month"] not in _MONTHS:
        return None
    month, day = _MONTHS.index(match["month"]) + 1, int(match["day"])
    # The form has no year: it is that of the arrival, or the one before around New Year.
    for year in (now.year, now.year - 1):
        time = _moment(f"{year}-{month:02}-{day:02}T{match['clock']}", None, localise)
        if time is not None and time <= now + _NEWEST:
            return Parsed(message=match["message"], level=_severity(match["pri"]), unit=match["unit"], time=time)
    return None


_TEXT_NAMES: Final = ("message", "msg", "event")
_LEVEL_NAMES: Final = ("level", "severity", "lvl")
_UNIT_NAMES: Final = ("logger", "unit", "component", "name")
_TIME_NAMES: Final = ("time", "timestamp", "@timestamp", "ts")


def _one_of(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if name in fields), None)


def _level_of(value: object) -> Level | None:
    """A level by its word, or by the numbers of bunyan and pino: 10 for trace to 60 for fatal."""
    if isinstance(value, str):
        return LEVELS.get(value.upper())
    if isinstance(value, int) and not isinstance(value, bool) and 10 <= value <= 60:
        steps = (Level.TRACE, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.FATAL)
        return steps[value // 10 - 1]
    return None


def _time_of(value: object, localise: Localise) -> datetime | None:
    """A time as RFC 3339, or as seconds or milliseconds since 1970."""
    if isinstance(value, str):
        match = re.fullmatch(_STAMP, value[:64], re.ASCII)
        return None if match is None else _stamp(match, localise)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / 1000 if abs(value) > _MILLISECONDS_FROM else value, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return None


def _of_fields(fields: Mapping[str, Any], localise: Localise) -> Parsed | None:
    text, unit = _one_of(fields, _TEXT_NAMES), _one_of(fields, _UNIT_NAMES)
    if not isinstance(text, str):
        return None
    return Parsed(
        message=text,
        level=_level_of(_one_of(fields, _LEVEL_NAMES)),
        unit=unit if isinstance(unit, str) else "",
        time=_time_of(_one_of(fields, _TIME_NAMES), localise),
    )


def _json(text: str, _: datetime, localise: Localise) -> Parsed | None:
    if not text.startswith("{"):
        return None
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return _of_fields(fields, localise)


def _logfmt(text: str, _: datetime, localise: Localise) -> Parsed | None:
    """Only a line that is pairs from end to end, with a message and a level or a time. Other pairs stay in it."""
    fields: dict[str, str] = {}
    rest: list[str] = []
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or len(fields) >= _FIELDS:
            return None
        value = pair[2]
        fields[pair[1]] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        if pair[1] not in _TEXT_NAMES + _LEVEL_NAMES + _UNIT_NAMES + _TIME_NAMES:
            rest.append(pair[0].strip())
        at = pair.end()
    parsed = _of_fields(fields, localise)
    if parsed is None or (parsed.level is None and parsed.time is None):
        return None
    return replace(parsed, message=" ".join([parsed.message, *rest]))


def _nothing(_text: str, _now: datetime, _localise: Localise) -> Parsed | None:
    return None


_READERS: Final[Mapping[str, tuple[Reader, ...]]] = {
    "auto": (_json, _classic, _logfmt, _syslog),
    "json": (_json,),
    "logfmt": (_logfmt,),
    "syslog": (_syslog,),
    "classic": (_classic_bare,),
    "plain": (_nothing,),
}


def read_line(text: str, form: str, arrived: datetime, localise: Localise = local_time) -> Parsed | None:
    """What ``text`` says in the format ``form``; ``None``: nothing that is understood.

    A time more than a day before ``arrived`` or some minutes after it is left out.
    """
    found = next((parsed for read in _READERS[form] if (parsed := read(text, arrived, localise))), None)
    if found is None:
        return None
    believed = found.time is not None and arrived - _OLDEST <= found.time <= arrived + _NEWEST
    return replace(found, unit=found.unit[: limits.LOG_UNIT_CHARS], time=found.time if believed else None)

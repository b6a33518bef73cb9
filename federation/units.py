"""Times and sizes as people write them in files: ``"10m"``, ``"1s..5m"``, ``"512MB"``, and back in the shortest form.

Decides what is a well-formed time, span or size. Which bounds they must keep is for the reader of the file.
"""

import re
from decimal import Decimal
from typing import Final

from federation.errors import InvalidValueError

_TIME_UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_SIZE_UNITS: Final = {
    "TiB": 1024**4, "TB": 1000**4, "GiB": 1024**3, "GB": 1000**3, "MiB": 1024**2, "MB": 1000**2,
    "KiB": 1024, "KB": 1000, "kB": 1000, "B": 1,
}  # fmt: skip
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|[dhms])", re.ASCII)
_TIME = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,6})?(?:ms|[dhms])){1,5}", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,16}(?:\.[0-9]{1,6})?) ?([KMGT]i?B|kB|B)", re.ASCII)


def read_seconds(text: str) -> float:
    """The seconds that a time such as ``"90s"``, ``"1.5h"``, ``"300ms"`` or ``"1h30m"`` stands for.

    Raises:
        InvalidValueError: another form.
    """
    if not _TIME.fullmatch(text):
        raise InvalidValueError(f'{text[:40]!r} is not a time: a number with ms, s, m, h or d, such as "30s" or "10m"')
    milliseconds = sum(Decimal(number) * _TIME_UNITS[unit] for number, unit in _PART.findall(text))
    return float(Decimal(milliseconds) / 1000)


def write_seconds(seconds: float) -> str:
    """The shortest text that ``read_seconds`` reads as ``seconds``, to the microsecond."""
    milliseconds = Decimal(repr(seconds)) * 1000
    for unit, worth in _TIME_UNITS.items():
        if milliseconds and milliseconds % worth == 0:
            return f"{int(milliseconds // worth)}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def read_span(text: str) -> tuple[float, float]:
    """The two times of ``"1s..5m"``; a single time stands for both.

    Raises:
        InvalidValueError: another form, or the second is less than the first.
    """
    first, dots, last = text.partition("..")
    least = read_seconds(first.strip())
    most = read_seconds(last.strip()) if dots else least
    if most < least:
        raise InvalidValueError(f"{text[:40]!r} ends before it begins: write the shorter time first")
    return least, most


def write_span(least: float, most: float) -> str:
    """The text that ``read_span`` reads as these two times."""
    return f"{write_seconds(least)}..{write_seconds(most)}"


def read_bytes(text: str) -> int:
    """The bytes that a size such as ``"512MB"`` (decimal) or ``"1.5GiB"`` (binary) stands for.

    Raises:
        InvalidValueError: another form, or not a whole number of bytes.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise InvalidValueError(
            f'{text[:40]!r} is not a size: a number with B, KB, MB, GB, TB or KiB, MiB, GiB, TiB, such as "512MB"'
        )
    size = Decimal(match[1]) * _SIZE_UNITS[match[2]]
    if size % 1:
        raise InvalidValueError(f"{text[:40]!r} is not a whole number of bytes")
    return int(size)


def write_bytes(size: int) -> str:
    """The shortest text that ``read_bytes`` reads as ``size``."""
    units = ((unit, worth) for unit, worth in _SIZE_UNITS.items() if size and size % worth == 0)
    return min((f"{size // worth}{unit}" for unit, worth in units), key=len, default=f"{size}B")

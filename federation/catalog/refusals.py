"""What python-tuf says of a catalogue that it refuses, as errors of ours: one sentence each, and what to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from securesystemslib.exceptions import Error as SecureSystemsError
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)

from federation.catalog.filenames import TIMESTAMP_FILE
from federation.clock import to_text
from federation.errors import AbsentError, OversizedError, StaleError, TamperedError, UnreachableError, VUpdateError

LIBRARY_ERRORS: Final = (
    RepositoryError,
    DownloadError,
    SecureSystemsError,
    # Hostile metadata can bring a library into states that its authors did not think of; what can't be read is refused.
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""All that verifying foreign metadata with python-tuf may raise."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """Errors ``theirs`` are told as ``ours``."""

    theirs: type[Exception]
    ours: type[VUpdateError]
    sentence: str


_RULES: Final[tuple[_Rule, ...]] = (  # the first that fits
    _Rule(
        ExpiredMetadataError,
        StaleError,
        "the provider's catalogue has expired ({error}; it is {now} here): the provider has not signed it again, or "
        "somebody withholds the newer one; check both machines' clocks and that the provider runs; until then the "
        "versions taken before stay",
    ),
    _Rule(
        BadVersionNumberError,
        StaleError,
        "the provider's {file} is older than what was seen before, or does not belong with the rest ({error}): it is "
        "refused; if the provider was restored from a backup, its operator runs "
        "'vupdate catalog rotate PROFILE snapshot timestamp', else somebody replays an old state",
    ),
    _Rule(
        UnsignedMetadataError,
        TamperedError,
        "the provider's {file} is not signed by enough of the keys that its catalogue trusts ({error}): it is refused "
        "and nothing was changed; ask the provider's operator, and do not link anew before you know why",
    ),
    _Rule(
        LengthOrHashMismatchError,
        TamperedError,
        "the provider's {file} is not the one that its signed catalogue names ({error}): parts of two states were "
        "mixed, or it was altered on the way; it is refused; ask the provider's operator if it lasts",
    ),
    _Rule(
        DownloadLengthMismatchError,
        OversizedError,
        "the provider's {file} is longer than it may be ({error}): it is refused; ask the provider's operator",
    ),
    _Rule(
        DownloadError,
        UnreachableError,
        "the provider's catalogue names {file} but the provider does not serve it: it was replaced just now, which "
        "the next check puts right, or it is withheld",
    ),
    _Rule(
        Exception,
        TamperedError,
        "the provider's {file} can't be read as a part of a catalogue ({kind}): it is refused; ask the provider's "
        "operator whether another program answers at its address",
    ),
)


def refusal(error: Exception, file: str, now: datetime) -> VUpdateError:
    """Our error for ``error``, which came up while ``file`` of a catalogue was verified.

    ``StaleError``: expired, or older than what was seen before. ``TamperedError``: not signed by whom it must be, or
    other bytes than those named. ``OversizedError``. ``AbsentError``: there is no catalogue, or not for us.
    ``UnreachableError``: a part that the catalogue names is withheld, or was replaced just now.
    """
    if isinstance(error, DownloadHTTPError) and file.endswith(TIMESTAMP_FILE):
        return AbsentError(
            "the provider has no catalogue for this node: the link may have been removed there or its rights changed; "
            "ask the provider's operator"
        )
    rule = next(rule for rule in _RULES if isinstance(error, rule.theirs))
    # What the library says may quote the provider's words: cut to a length for a log line.
    words = {"file": file, "error": str(error)[:200], "now": to_text(now), "kind": type(error).__name__}
    return rule.ours(rule.sentence.format_map(words))

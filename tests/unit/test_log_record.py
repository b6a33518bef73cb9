"""A log record is bounded wherever it comes from."""

from datetime import UTC, datetime

import pytest

from federation import limits
from federation.errors import InvalidValueError, OversizedError
from federation.log import Level, LogRecord

MOMENT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("sequence", [0, -1, 2**64])
def test_a_sequence_number_counts_from_one_and_fits(sequence: int) -> None:
    """What no database could hold is refused where it comes in."""
    with pytest.raises(InvalidValueError):
        LogRecord(sequence=sequence, time=MOMENT, level=Level.INFO, message="")


def test_a_message_and_a_unit_have_their_bounds() -> None:
    """Agents cut longer ones; a peer that does not is refused."""
    whole = "x" * limits.LOG_MESSAGE_CHARS
    assert LogRecord(sequence=1, time=MOMENT, level=Level.INFO, message=whole).message == whole
    with pytest.raises(OversizedError):
        LogRecord(sequence=1, time=MOMENT, level=Level.INFO, message=whole + "x")
    with pytest.raises(OversizedError):
        LogRecord(sequence=1, time=MOMENT, level=Level.INFO, message="", unit="u" * 1000)

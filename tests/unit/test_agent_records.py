"""Lines of output as log records."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.records import Line, exception_line, parse_line, to_records
from federation import limits
from federation.errors import InvalidValueError
from federation.log import Level

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TRACE = [
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in <module>',
    "    boom()",
    "ValueError: it broke",
]


def lines(*texts: str, stream: str = "o") -> list[Line]:
    return [Line(NOW, stream, text) for text in texts]


def test_a_line_of_the_shim() -> None:
    """Time, stream and text are read; bytes that are no text don't hurt."""
    line = parse_line(b"2026-03-01T12:00:00.000000Z e caf\xff ok\r")
    assert line == Line(NOW, "e", "caf� ok")


@pytest.mark.parametrize("content", [b"", b"x", b"2026-03-01T12:00:00Z", b"2026-03-01T12:00:00 o local", b"no o time"])
def test_a_damaged_line_is_refused(content: bytes) -> None:
    """A line cut by a full disk, or with a time that has no offset, is no line."""
    with pytest.raises(InvalidValueError):
        parse_line(content)


def test_a_trace_is_one_record() -> None:
    """A stack trace stays in one piece, the lines around it apart."""
    records = to_records(lines("starting", *TRACE, "next"), 7)
    assert [record.message for record in records] == ["starting", "\n".join(TRACE), "next"]
    assert [record.level for record in records] == [Level.INFO, Level.ERROR, Level.INFO]
    assert [record.sequence for record in records] == [7, 8, 9]


def test_a_trace_follows_what_logged_it() -> None:
    """The message that announces an exception and its trace are one record."""
    records = to_records(lines("2026 ERROR app: request failed", *TRACE), 1)
    assert len(records) == 1


def test_chained_exceptions_are_one_record() -> None:
    """Both traces of a chained exception belong together."""
    chain = [*TRACE, "", "During handling of the above exception, another exception occurred:", "", *TRACE]
    records = to_records(lines(*chain), 1)
    assert records[-1].message.count("ValueError") == 2


def test_streams_may_alternate_inside_a_trace() -> None:
    """What the other stream says meanwhile does not tear a trace."""
    mixed = [Line(NOW, "e", TRACE[0]), Line(NOW, "o", "GET /"), *(Line(NOW, "e", text) for text in TRACE[1:])]
    records = to_records(mixed, 1)
    assert [record.message for record in records] == ["\n".join(TRACE), "GET /"]


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ("2026-01-01 WARNING app.db: slow", Level.WARNING, "2026-01-01 WARNING app.db: slow"),
        ('{"level":"error","msg":"bad","logger":"db"}', Level.ERROR, "bad"),
        ('{"level":"error"}', Level.INFO, '{"level":"error"}'),
        ("[CRITICAL] out", Level.FATAL, "[CRITICAL] out"),
        ("information", Level.INFO, "information"),
        ("{not json", Level.INFO, "{not json"),
    ],
)
def test_levels(text: str, level: Level, message: str) -> None:
    """Levels are found in JSON and in common line formats."""
    (record,) = to_records(lines(text), 1)
    assert (record.level, record.message) == (level, message)


def test_a_unit_of_any_length_is_cut_to_its_bound() -> None:
    """What a service writes as its logger's name never stops its log."""
    (record,) = to_records(lines('{"msg":"m","logger":"' + "u" * 5000 + '"}'), 1)
    assert record.unit == "u" * limits.LOG_UNIT_CHARS


def test_what_vupdate_says_is_marked() -> None:
    """A line of vUpdate itself, such as that lines were lost, says whose it is."""
    (record,) = to_records(lines("3 lines were lost", stream="v"), 1)
    assert (record.unit, record.level) == ("vupdate", Level.WARNING)


def test_the_exception_is_named() -> None:
    """The last exception's own line is the message of a fault."""
    assert exception_line(["x", *TRACE, "later"]) == "ValueError: it broke"
    assert exception_line(["nothing"]) == ""


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=80)
_LINES = st.lists(st.builds(Line, st.just(NOW), st.sampled_from("oev"), _TEXTS | st.sampled_from(TRACE)), max_size=40)


@given(_LINES, st.integers(1, 10**9))
def test_no_line_is_lost(found: list[Line], first: int) -> None:
    """Every line is in a record, sequences follow one another, and the same lines give the same records."""
    records = to_records(found, first)
    assert [record.sequence for record in records] == list(range(first, first + len(records)))
    assert records == to_records(found, first)
    plain = [line for line in found if not line.text.startswith("{")]
    text = "\n".join(record.message for record in records)
    assert all(line.text in text for line in plain)
    assert all(len(record.message) <= limits.LOG_MESSAGE_CHARS for record in records)

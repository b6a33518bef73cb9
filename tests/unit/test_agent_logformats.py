"""What one line of output says of itself."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.logformats import Parsed, read_line
from agent.records import Line, exception_line, to_records
from federation.log import Level
from federation.servicefile import LOG_FORMATS

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT = datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC)
MOSCOW = timezone(timedelta(hours=3))


def in_moscow(naive: datetime) -> datetime:
    return naive.replace(tzinfo=MOSCOW).astimezone(UTC)


def read(text: str, form: str = "auto") -> Parsed | None:
    return read_line(text, form, NOW, in_moscow)


def parsed(message: str, level: Level | None, unit: str = "", at: datetime | None = AT) -> Parsed:
    return Parsed(message=message, level=level, unit=unit, time=at)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T11:59:30Z WARN shop.db: slow query",
        "2026-03-01 14:59:30 WARNING [shop.db] slow query",
        "2026-03-01 14:59:30,000 [shop.db] WARN - slow query",
        "2026-03-01 14:59:30.000 - shop.db - WARNING - slow query",
        "2026-03-01T06:59:30.000-05:00 | warn | shop.db - slow query",
        "2026-03-01T11:59:30Z [WARN] shop.db: slow query",
        '{"time":"2026-03-01T11:59:30Z","level":"warn","logger":"shop.db","msg":"slow query"}',
        '{"ts":1772366370,"severity":"WARNING","unit":"shop.db","message":"slow query"}',
        '{"time":1772366370000,"level":40,"name":"shop.db","msg":"slow query"}',
        'time=2026-03-01T11:59:30Z level=warning logger=shop.db msg="slow query"',
        "<132>1 2026-03-01T11:59:30Z host shop.db 12 ID47 - slow query",
        '<132>1 2026-03-01T11:59:30.000Z host shop.db - - [x@1 a="b"] slow query',
        "<132>Mar  1 14:59:30 host shop.db[12]: slow query",
    ],
)
def test_the_same_said_in_each_form(text: str) -> None:
    """Time, level, unit and message come out the same, whoever wrote the line; times without a zone are local."""
    assert read(text) == parsed("slow query", Level.WARNING, "shop.db")


def test_a_bare_word_is_the_unit_only_where_the_recipe_says_so() -> None:
    """`Started` is no unit by itself, but the classic form promises that a unit stands there."""
    text = "2026-03-01T11:59:30Z INFO Started in 3 s"
    assert read(text) == parsed("Started in 3 s", Level.INFO)
    assert read("2026-03-01T11:59:30Z INFO main started", "classic") == parsed("started", Level.INFO, "main")


def test_other_pairs_of_logfmt_stay_in_the_message() -> None:
    """Nothing that was written is lost."""
    found = read('level=error msg="no \\"luck\\"" order=17 took=3ms')
    assert found == parsed('no "luck" order=17 took=3ms', Level.ERROR, at=None)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "a=1 b=2",
        "2026-03-01 is a nice day",
        "2026-99-99T11:59:30Z INFO",
        "{",
        "{}",
        '{"msg": 5}',
        "x=1 msg=a b",
    ],
)
def test_what_is_in_no_form_stays_as_it_is(text: str) -> None:
    """A sentence that happens to look a little like a form is not cut up."""
    found = read(text)
    assert found is None or found.message in text


@pytest.mark.parametrize("text", ["2020-01-01T00:00:00Z INFO old", "2026-03-02T00:00:00Z INFO ahead"])
def test_a_time_that_cannot_be_is_not_believed(text: str) -> None:
    """A record keeps its time of arrival when the time in it is of another day."""
    (record,) = to_records([Line(NOW, "o", text)], 1)
    assert record.time == NOW


def test_the_recipe_can_say_that_nothing_is_to_be_read() -> None:
    """In the format `plain` each line is its message."""
    text = "2026-03-01T11:59:30Z WARN shop.db: slow query"
    (record,) = to_records([Line(NOW, "o", text)], 1, form="plain")
    assert (record.message, record.time, record.unit) == (text, NOW, "")


@given(text=st.text(max_size=300), form=st.sampled_from(LOG_FORMATS))
def test_any_line_can_be_read(text: str, form: str) -> None:
    """No line hurts."""
    assert read_line(text, form, NOW) == read_line(text, form, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T11:59:30Z" + " " * 60_000 + "x",
        "2026-03-01T11:59:30Z INFO" + " - " * 20_000,
        'a="' + "\\" * 60_000,
        "a=b " * 15_000,
        "<1>1 - h " + "[" * 60_000,
        "{" * 60_000,
    ],
)
def test_no_line_takes_long(text: str) -> None:
    """A line made to be slow is read in time that grows with its length only."""
    began = time.process_time()
    for form in LOG_FORMATS:
        read_line(text, form, NOW)
    assert time.process_time() - began < 1.0


JVM = [
    'Exception in thread "main" java.lang.IllegalStateException: no shop',
    "\tat com.example.Shop.open(Shop.java:12)",
    "Caused by: java.io.IOException: disk",
    "\tat com.example.Disk.read(Disk.java:3)",
    "\t... 1 more",
]
NODE = ["TypeError: shop is not a function", "    at open (/srv/shop.js:3:1)", "    at node:internal/main:1:1"]
GO = [
    "panic: runtime error: index out of range [3] with length 2",
    "",
    "goroutine 1 [running]:",
    "main.open(...)",
    "\t/srv/shop.go:12 +0x1d",
    "main.main()",
    "\t/srv/shop.go:5 +0x25",
    "exit status 2",
]


@pytest.mark.parametrize(("trace", "name"), [(JVM, JVM[0]), (NODE, NODE[0]), (GO, GO[0])])
def test_a_trace_of_another_language_is_one_record_and_has_a_name(trace: list[str], name: str) -> None:
    """The frames stay with the line that names the exception, and the next line is another record."""
    records = to_records([Line(NOW, "e", text) for text in ["ready to serve", *trace, "next"]], 1)
    assert [record.message.split("\n")[0] for record in records] == ["ready to serve", name, "next"]
    assert exception_line(["ready to serve", *trace]) == name
